"""What the benchmarks share: data, a game, marks on its way, the evaluator's figures.

TensorFlow is loaded only where something is trained: some start a process for each training.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import dcgan_lib
from dcgan_lib.recipes import Recipe

if TYPE_CHECKING:
    import numpy as np

    from dcgan_lib import DCGAN, Evaluator, TrainingSet

COUNT = 10_000  # samples, and held-out images


class Material(NamedTuple):
    """MNIST as a recipe may train on it, and what measures the result."""

    training_set: TrainingSet
    evaluator: Evaluator
    real: np.ndarray  # features of the held-out images


def load_material(recipe: Recipe) -> Material:
    """Loads TensorFlow, the training images, and the held-out ones as the evaluator sees them."""
    dcgan_lib.import_tensorflow()
    training_set = dcgan_lib.load_training_set(recipe.replace(hold_out=COUNT), "mnist")
    evaluator = dcgan_lib.Evaluator()
    real, _ = evaluator(dcgan_lib.scale(training_set.held_out))
    return Material(training_set, evaluator, real)


def build_game(recipe: Recipe, *sizes: Any) -> DCGAN:
    """Builds a game as a training does: with the faster layers. `sizes` as in `TrainingSet`."""
    from dcgan_lib.engine.cpu_layers import hasten

    return hasten(dcgan_lib.build_gan(recipe, *sizes))


class Marks:
    """Looks at a training at some steps; the time that this takes does not count.

    Args:
        due: from a step and its seconds, whether to look.
        look: from a step and Keras's logs, what is seen; goes into a row with both.
        clock: what counts the seconds.
    """

    def __init__(
        self,
        due: Callable[[int, float], bool],
        look: Callable[[int, dict[str, float]], dict[str, Any]],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.due, self.look, self.clock = due, look, clock
        self.rows: list[dict[str, Any]] = []
        self.paused, self.step = 0.0, 0

    def callback(self) -> Any:
        import keras

        return keras.callbacks.LambdaCallback(on_train_batch_end=self.act)

    def act(self, batch: int, logs: Any = None) -> None:
        now = self.clock()
        self.step += 1
        if self.step == 1:  # it took the tracing
            self.first_step_at = self.begin = now
        seconds = now - self.begin
        if self.due(self.step, seconds):
            row = {"step": self.step, "seconds": round(seconds, 1)}
            self.rows.append(row | self.look(self.step, logs or {}))
            spent = self.clock() - now
            self.paused += spent
            self.begin += spent


def stopwatch() -> Any:
    """Returns a callback that times a `fit` from the end of its first step to that of its last.

    Its `clock` has seconds, and seconds of processor time.
    """
    import keras

    class Stopwatch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 0:
                self.begin = now()
            self.clock = since(self.begin)

    return Stopwatch()


Clock = tuple[float, float]


def now() -> Clock:
    return time.perf_counter(), time.process_time()


def since(begin: Clock) -> Clock:
    return tuple(b - a for a, b in zip(begin, now(), strict=True))


def measured(generator: Any, real: np.ndarray, evaluator: Evaluator) -> dict[str, Any]:
    """Fréchet distance of 10,000 samples; smallest and largest share of a class."""
    from dcgan_lib.measuring.report import draw_images

    features, probabilities = evaluator(draw_images(generator, COUNT, seed=77))
    classes = dcgan_lib.class_balance(probabilities)
    return {
        "frechet_distance": round(dcgan_lib.frechet_distance(real, features), 2),
        "modes": classes.modes,
        "smallest_class": min(classes.shares),
        "largest_class": max(classes.shares),
    }


def value(text: str) -> Any:
    """Reads `3`, `0.5`, `true`, `64,32` or a word."""
    if "," in text:
        return tuple(int(part) for part in text.split(",") if part)
    try:
        return json.loads(text)
    except ValueError:
        return text


def machine() -> dict[str, Any]:
    """What the seconds belong to."""
    cpus = Path("/proc/cpuinfo")
    flags = cpus.read_text().split() if cpus.exists() else []
    return {
        "cores": os.cpu_count(),
        "instructions": next((f for f in ("amx_bf16", "avx512f", "avx2") if f in flags), "?"),
        "held_to": os.environ.get("ONEDNN_MAX_CPU_ISA", "nothing"),
    }
