"""What every source of images returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

Split = Literal["train", "test"]


class _ImageData(NamedTuple):
    images: np.ndarray
    labels: np.ndarray
    name: str


class ImageData(_ImageData):
    """Images, their labels, and the name of where they came from: a tuple of these three.

    Attributes:
        classes: what the labels 0, 1, ... stand for; empty where they speak for themselves.
    """

    classes: tuple[str, ...] = ()

    def with_classes(self, classes: Sequence[str]) -> ImageData:
        """Returns the same, with the names of its classes."""
        named = ImageData(*self)
        named.classes = tuple(classes)
        return named
