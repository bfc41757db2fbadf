"""Pictures: grids of images, loss curves, GIFs.

Functions return a closed matplotlib figure: the last line of a notebook cell shows it,
`.savefig(path)` keeps it.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import imageio.v3 as iio
import numpy as np

from dcgan_lib.datasets.ranges import as_drawn
from dcgan_lib.errors import UserError


def image_grid(images: np.ndarray, columns: int | None = None, zoom: int = 2) -> np.ndarray:
    """Tiles images into one: what is saved as frames.

    Args:
        images: (N, H, W, 1) or (N, H, W, 3) in [-1, 1], or real ones as `scale` takes them.
        columns: images in a row; by default the grid is as square as can be.
        zoom: each pixel becomes a square of this side.

    Returns:
        uint8 (height, width) or (height, width, 3), black where there is no image.

    Raises:
        UserError: no images, or images of another shape or range.
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or len(images) == 0:
        raise UserError(f"images of shape {images.shape}; accepted: (N, H, W, 1 or 3), N above 0")
    columns = columns or math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    height, width, channels = images.shape[1:]
    padded = np.zeros((rows * columns, height + 2, width + 2, channels), np.uint8)
    padded[: len(images), 1:-1, 1:-1] = as_drawn(images)
    tiles = padded.reshape(rows, columns, *padded.shape[1:]).swapaxes(1, 2)
    grid = tiles.reshape(rows * (height + 2), columns * (width + 2), channels)
    grid = grid.repeat(zoom, axis=0).repeat(zoom, axis=1)
    return grid[..., 0] if channels == 1 else grid


def plot_images(
    images: np.ndarray,
    columns: int | None = None,
    titles: Sequence[str] | None = None,
    title: str = "",
    size: float = 0.7,
):
    """Draws images side by side.

    Args:
        images: (N, H, W, 1 or 3), as `image_grid` takes them.
        columns: images in a row; by default the grid is as square as can be.
        titles: one for each image.
        title: one above all.
        size: side of an image in inches.

    Returns:
        A matplotlib figure.

    Raises:
        UserError: no images, images of another shape, or another number of titles.
    """
    import matplotlib.pyplot as plt

    if titles is not None and len(titles) != len(images):
        raise UserError(f"{len(titles)} titles for {len(images)} images; one each is needed")
    columns = columns or math.ceil(math.sqrt(len(images)))
    image_grid(images[:1])  # refuses bad shapes
    pixels = as_drawn(images)
    rows = math.ceil(len(images) / columns)
    high = size * (1.35 if titles else 1.0)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(columns * size, rows * high + 0.4 * bool(title)),
        squeeze=False,
        layout="constrained",
    )
    for i, axis in enumerate(axes.flat):
        axis.axis("off")
        if i < len(images):
            axis.imshow(pixels[i], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            axis.set_title(titles[i] if titles else "", fontsize=9)
    figure.suptitle(title)
    plt.close(figure)
    return figure


def read_log(path: str | Path) -> dict[str, np.ndarray]:
    """Reads a run's `log.csv`: a float array for each column, a row for each interval.

    Raises:
        UserError: the file is missing or has no rows.
    """
    try:
        with open(path, newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise UserError(f"log {str(path)!r} cannot be read: {error.strerror}") from None
    if not rows:
        raise UserError(f"log {str(path)!r} has no rows yet")
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def plot_losses(log: Mapping[str, Sequence[float]] | str | Path, title: str = ""):
    """Draws both losses, and what D gets right, against the steps.

    The losses tell whether the game is balanced. They do not tell how good the images are.

    Args:
        log: the columns of a run's log, a `History.history`, or the path of a `log.csv`.

    Returns:
        A matplotlib figure.

    Raises:
        UserError: a log without the losses and accuracies of both players.

    Taught in notebook 04.
    """
    import matplotlib.pyplot as plt

    log = read_log(log) if isinstance(log, (str, Path)) else log
    needed = ("d_loss", "g_loss", "d_accuracy_real", "d_accuracy_fake")
    if not all(name in log for name in needed):
        raise UserError(f"a log with {', '.join(needed)} is needed; this has {', '.join(log)}")
    x = log.get("step", np.arange(1, len(log["d_loss"]) + 1))
    figure, (losses, accuracy) = plt.subplots(
        2, 1, figsize=(7, 5), sharex=True, height_ratios=(3, 2), layout="constrained"
    )
    losses.plot(x, log["d_loss"], label="discriminator")
    losses.plot(x, log["g_loss"], label="generator")
    losses.set_ylabel("loss")
    accuracy.plot(x, log["d_accuracy_real"], color="tab:green", label="real images")
    accuracy.plot(x, log["d_accuracy_fake"], color="tab:red", label="fake images")
    accuracy.axhline(0.5, color="grey", linewidth=0.8, linestyle=":")
    accuracy.set(ylim=(0, 1.02), ylabel="D is right on")
    accuracy.set_xlabel("step" if "step" in log else "epoch")
    for axis, corner in ((losses, "center right"), (accuracy, "lower right")):
        axis.legend(loc=corner, fontsize=9)
        axis.grid(alpha=0.25)
    losses.set_title(title or "Losses: is the game balanced? (they do not measure quality)")
    plt.close(figure)
    return figure


def make_gif(
    frames: Sequence[np.ndarray] | str | Path, path: str | Path, milliseconds: int = 120
) -> Path:
    """Writes an endless GIF whose last frame stays for two seconds.

    Args:
        frames: images of one size (uint8, or as `image_grid` takes them), or a folder whose
            `*.png` are taken in the order of their names.
        path: where to write it, ending in `.gif`.
        milliseconds: how long each frame stays.

    Returns:
        `path`.

    Raises:
        UserError: no frames, or frames of different sizes.

    Taught in notebook 04.
    """
    if isinstance(frames, (str, Path)):
        frames = [iio.imread(file) for file in sorted(Path(frames).glob("*.png"))]
    if not len(frames) or len({np.shape(frame) for frame in frames}) > 1:
        raise UserError(f"{len(frames)} frames; at least one is needed, all of one size")
    durations = [milliseconds] * (len(frames) - 1) + [2000]
    if len(frames) == 1:  # then Pillow wants a number
        durations = 2000
    # Sixteen greys look the same and make the file three times smaller.
    sixteen = np.uint8(np.rint(as_drawn(np.stack(frames)) / 17.0) * 17)
    iio.imwrite(path, sixteen, extension=".gif", duration=durations, loop=0)
    return Path(path)


def add_caption(grid: np.ndarray, text: str) -> np.ndarray:
    """Returns uint8 `grid` with a line of text on a dark strip above it."""
    from PIL import Image, ImageDraw, ImageFont

    strip = Image.new("L", (grid.shape[1], 22), 0)
    ImageDraw.Draw(strip).text((6, 3), text, fill=255, font=ImageFont.load_default(13))
    pixels = np.asarray(strip)
    if grid.ndim == 3:
        pixels = np.repeat(pixels[..., np.newaxis], 3, axis=-1)
    return np.concatenate([pixels, grid])
