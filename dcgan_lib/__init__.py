"""A DCGAN on MNIST, step by step: the thin library behind the notebooks.

`import dcgan_lib` is quick: TensorFlow is loaded when a name that needs it is first used.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from typing import Any

_HOMES = {
    "errors": ["UserError"],
    "recipes": ["RECIPES", "Recipe", "get_recipe"],
    "data": ["load_images", "scale", "training_batches", "unscale"],
    "plots": ["make_gif", "plot_images", "plot_losses", "plot_quality"],
    "networks": ["build_discriminator", "build_generator"],
    "losses": ["BinaryCrossentropyLoss", "GANLoss"],
    "latent": ["interpolate", "sample_latent"],
    "gan": ["DCGAN"],
    "evaluator": ["Evaluator"],
    "callbacks": ["GenerateSamplesCallback", "QualityCallback"],
    "health": ["HealthMonitor", "plot_health"],
    "evaluation": ["evaluate", "report_table"],
    "pretrained": ["load_pretrained", "model_card"],
    "studies": ["load_study"],
    "training": ["load_generator", "train_dcgan_mnist"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_WITHOUT_TENSORFLOW = ("errors", "recipes", "data", "plots", "latent", "studies")

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'dcgan_lib' has no attribute {name!r}")
    home = _HOME_OF[name]
    if home not in _WITHOUT_TENSORFLOW:
        import_tensorflow()
    value = getattr(importlib.import_module(f"dcgan_lib.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


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
