"""What of a dataset is trained on, and what is put aside."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dcgan_lib.datasets import DATASETS, load_for_training, load_images
from dcgan_lib.datasets.images import ImageData
from dcgan_lib.datasets.own import load_folder
from dcgan_lib.datasets.sources import PART
from dcgan_lib.errors import UserError

DIGITS = tuple("0123456789")

HOLD_OUT = 10_000

ENOUGH = 2000  # kept out, to measure quality during a training

FEW = 500  # own images; of fewer, none is put aside unless that is asked for


class Parts(NamedTuple):
    """The parts of a dataset.

    Attributes:
        images, labels: what is trained on.
        held_out: images that are put aside.
        classes: what the labels 0, 1, ... stand for.
        source: the record of where all this came from.
        about: what has been done to one's own images, in a line; empty for others.
    """

    images: np.ndarray
    labels: np.ndarray
    held_out: np.ndarray
    classes: tuple[str, ...]
    source: dict[str, Any]
    about: str


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
    data: str,
    hold_out: int = HOLD_OUT,
    max_images: int | None = None,
    known: dict[str, Any] | None = None,
    named: bool = False,
    **reading: Any,
) -> Parts:
    """Loads what may be trained on, and puts aside what may not.

    Args:
        data: as in `load_images`.
        hold_out: how many images to put aside, as in `hold_out_indices`. The default stands for
            none of fewer than 500 of one's own.
        max_images: use only the first N of the others; `load_training_set` has looked at it.
        known: the source in the record of a run that is resumed. Own images were once read in
            another order, and more of them put aside: if that gives the images of the record, so
            they are read again.
        named: record the names of the classes, unless they are the ten digits.
        reading: `image_size` and `transpose`, as in `load_images`.

    Raises:
        UserError: as `load_images`.
    """
    ten = bool(known) and "classes" not in known  # there were ten for everything
    reading = {name: value for name, value in reading.items() if value}
    loaded = load_for_training(data, few=FEW, **reading)
    none = len(loaded.images) < FEW and data not in DATASETS and hold_out == HOLD_OUT
    parts = _divided(loaded, data, 0 if none else hold_out, max_images, ten, reading)
    wanted = known["hash"] if known else parts.source["hash"]
    if wanted != parts.source["hash"] and data not in DATASETS and not reading:
        with contextlib.suppress(UserError):
            before = _divided(_formerly(data), data, hold_out, max_images, ten, reading)
            parts = before if before.source["hash"] == wanted else parts
    if named and parts.classes != DIGITS:
        parts.source["classes"] = list(parts.classes)
    return parts


def _formerly(data: str) -> ImageData:
    path = Path(data)
    return load_folder(path, "train", formerly=True) if path.is_dir() else load_images(data)


def _divided(
    loaded: ImageData,
    data: str,
    hold_out: int,
    max_images: int | None,
    ten: bool,
    reading: dict[str, Any],
) -> Parts:
    if loaded.name == PART.stem and data in DATASETS:  # its test split has been put aside for this
        held_out = load_images(PART.stem, "test", **reading).images[:hold_out]
        allowed = np.arange(len(loaded.images))
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
        **reading,
    }
    about = f"{loaded.name}: {loaded.about}; {len(held_out)} kept out for scores"
    if images.shape[1:] == (28, 28) and len(held_out) < ENOUGH:
        about += f" (a quality curve is left out: it needs {ENOUGH})"
    about = f"{about}, {len(images)} to train on" if loaded.about else ""
    labels = loaded.labels[allowed[:max_images]]
    if ten:
        return Parts(images, labels, held_out, DIGITS, source, about)
    present = np.unique(loaded.labels)
    labels = np.searchsorted(present, labels)
    classes = tuple(loaded.classes[i] if loaded.classes else str(i) for i in present)
    return Parts(images, labels, held_out, classes, source, about)


def data_hash(images: np.ndarray) -> str:
    """Twelve hexadecimal digits that change whenever the images, or their order, do."""
    digest = hashlib.sha256(str(images.shape).encode())
    digest.update(np.ascontiguousarray(images))
    return digest.hexdigest()[:12]


def check_batch_size(num_images: int, batch_size: int) -> None:
    """Raises UserError for an empty dataset, an empty batch, or a batch larger than the dataset."""
    if num_images == 0:
        raise UserError("the dataset is empty; at least one image is needed")
    if batch_size < 1:
        raise UserError(f"batch_size={batch_size} is impossible; accepted: a number above 0")
    if batch_size > num_images:
        raise UserError(
            f"batch_size={batch_size} is larger than the dataset; accepted: up to {num_images} "
            f"(--batch-size {num_images})"
        )
