"""Images in an `.npz` file: MNIST's own, or a reader's."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from dcgan_lib.datasets.images import ImageData, Split
from dcgan_lib.errors import UserError, first_line

KEYS = ("x_train", "y_train", "x_test", "y_test")

SIZES = (64, 32, 28)  # sides, in pixels, that one's own images may have or be shrunk to

MAX_BYTES = 4 * 2**30  # an array that declares more than this is refused before it is read


def load_arrays(
    path: Path, split: Split, check: Callable[[np.ndarray, np.ndarray], None]
) -> ImageData:
    if not path.is_file():
        raise UserError(f"data file {str(path)!r} does not exist; needed: an .npz with {KEYS}")
    try:
        _check_sizes(path)
        with np.load(path, allow_pickle=False) as arrays:
            missing = [key for key in KEYS if key not in arrays]
            if missing:
                raise UserError(f"it has no {', '.join(missing)}; needed: {', '.join(KEYS)}")
            images, labels = arrays[f"x_{split}"], arrays[f"y_{split}"]
        check(images, labels)
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


def check_mnist(images: np.ndarray, labels: np.ndarray) -> None:
    _check_arrays(images, labels, images.shape[1:] == (28, 28), "(N, 28, 28)", 9)


def check_own(images: np.ndarray, labels: np.ndarray) -> None:
    sides, channels = images.shape[1:3], images.shape[3:]
    good = sides in [(size, size) for size in SIZES] and channels in [(), (1,), (3,)]
    accepted = "(N, S, S), (N, S, S, 1) or (N, S, S, 3) with S = 28, 32 or 64"
    _check_arrays(images, labels, good, accepted, 255)


def _check_arrays(
    images: np.ndarray, labels: np.ndarray, good_shape: bool, accepted: str, largest: int
) -> None:
    if images.dtype != np.uint8:
        raise UserError(f"images are {images.dtype}; needed: uint8")
    if not good_shape:
        raise UserError(f"images have the shape {images.shape}; needed: {accepted}")
    if len(images) == 0:
        raise UserError("it has no images; needed: at least one")
    if labels.shape != (len(images),):
        raise UserError(f"labels have the shape {labels.shape}; needed: ({len(images)},)")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > largest:
        raise UserError(f"labels are not whole numbers from 0 to {largest}")
