"""Weights as plain arrays in half precision, which any version of Keras can take."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

WEIGHTS = Path(__file__).parent / "weights"


def read_weights(path: str | Path) -> list[np.ndarray]:
    """Reads what `write_weights` wrote: float16 arrays in the order of Keras's `get_weights`."""
    with np.load(path, allow_pickle=False) as saved:
        return [saved[key] for key in sorted(saved.files)]


def write_weights(path: str | Path, weights: list[np.ndarray]) -> None:
    """Writes weights in half precision."""
    arrays = {f"{i:02d}": weight.astype(np.float16) for i, weight in enumerate(weights)}
    np.savez_compressed(path, **arrays)


def weights_hash(weights: list[np.ndarray]) -> str:
    """Twelve hexadecimal digits of SHA-256 over the arrays."""
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(str(weight.shape).encode() + np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:12]
