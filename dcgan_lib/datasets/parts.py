"""What of a dataset is trained on, and what is put aside."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dcgan_lib.datasets import DATASETS, load_images
from dcgan_lib.datasets.images import ImageData
from dcgan_lib.datasets.own import load_folder
from dcgan_lib.datasets.sources import PART
from dcgan_lib.errors import UserError

DIGITS = tuple("0123456789")


class Parts(NamedTuple):
    """The parts of a dataset.

    Attributes:
        images, labels: what is trained on.
        held_out: images that are put aside.
        classes: what the labels 0, 1, ... stand for.
        source: the record of where all this came from.
    """

    images: np.ndarray
    labels: np.ndarray
    held_out: np.ndarray
    classes: tuple[str, ...]
    source: dict[str, Any]


def hold_out_indices(num_images: int, hold_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Splits `range(num_images)` into training and validation indices, always the same.

    Of fewer than 60,000 images at most a sixth is held out.

    Returns:
        Two sorted int arrays: what may be trained on, and what is held out.
    """
    order = np.random.Generator(np.random.Philox(key=2026)).permutation(num_images)
    count = min(hold_out, num_images // 6)
    return np.sort(order[count:]), np.sort(order[:count])


def load_parts(
    data: str, hold_out: int, max_images: int | None = None, known: dict[str, Any] | None = None
) -> Parts:
    """Loads what may be trained on, and puts aside what may not.

    Args:
        data: as in `load_images`.
        hold_out: how many images to put aside; as in `hold_out_indices`.
        max_images: use only the first N of the others.
        known: the source in the record of a run that is resumed. Own folders were once read in
            another order: if that gives the images of the record, so they are read again.

    Raises:
        UserError: as `load_images`.
    """
    ten = bool(known) and "classes" not in known  # there were ten for everything
    parts = _divided(load_images(data, "train"), data, hold_out, max_images, ten)
    wanted = known["hash"] if known else parts.source["hash"]
    if wanted != parts.source["hash"] and data not in DATASETS and Path(data).is_dir():
        with contextlib.suppress(UserError):
            loaded = load_folder(Path(data), "train", formerly=True)
            formerly = _divided(loaded, data, hold_out, max_images, ten)
            parts = formerly if formerly.source["hash"] == wanted else parts
    return parts


def _divided(
    loaded: ImageData, data: str, hold_out: int, max_images: int | None, ten: bool
) -> Parts:
    if loaded.name == PART.stem and data in DATASETS:  # its test split has been put aside for this
        allowed, held_out = np.arange(len(loaded.images)), load_images(PART.stem, "test").images
        held_out = held_out[:hold_out]
    else:
        allowed, indices = hold_out_indices(len(loaded.images), hold_out)
        held_out = loaded.images[indices]
    images = loaded.images[allowed[:max_images]]
    source = {
        "source": loaded.name if data in DATASETS else str(Path(data).resolve()),
        "name": loaded.name,
        "images": len(images),
        "max_images": max_images,
        "hash": data_hash(images),
    }
    labels = loaded.labels[allowed[:max_images]]
    if ten:
        return Parts(images, labels, held_out, DIGITS, source)
    present = np.unique(loaded.labels)
    labels = np.searchsorted(present, labels)
    classes = tuple(loaded.classes[i] if loaded.classes else str(i) for i in present)
    return Parts(images, labels, held_out, classes, source)


def data_hash(images: np.ndarray) -> str:
    """Twelve hexadecimal digits that change whenever the images, or their order, do."""
    digest = hashlib.sha256(str(images.shape).encode())
    digest.update(np.ascontiguousarray(images))
    return digest.hexdigest()[:12]
