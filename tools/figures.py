"""Makes most of the figures of the README from real runs on MNIST: `make figures`.

python tools/figures.py [FOLDER]    by default images/
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import imageio.v3 as iio

from dcgan_lib import (
    UserError,
    image_grid,
    load_pretrained,
    load_study,
    save_samples,
    scale,
    train_dcgan_mnist,
)

FROM_FAST = {
    "final_samples.png": "final_epoch.png",
    "training.gif": "training.gif",
    "loss_plot.png": "loss_plot.png",
    "quality_plot.png": "quality_plot.png",
    "interpolation.png": "interpolation.png",
}
FROM_STUDY = {  # both from the same 64 noise vectors; epochs are counted from 0
    "vanilla, epoch 59": "gan_epoch59.png",
    "fast, epoch 19": "dcgan_epoch19.png",
}


def make_figures(output: str | Path = "images") -> list[Path]:
    """Trains recipe `fast` on MNIST, unless its run is there, and copies its pictures.

    Others come from a published study and a published generator.

    Returns:
        The files that it wrote.

    Raises:
        UserError: MNIST cannot be reached, or `output` cannot be written.
    """
    output = Path(output)
    run = train_dcgan_mnist("fast", data="mnist", sample_every=50)  # a smoother film
    try:
        output.mkdir(parents=True, exist_ok=True)
        made = [Path(shutil.copy(run.folder / name, output / to)) for name, to in FROM_FAST.items()]
        pictures = load_study("gan_vs_dcgan").pictures
        for name, to in FROM_STUDY.items():
            iio.imwrite(output / to, image_grid(scale(pictures[name])))
        save_samples(load_pretrained("conditional"), output / "conditional.png", 100)
        return [*made, *(output / to for to in FROM_STUDY.values()), output / "conditional.png"]
    except OSError as error:
        raise UserError(f"output {str(output)!r} cannot be written: {error.strerror}") from None


if __name__ == "__main__":
    try:
        print(*make_figures(*sys.argv[1:2]), sep="\n")
    except UserError as error:
        sys.exit(f"error: {error}")
