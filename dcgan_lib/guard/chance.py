"""What Keras keeps for a whole process, or thread, while layers are made: seed and precision."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import keras

LOCK = threading.RLock()


@contextlib.contextmanager
def drawing_alone(seed: int | None = None) -> Iterator[None]:
    """Keeps other trainings of this process from making layers meanwhile.

    Each layer with random weights draws a number from Python's own generator, which all threads
    share, even where its weights are loaded afterwards. Whoever makes layers does it in here.

    Args:
        seed: that the drawing begins with; by default it goes on from where it is.
    """
    with LOCK:
        if seed is not None:
            keras.utils.set_random_seed(seed)
        yield


@contextlib.contextmanager
def layer_precision(policy: str) -> Iterator[None]:
    """Layers built meanwhile compute with this Keras dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
