"""IDX files: the form in which MNIST, Fashion-MNIST, KMNIST and EMNIST are given out."""

from __future__ import annotations

import gzip
import math
import re
import struct
from pathlib import Path

import numpy as np

from dcgan_lib.errors import UserError

KINDS = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}

NAMED = re.compile(r"(.*?)(train|t10k|test)-(images|labels)[-.]idx[13]-ubyte(\.gz)?", re.IGNORECASE)


def read_idx(path: Path, most: int) -> np.ndarray:
    """Reads one IDX file, packed by gzip or not.

    Raises:
        UserError: another kind of file, one that is cut off, or more than `most` bytes.
    """
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with (gzip.open if packed else open)(path, "rb") as file:
        start = file.read(4)
        if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in KINDS:
            raise UserError("it is neither an IDX file nor named .npz or .npy")
        shape = struct.unpack(f">{start[3]}I", file.read(4 * start[3]))
        kind = np.dtype(KINDS[start[2]])
        size = math.prod(shape) * kind.itemsize
        if size > most:
            raise UserError(f"it unpacks to {size:,} bytes; accepted: up to {most:,}")
        content = file.read(size)
    if len(content) < size:
        raise UserError(f"it is cut off: {len(content):,} of {size:,} bytes are there")
    return np.frombuffer(content, kind).reshape(shape)


def idx_files(place: Path) -> dict[str, Path]:
    """Returns the files that belong together, by the names of the arrays in MNIST's `.npz`.

    Args:
        place: a folder, or one of the files.

    Raises:
        UserError: a folder that holds several sets.
    """
    folder = place if place.is_dir() else place.parent
    sets: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.glob("*idx[13]-ubyte*")):
        if (match := NAMED.fullmatch(path.name)) and path.is_file():
            split = "train" if match[2].lower() == "train" else "test"
            key = ("x_" if match[3].lower() == "images" else "y_") + split
            sets.setdefault(match[1], {}).setdefault(key, path)
    sets = {name: files for name, files in sets.items() if {"x_train", "x_test"} & files.keys()}
    if place.is_file():
        whole = [files for files in sets.values() if place in files.values()]
        return whole[0] if whole else {"x_train": place}
    if len(sets) > 1:
        given = [next(iter(files.values())).name for files in sets.values()]
        raise UserError(f"{str(place)!r} holds several sets; give a file: {', '.join(given)}")
    return next(iter(sets.values()), {})
