"""Images in an `.npz` file: MNIST's own, or a reader's."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from dcgan_lib.datasets.images import ImageData, Split
from dcgan_lib.errors import UserError, first_line

KEYS = ("x_train", "y_train", "x_test", "y_test")

SIZES = (64, 32, 28)  # sides, in pixels, that one's own images may have or be shrunk to

MAX_BYTES = 4 * 2**30  # an array that declares more than this is refused before it is read


# Which arrays are accepted: the shapes of one image, the same in words, and the largest label.
Accepted = tuple[list[tuple[int, ...]], str, int]

MNIST: Accepted = ([(28, 28)], "(N, 28, 28)", 9)

OWN: Accepted = (
    [(size, size, *channels) for size in SIZES for channels in ((), (1,), (3,))],
    "(N, S, S), (N, S, S, 1) or (N, S, S, 3) with S = 28, 32 or 64",
    255,
)


def load_arrays(path: Path, split: Split, accepted: Accepted) -> ImageData:
    if not path.is_file():
        raise UserError(f"data file {str(path)!r} does not exist; needed: an .npz with {KEYS}")
    try:
        _check_sizes(path)
        with np.load(path, allow_pickle=False) as arrays:
            missing = [key for key in KEYS if key not in arrays]
            if missing:
                raise UserError(f"it has no {', '.join(missing)}; needed: {', '.join(KEYS)}")
            images, labels = arrays[f"x_{split}"], arrays[f"y_{split}"]
        _check_arrays(images, labels, accepted)
    except Exception as error:  # NumPy and zipfile raise many kinds for a damaged file
        raise UserError(f"data file {str(path)!r} cannot be used: {first_line(error)}") from None
    if images.shape[3:] == (1,):
        images = images[..., 0]
    return ImageData(images, labels, path.stem)


def _check_sizes(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        declared = sum(entry.file_size for entry in archive.infolist())
    if declared > MAX_BYTES:
        raise UserError(f"it unpacks to {declared:,} bytes; accepted: up to {MAX_BYTES:,}")


def _check_arrays(images: np.ndarray, labels: np.ndarray, accepted: Accepted) -> None:
    shapes, in_words, largest = accepted
    if images.dtype != np.uint8:
        raise UserError(f"images are {images.dtype}; needed: uint8")
    if images.shape[1:] not in shapes:
        raise UserError(f"images have the shape {images.shape}; needed: {in_words}")
    if len(images) == 0:
        raise UserError("it has no images; needed: at least one")
    if labels.shape != (len(images),):
        raise UserError(f"labels have the shape {labels.shape}; needed: ({len(images)},)")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > largest:
        raise UserError(f"labels are not whole numbers from 0 to {largest}")
