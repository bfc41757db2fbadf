"""Which numbers images are made of: told by their type, and by how far they reach."""

from __future__ import annotations

import numpy as np

from dcgan_lib.errors import UserError

ACCEPTED = (
    "bool, uint8, uint16, whole numbers up to 255 or 65535, floats in [0, 1], [-1, 1] or [0, 255]"
)

ROUNDING = 1e-3  # floats may reach so far beyond the ends of their range


def value_range(images: np.ndarray) -> tuple[float, float]:
    """Returns which numbers stand for black and for white.

    What could mean two things is refused, such as floats up to 2, or uint16 up to 4,095.

    Raises:
        UserError: another type or range, or floats that are not finite.
    """
    if images.dtype == np.uint8 or images.size == 0:
        return 0.0, 255.0
    if images.dtype == bool:
        return 0.0, 1.0
    if images.dtype.kind not in "iuf":
        raise UserError(f"images are {images.dtype}; accepted: {ACCEPTED}")
    low, high = float(images.min()), float(images.max())
    ranges = {
        (0.0, 1.0): images.dtype.kind == "f",
        (-1.0, 1.0): images.dtype.kind == "f" and max(-low, high) > 0.51,  # not x / 255 - 0.5
        (0.0, 255.0): high != 1 and (images.dtype.kind != "f" or high > 16),  # not x / 127.5
        (0.0, 65535.0): images.dtype.kind in "iu" and high > 2**14,  # not 12 bits
    }
    for (black, white), clear in ranges.items():
        if clear and low >= black - ROUNDING and high <= white + ROUNDING:
            return black, white
    raise UserError(f"images ({images.dtype}) go from {low:g} to {high:g}; accepted: {ACCEPTED}")


def as_pixels(images: np.ndarray) -> np.ndarray:
    """Returns uint8 images as they are, and others as float32 from 0 (black) to 255 (white).

    Raises:
        UserError: as `value_range`.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8:
        return images
    black, white = value_range(images)
    return (images.astype(np.float32) - black) * np.float32(255.0 / (white - black))


def as_drawn(images: np.ndarray) -> np.ndarray:
    """Returns images to be shown as uint8: floats that a generator may draw are in [-1, 1].

    Floats that reach from 0 to 1 are real images in that range: no generator leaves out all that
    is dark.

    Raises:
        UserError: as `value_range`, but values below -1 are clipped.
    """
    images = np.asarray(images)
    floats = images.dtype.kind == "f" and images.size
    if floats and (images.min() < 0.0 or images.min() == images.max() <= 1.0):
        pixels = (images + 1.0) * 127.5
    else:
        pixels = as_pixels(images)
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
