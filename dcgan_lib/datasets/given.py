"""Images in files of one's own: `.npz`, `.npy`, IDX. Whatever is plain is brought to one form."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

from dcgan_lib.datasets.arrays import MAX_BYTES, check_unpacked
from dcgan_lib.datasets.idx import idx_files, read_idx
from dcgan_lib.datasets.images import ImageData, Split, is_test
from dcgan_lib.datasets.ranges import as_pixels, value_range
from dcgan_lib.errors import UserError, first_line

SMALLEST = 8  # pixels

NAMES = {  # of arrays in an .npz, in small letters
    "x_train": "x_train train_images train_x images x data arr_0",
    "y_train": "y_train train_labels train_y labels y target targets arr_1",
    "x_test": "x_test test_images test_x arr_2",
    "y_test": "y_test test_labels test_y arr_3",
}


def load_given(path: Path, split: Split, few: int = 0, transpose: bool = False) -> ImageData:
    """Reads a file, or a folder of IDX files; see `dcgan_lib.load_images`.

    Args:
        few: of fewer images than this, without a test split of their own, none is made.
        transpose: exchanges rows and columns, as EMNIST's need it.
    """
    if not path.exists():
        raise UserError(f"data file {str(path)!r} does not exist")
    try:
        found = read_arrays(path)
        if f"x_{split}" not in found and "x_train" not in found:
            raise UserError(f"it has no images for the {split} split; needed: x_train, images, ...")
        images, labels, classes, derived = _split_of(found, split, few)
    except Exception as error:  # NumPy and zipfile raise many kinds for a damaged file
        raise UserError(f"data file {str(path)!r} cannot be used: {first_line(error)}") from None
    if transpose:
        images = np.ascontiguousarray(images.swapaxes(1, 2))
    elif "emnist" in path.resolve().as_posix().lower():
        print(
            "EMNIST's files hold each image with rows and columns exchanged: --transpose (in "
            "Python transpose=True) turns them",
            file=sys.stderr,
        )
    loaded = ImageData(images, labels, path.resolve().name.split(".")[0])
    height, width = images.shape[1:3]
    loaded.about = f"{height}x{width}, {'in colour' if images.ndim == 4 else 'grey'}" + derived
    return loaded.with_classes(classes)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of a file or of a folder of IDX files, named as in MNIST's `.npz`."""
    if path.suffix.lower() == ".npy":
        array = np.load(path, mmap_mode="r", allow_pickle=False)  # takes no memory yet
        if array.nbytes > MAX_BYTES:
            raise UserError(f"it holds {array.nbytes:,} bytes; accepted: up to {MAX_BYTES:,}")
        return {"x_train": np.array(array)}
    if path.suffix.lower() != ".npz":
        return {key: read_idx(file, MAX_BYTES) for key, file in idx_files(path).items()}
    check_unpacked(path)
    with np.load(path, allow_pickle=False) as arrays:
        there = {key.lower(): key for key in arrays}
        chosen = {
            key: next(there[name] for name in names.split() if name in there)
            for key, names in NAMES.items()
            if set(names.split()) & there.keys()
        }
        if "x_train" not in chosen:
            raise UserError(
                f"it has no x_train, nor images or X; it has: {', '.join(arrays) or 'nothing'}"
            )
        return {key: arrays[name] for key, name in chosen.items()}


def _split_of(
    found: dict[str, np.ndarray], split: Split, few: int
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...], str]:
    """Returns images, labels and class names of one split; and what is put aside for tests."""
    labels = {key: as_labels(found[key]) for key in ("y_train", "y_test") if key in found}
    classes: tuple[str, ...] = ()
    if any(array.dtype.kind == "U" for array in labels.values()):
        classes = tuple(sorted({str(word) for array in labels.values() for word in array}))
        labels = {key: np.searchsorted(classes, array) for key, array in labels.items()}
    if len(classes) > 256 or any(
        a.size and (a.min() < 0 or a.max() > 255) for a in labels.values()
    ):
        raise UserError("labels are not words, nor whole numbers from 0 to 255")
    whole, aside = f"x_{split}" in found and "x_test" in found, ""
    part = split if whole else "train"
    images = as_images(found[f"x_{part}"])
    answers = labels.get(f"y_{part}", np.zeros(len(images), np.uint8))
    if answers.shape != (len(images),):
        raise UserError(f"labels have the shape {answers.shape}; needed: ({len(images)},)")
    if not whole:  # every sixth, as in folders
        put_aside = is_test(len(images), few)
        chosen = put_aside == (split == "test")
        if not chosen.any():
            raise UserError(f"it has too few images, {len(images)}, for a {split} split")
        images, answers = images[chosen], answers[chosen]
        aside = f", {put_aside.sum()} put aside for tests" * any(put_aside)
    return images, answers, classes, aside


def as_labels(labels: np.ndarray) -> np.ndarray:
    """Returns labels (N,) of whole numbers or words, from these, (N, 1) or one-hot (N, classes)."""
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "iufb" and labels.size:
        if not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()):
            raise UserError(f"labels of the shape {labels.shape} are not one-hot")
        labels = labels.argmax(axis=1)
    if labels.dtype.kind == "f" and np.isin(labels, np.arange(256)).all():
        labels = labels.astype(np.int64)
    if labels.dtype.kind == "b":
        labels = labels.astype(np.uint8)
    if labels.dtype.kind not in "iuU" or labels.ndim != 1:
        raise UserError(f"labels are {labels.dtype} {labels.shape}; needed: (N,) from 0 to 255")
    return labels


def as_images(images: np.ndarray) -> np.ndarray:
    """Returns uint8 (N, H, W) or (N, H, W, 3), from any form and range that is plain.

    Raises:
        UserError: none of these: what was found and what is accepted.
    """
    if images.dtype.kind not in "biuf":
        raise UserError(f"images are {images.dtype}; needed: numbers")
    shape = images.shape
    if images.ndim == 2 and math.isqrt(shape[1]) ** 2 == shape[1]:
        images = images.reshape(len(images), *[math.isqrt(shape[1])] * 2)
    if images.ndim == 4 and shape[3] not in (1, 3) and shape[1] in (1, 3):
        images = np.moveaxis(images, 1, -1)  # channels came first
    good = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3))
    if not good or min(images.shape[1:3]) < SMALLEST:
        raise UserError(
            f"images have the shape {shape}; needed: (N, H, W), (N, H, W, 1 or 3), (N, 1 or 3, H, "
            f"W) or flat (N, S * S), of {SMALLEST} pixels or more"
        )
    if len(images) == 0:
        raise UserError("it has no images; needed: at least one")
    images = images[..., 0] if images.shape[3:] == (1,) else images
    return as_bytes(images)


def as_bytes(images: np.ndarray) -> np.ndarray:
    """Returns pixels as uint8, from any range that is clear; whole numbers up to 1 are masks.

    Raises:
        UserError: as `dcgan_lib.datasets.ranges.value_range`.
    """
    if images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise UserError("images hold values that are not finite numbers")
    whole = images.dtype.kind in "iu"
    if whole and images.min() >= 0 and images.max() <= 1:
        images = images.astype(bool)
    elif whole and value_range(images)[1] > 255:
        return (images // 257).astype(np.uint8)  # as a folder's pictures of 16 bits
    return np.rint(as_pixels(images)).clip(0, 255).astype(np.uint8)


def to_size(images: np.ndarray, size: int) -> np.ndarray:
    """Crops images to a centred square, and shrinks them to `size`, or pads smaller ones."""
    from PIL import Image

    pictures = [fit(Image.fromarray(image), size) for image in images]
    return np.stack([np.asarray(picture) for picture in pictures])


def fit(image, size: int):
    """Returns one picture of Pillow's, `size` wide and high; a smaller one gets wider edges."""
    from PIL import Image, ImageOps

    side = min(size, *image.size)
    image = ImageOps.fit(image, (side, side))
    if side == size:
        return image
    before = (size - side) // 2
    edges = [(before, size - side - before)] * 2 + [(0, 0)] * (len(image.getbands()) > 1)
    return Image.fromarray(np.pad(np.asarray(image), edges, mode="edge"))
