"""Images to learn from: MNIST, or real handwritten digits that need no network.

Taught in notebook 01.
"""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from dcgan_lib.errors import UserError, first_line

if TYPE_CHECKING:
    import tensorflow as tf

DATASETS = ("auto", "mnist", "digits")
Split = Literal["train", "test"]
KEYS = ("x_train", "y_train", "x_test", "y_test")
MAX_BYTES = 4 * 2**30  # an array that declares more than this is refused before it is read


class ImageData(NamedTuple):
    """Images, their labels, and the name of where they came from."""

    images: np.ndarray
    labels: np.ndarray
    name: str


def load_images(name: str = "auto", split: Split = "train") -> ImageData:
    """Loads 28x28 grey images of digits and their labels.

    Args:
        name: `mnist`; `digits` (scikit-learn's, no network needed); the path of an `.npz`
            file with x_train, y_train, x_test, y_test; or `auto`: MNIST if it can be
            reached, else, with a notice, the digits. The variable `DCGAN_DATA` names a file
            to use for `mnist` and `auto`.
        split: `train` or `test`.

    Returns:
        `ImageData(images, labels, name)`: uint8 images (N, 28, 28) from 0 (paper) to
        255 (ink), labels (N,) from 0 to 9.

    Raises:
        UserError: an unknown name, a bad file, or a dataset that cannot be reached.

    Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits" (1998).
    Taught in notebook 01.
    """
    if split not in ("train", "test"):
        raise UserError(f"unknown split {split!r}; known: train, test")
    if name.endswith(".npz"):
        return _load_file(Path(name), split)
    if name not in DATASETS:
        raise UserError(f"unknown data {name!r}; known: {', '.join(DATASETS)}, or an .npz file")
    if name == "digits":
        return _load_digits(split)
    if os.environ.get("DCGAN_DATA"):
        return _load_file(Path(os.environ["DCGAN_DATA"]), split)._replace(name="mnist")
    try:
        return _download_mnist(split)
    except Exception as error:  # whatever Keras raises when the host is out of reach
        reason = first_line(error)
        if name == "mnist":
            raise UserError(
                f"MNIST cannot be reached ({reason}). Set DCGAN_DATA to an mnist.npz file, "
                "or use the data 'digits', which need no network"
            ) from None
        _notice_fallback(reason)
        return _load_digits(split)


def scale(images: np.ndarray) -> np.ndarray:
    """Turns uint8 (N, H, W) or (N, H, W, C) into float32 (N, H, W, C) in [-1, 1].

    That is the range of the generator's tanh. Taught in notebook 01.
    """
    scaled = images.astype(np.float32) / 127.5 - 1.0
    return scaled[..., np.newaxis] if images.ndim == 3 else scaled


def unscale(images: np.ndarray) -> np.ndarray:
    """Turns floats in [-1, 1] into uint8 from 0 to 255: the inverse of `scale`.

    Values outside are clipped; the shape stays.
    """
    return np.clip(np.rint((np.asarray(images) + 1.0) * 127.5), 0, 255).astype(np.uint8)


def hold_out_indices(num_images: int, hold_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Splits `range(num_images)` into training and validation indices, always the same.

    Of fewer than 60,000 images at most a sixth is held out.

    Returns:
        Two sorted int arrays: what may be trained on, and what judges.
    """
    order = np.random.Generator(np.random.Philox(key=2026)).permutation(num_images)
    count = min(hold_out, num_images // 6)
    return np.sort(order[count:]), np.sort(order[:count])


def training_batches(
    images: np.ndarray, batch_size: int, seed: int = 0, first_step: int = 0
) -> tf.data.Dataset:
    """An endless stream of shuffled batches, each a pure function of (seed, step).

    Every epoch is a new order drawn from (seed, epoch); its last batch may be smaller.

    Args:
        images: uint8 (N, H, W) or (N, H, W, C).
        first_step: where in the stream to begin, so that a resumed run sees what it would
            have seen.

    Yields:
        float32 (up to `batch_size`, H, W, C) in [-1, 1].

    Raises:
        UserError: no images, or a batch larger than the dataset.

    Taught in notebook 01.
    """
    import tensorflow as tf

    check_batch_size(len(images), batch_size)
    steps_per_epoch = -(-len(images) // batch_size)
    first_epoch, skip = divmod(first_step, steps_per_epoch)
    pixels = tf.constant(images if images.ndim == 4 else images[..., np.newaxis])

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(images)), seed=tf.stack([tf.cast(seed, tf.int64), epoch])
        )
        batches = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
        return batches.skip(skip) if epoch == first_epoch else batches

    def look_up(indices: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.gather(pixels, indices), tf.float32) / 127.5 - 1.0

    epochs = tf.data.Dataset.range(first_epoch, 2**31, output_type=tf.int64)
    return epochs.flat_map(one_epoch).map(look_up).prefetch(4)


def check_batch_size(num_images: int, batch_size: int) -> None:
    """Raises UserError for an empty dataset or a batch larger than it."""
    if num_images == 0:
        raise UserError("the dataset is empty; at least one image is needed")
    if batch_size > num_images:
        raise UserError(
            f"batch_size={batch_size} is larger than the dataset; accepted: up to {num_images}"
        )


def data_hash(images: np.ndarray) -> str:
    """Twelve hexadecimal digits that change whenever the images, or their order, do."""
    digest = hashlib.sha256(str(images.shape).encode())
    digest.update(np.ascontiguousarray(images))
    return digest.hexdigest()[:12]


def _download_mnist(split: Split) -> ImageData:
    import keras

    (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    images, labels = (x_train, y_train) if split == "train" else (x_test, y_test)
    return ImageData(images, labels, "mnist")


def _notice_fallback(reason: str) -> None:
    lines = (
        "MNIST cannot be reached: using scikit-learn's handwritten digits instead.",
        "They are real, but fewer and simpler. For MNIST, connect to the internet",
        "or set DCGAN_DATA to an mnist.npz file.",
        f"({reason[:90]})",
    )
    bar = "!" * 80
    print("\n".join((bar, *(f"!! {line}" for line in lines), bar)), file=sys.stderr)


def _load_file(path: Path, split: Split) -> ImageData:
    if not path.is_file():
        raise UserError(f"data file {str(path)!r} does not exist; needed: an .npz with {KEYS}")
    try:
        _check_sizes(path)
        with np.load(path, allow_pickle=False) as arrays:
            missing = [key for key in KEYS if key not in arrays]
            if missing:
                raise UserError(f"it has no {', '.join(missing)}; needed: {', '.join(KEYS)}")
            images, labels = arrays[f"x_{split}"], arrays[f"y_{split}"]
        _check_arrays(images, labels)
    except Exception as error:  # NumPy and zipfile raise many kinds for a damaged file
        raise UserError(f"data file {str(path)!r} cannot be used: {first_line(error)}") from None
    return ImageData(images, labels, path.stem)


def _check_sizes(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        declared = sum(entry.file_size for entry in archive.infolist())
    if declared > MAX_BYTES:
        raise UserError(f"it unpacks to {declared:,} bytes; accepted: up to {MAX_BYTES:,}")


def _check_arrays(images: np.ndarray, labels: np.ndarray) -> None:
    if images.dtype != np.uint8:
        raise UserError(f"images are {images.dtype}; needed: uint8")
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        raise UserError(f"images have the shape {images.shape}; needed: (N, 28, 28)")
    if len(images) == 0:
        raise UserError("it has no images; needed: at least one")
    if labels.shape != (len(images),):
        raise UserError(f"labels have the shape {labels.shape}; needed: ({len(images)},)")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > 9:
        raise UserError("labels are not whole numbers from 0 to 9")


TRAIN_DIGITS = 1500
COPIES = 8


@functools.cache
def _load_digits(split: Split) -> ImageData:
    from sklearn.datasets import load_digits

    digits = load_digits()
    part = slice(TRAIN_DIGITS) if split == "train" else slice(TRAIN_DIGITS, None)
    small, labels = digits.images[part] / 16.0, digits.target[part].astype(np.uint8)
    large = _enlarge(small)
    if split == "train":
        large, labels = _stretch(large), np.tile(labels, COPIES)
    return ImageData(np.rint(large * 255).astype(np.uint8), labels, "digits")


def _enlarge(small: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    large = ndimage.zoom(small, (1, 25 / 8, 25 / 8), order=3)
    crisp = np.clip((large - 0.35) / 0.35, 0.0, 1.0)
    return np.pad(crisp, ((0, 0), (1, 2), (1, 2)))


def _stretch(images: np.ndarray) -> np.ndarray:
    """Adds small shifts and rotations: 1,500 drawings are too few to learn from."""
    draw = np.random.Generator(np.random.Philox(key=1797))
    copies = [images]
    for _ in range(COPIES - 1):
        angles, shifts = draw.uniform(-8, 8, len(images)), draw.uniform(-1, 1, (len(images), 2))
        moves = zip(images, angles, shifts, strict=True)
        copies.append(np.stack([_turn_and_shift(*move) for move in moves]))
    return np.clip(np.concatenate(copies), 0.0, 1.0)


def _turn_and_shift(image: np.ndarray, angle: float, shift: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    return ndimage.shift(ndimage.rotate(image, angle, reshape=False, order=1), shift, order=1)
