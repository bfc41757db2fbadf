"""The pictures that a finished run leaves."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import imageio.v3 as iio
import keras
import numpy as np

from dcgan_lib.data import unscale
from dcgan_lib.datasets.sources import PART
from dcgan_lib.latent import (
    generator_input,
    interpolate,
    latent_dim_of,
    sample_latent,
    takes_labels,
)
from dcgan_lib.plots import image_grid, make_gif, plot_losses, read_log
from dcgan_lib.runs.files import atomic_path
from dcgan_lib.runs.folder import LOG, QUALITY, read_record


def write_pictures(folder: Path, generator: keras.Model, num_samples: int) -> None:
    """Writes a run's GIF, loss plot, sample grids and a walk through latent space."""
    latent_dim = latent_dim_of(generator)
    fixed = generator_input(generator, sample_latent(num_samples, latent_dim, seed=0))
    fresh = generator_input(generator, sample_latent(100, latent_dim, seed=1))
    corners = sample_latent(11, latent_dim, seed=2)
    walks = np.concatenate([interpolate(a, b) for a, b in itertools.pairwise(corners)])
    if takes_labels(generator):  # it walks through one digit in each row
        classes = generator.input_shape[1][-1]
        walks = generator_input(generator, walks, (np.arange(10) % classes).repeat(10))
    grids = {"final_samples": fixed, "latent_samples": fresh, "interpolation": walks}
    for name, latent in grids.items():
        with atomic_path(folder / f"{name}.png") as temporary:
            images = generator(latent, training=False).numpy()
            iio.imwrite(temporary, image_grid(unscale(images)), extension=".png")
    with atomic_path(folder / "training.gif") as temporary:
        make_gif(folder / "samples", temporary)
    with atomic_path(folder / "loss_plot.png") as temporary:
        plot_losses(folder / LOG).savefig(temporary, dpi=120)
    if (folder / QUALITY).exists():
        with atomic_path(folder / "quality_plot.png") as temporary:
            part = read_record(folder)["data"]["source"] == PART.stem
            title = "Quality against MNIST's test images" if part else ""
            plot_quality(folder / QUALITY, title).savefig(temporary, dpi=120)


def plot_quality(quality: Mapping[str, Sequence[float]] | str | Path, title: str = ""):
    """Draws the Fréchet distance and the number of classes drawn against the steps.

    Args:
        quality: the columns of a run's quality log, or the path of a `quality.csv`.

    Returns:
        A matplotlib figure.

    Raises:
        UserError: a file that is missing or empty.

    Taught in notebook 07.
    """
    import matplotlib.pyplot as plt

    quality = read_log(quality) if isinstance(quality, (str, Path)) else quality
    figure, (distance, modes) = plt.subplots(
        2, 1, figsize=(7, 5), sharex=True, height_ratios=(3, 1), layout="constrained"
    )
    distance.plot(quality["step"], quality["frechet_distance"], marker=".", label="samples")
    floor = quality["floor"][-1]
    distance.axhline(floor, color="grey", linestyle=":", label="real images (the floor)")
    distance.set(yscale="log", ylabel="Fréchet distance\n(lower is better)")
    distance.legend(fontsize=9)
    modes.step(quality["step"], quality["modes"], where="post", color="tab:purple")
    modes.set(ylim=(0, 10.5), yticks=(0, 5, 10), xlabel="step", ylabel="classes drawn")
    for axis in (distance, modes):
        axis.grid(alpha=0.25)
    distance.set_title(title or "Quality on 1,000 held-out images")
    plt.close(figure)
    return figure
