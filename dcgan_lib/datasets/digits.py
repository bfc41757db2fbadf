"""scikit-learn's handwritten digits in MNIST's format: real, and no network needed."""

from __future__ import annotations

import functools

import numpy as np

from dcgan_lib.datasets.images import ImageData, Split

TRAIN_DIGITS = 1500

COPIES = 8


@functools.cache
def load_digits(split: Split) -> ImageData:
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
    drawings = list(images)
    for _ in range(COPIES - 1):
        angles, shifts = draw.uniform(-8, 8, len(images)), draw.uniform(-1, 1, (len(images), 2))
        drawings.extend(map(_turn_and_shift, images, angles, shifts))
    return np.clip(drawings, 0.0, 1.0)


def _turn_and_shift(image: np.ndarray, angle: float, shift: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    return ndimage.shift(ndimage.rotate(image, angle, reshape=False, order=1), shift, order=1)
