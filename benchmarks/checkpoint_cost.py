"""What checkpoints, and the watch for NaN, take of the training time of a recipe: one process.

python benchmarks/checkpoint_cost.py --saves 12 --recipe fast
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dcgan_lib

dcgan_lib.import_tensorflow()

import keras
from common import build_game

from dcgan_lib.data import load_images, training_batches
from dcgan_lib.measuring.divergence import StopOnNonFinite
from dcgan_lib.recipes import RECIPES
from dcgan_lib.runs.checkpoints import Checkpoints
from dcgan_lib.runs.saving import SaveCheckpoints

EVERY = 20  # steps between two saves here; the share is then worked out for the library's own


class Stopwatch(keras.callbacks.Callback):
    """Times each step, and then each save and each look for NaN, which it makes itself."""

    def __init__(self, checkpoints: Checkpoints) -> None:
        super().__init__()
        self.checkpoints, self.watch = checkpoints, StopOnNonFinite()
        self.steps: list[float] = []
        self.looks: list[float] = []
        self.saves: list[float] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.watch.set_model(self.model)
        self.watch.on_train_begin()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.begin = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.steps.append(time.perf_counter() - self.begin)
        self.looks.append(seconds(lambda: self.watch.on_train_batch_end(batch, logs)))
        if (batch + 1) % EVERY == 0:
            self.saves.append(seconds(lambda: self.checkpoints.save(self.model, {})))


def seconds(act: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--saves", type=int, default=12)
    parser.add_argument("--recipe", choices=RECIPES, default="fast")
    options = parser.parse_args()
    images, recipe = load_images().images, RECIPES[options.recipe]
    gan = build_game(recipe, len(images))
    with tempfile.TemporaryDirectory(dir=".") as folder:  # on the disk that runs are written to
        checkpoints = Checkpoints(folder)
        watch = Stopwatch(checkpoints)
        batches = training_batches(images, recipe.batch_size)
        steps = EVERY * options.saves
        gan.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[watch])
        size = next(Path(folder).iterdir()).stat().st_size
    # The first of each holds the tracing.
    step, look, save = (
        statistics.median(times[1:]) for times in (watch.steps, watch.looks, watch.saves)
    )
    every = SaveCheckpoints.EVERY_SECONDS
    print(
        f"{recipe.name}: a save {1000 * save:.0f} ms ({size / 1e6:.1f} MB), one in {every:.0f} s: "
        f"{save / every:.2%}; a step {1000 * step:.1f} ms, a look for NaN {1000 * look:.2f} ms: "
        f"{look / step:.2%}"
    )


if __name__ == "__main__":
    main()
