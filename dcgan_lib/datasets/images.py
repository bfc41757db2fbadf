"""What every source of images returns."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

Split = Literal["train", "test"]


class ImageData(NamedTuple):
    """Images, their labels, and the name of where they came from."""

    images: np.ndarray
    labels: np.ndarray
    name: str
