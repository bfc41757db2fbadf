"""TensorFlow, loaded without its chatter."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


def import_tensorflow() -> None:
    """Loads TensorFlow without the start-up lines that its C++ code writes past Python."""
    # 3: with op determinism, each `predict` else warns in red. Real errors come as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules:
        with _quiet_stderr():
            import tensorflow as tf

            tf.config.list_physical_devices()
            if "TF_CONFIG" not in os.environ:  # several machines must find it not yet begun
                tf.zeros(1)
        # On CPUs this pass fails on LeakyReLU after a bias, and says so in red at every trace.
        tf.config.optimizer.set_experimental_options({"remapping": False})


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    saved = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
