"""The figures of the README, all from real runs on MNIST."""

from __future__ import annotations

import shutil
from pathlib import Path

from dcgan_lib.errors import UserError
from dcgan_lib.training import train_dcgan_mnist

FROM_FAST = {
    "final_samples.png": "final_epoch.png",
    "training.gif": "training.gif",
    "loss_plot.png": "loss_plot.png",
    "quality_plot.png": "quality_plot.png",
    "interpolation.png": "interpolation.png",
}


def make_figures(output: str | Path = "images") -> list[Path]:
    """Trains recipe `fast` on MNIST, unless its run is there, and copies its pictures.

    Returns:
        The files that it wrote.

    Raises:
        UserError: MNIST cannot be reached, or `output` cannot be written.
    """
    output = Path(output)
    run = train_dcgan_mnist("fast", data="mnist")
    try:
        output.mkdir(parents=True, exist_ok=True)
        return [Path(shutil.copy(run.folder / name, output / to)) for name, to in FROM_FAST.items()]
    except OSError as error:
        raise UserError(f"output {str(output)!r} cannot be written: {error.strerror}") from None
