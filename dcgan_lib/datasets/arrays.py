"""MNIST's own `.npz` file, and what limits all files of images."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from dcgan_lib.datasets.images import ImageData, Split
from dcgan_lib.errors import UserError, first_line

KEYS = ("x_train", "y_train", "x_test", "y_test")

SIZES = (64, 32, 28)  # sides, in pixels, that pictures in a folder are shrunk to

MAX_BYTES = 4 * 2**30  # an array that declares more than this is refused before it is read


def load_arrays(path: Path, split: Split) -> ImageData:
    """Reads MNIST from an `.npz`."""
    if not path.is_file():
        raise UserError(f"data file {str(path)!r} does not exist; needed: an .npz with {KEYS}")
    try:
        check_unpacked(path)
        with np.load(path, allow_pickle=False) as arrays:
            missing = [key for key in KEYS if key not in arrays]
            if missing:
                raise UserError(f"it has no {', '.join(missing)}; needed: {', '.join(KEYS)}")
            images, labels = arrays[f"x_{split}"], arrays[f"y_{split}"]
        _check_arrays(images, labels)
    except Exception as error:  # NumPy and zipfile raise many kinds for a damaged file
        raise UserError(f"data file {str(path)!r} cannot be used: {first_line(error)}") from None
    return ImageData(images, labels, path.stem)


def check_unpacked(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        declared = sum(entry.file_size for entry in archive.infolist())
    if declared > MAX_BYTES:
        raise UserError(f"it unpacks to {declared:,} bytes; accepted: up to {MAX_BYTES:,}")


def _check_arrays(images: np.ndarray, labels: np.ndarray) -> None:
    if images.dtype != np.uint8:
        raise UserError(f"images are {images.dtype}; needed: uint8")
    if images.shape[1:] != (28, 28):
        raise UserError(f"images have the shape {images.shape}; needed: (N, 28, 28)")
    if len(images) == 0:
        raise UserError("it has no images; needed: at least one")
    if labels.shape != (len(images),):
        raise UserError(f"labels have the shape {labels.shape}; needed: ({len(images)},)")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > 9:
        raise UserError("labels are not whole numbers from 0 to 9")
