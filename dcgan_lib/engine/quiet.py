"""TensorFlow, loaded without its chatter."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from dcgan_lib.errors import UserError

NEEDED = {"backend": "tensorflow", "image_data_format": "channels_last", "floatx": "float32"}


def import_tensorflow() -> None:
    """Loads TensorFlow without the start-up lines that its C++ code writes past Python.

    Raises:
        UserError: a Keras that was set to something else than TensorFlow and its pictures.
    """
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
    check_keras()


def check_keras() -> None:
    """Raises UserError unless Keras's own settings are those that this library is written for."""
    file = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"), "keras.json")
    change = f"{str(file)!r} (or the variable KERAS_BACKEND)"
    try:
        from keras import config
    except ImportError as error:  # another backend, which is not installed
        raise UserError(f"Keras: {error}; needed: the backend tensorflow in {change}") from None
    for name, needed in NEEDED.items():
        if (found := getattr(config, name)()) != needed:
            raise UserError(f"Keras has {name}={found}; needed: {name}={needed} in {change}")


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
