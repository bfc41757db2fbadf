"""What every source of images returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

TEST_EVERY = 6

Split = Literal["train", "test"]


class _ImageData(NamedTuple):
    images: np.ndarray
    labels: np.ndarray
    name: str


class ImageData(_ImageData):
    """Images, their labels, and the name of where they came from: a tuple of these three.

    Attributes:
        classes: what the labels 0, 1, ... stand for; empty where they speak for themselves.
        about: what has been done to one's own images; empty for others.
    """

    classes: tuple[str, ...] = ()
    about: str = ""

    def with_classes(self, classes: Sequence[str]) -> ImageData:
        """Returns the same, with the names of its classes."""
        named = ImageData(*self)
        named.classes, named.about = tuple(classes), self.about
        return named


def is_test(count: int, few: int = 0) -> np.ndarray:
    """Marks every sixth of `count` images for the test split; none of fewer than `few`."""
    return (np.arange(count) % TEST_EVERY == TEST_EVERY - 1) & (count >= few)
