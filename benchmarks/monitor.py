"""The health monitor's share of the training time of `fast`, both in one process.

python benchmarks/monitor.py --looks 12
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import dcgan_lib

dcgan_lib.import_tensorflow()

from common import build_game

from dcgan_lib.data import load_images, scale, training_batches
from dcgan_lib.measuring.health import HealthMonitor
from dcgan_lib.recipes import RECIPES

EVERY = 20  # steps between two looks here; the share is then worked out for the monitor's own


class TimedMonitor(HealthMonitor):
    """Notes how long each look takes, and each stretch of steps between two looks."""

    def on_train_begin(self, logs: Any = None) -> None:
        super().on_train_begin(logs)
        self.looks: list[float] = []
        self.stretches: list[float] = []
        self.begin = time.perf_counter()

    def act(self) -> None:
        begin = time.perf_counter()
        super().act()
        self.looks.append(time.perf_counter() - begin)
        self.stretches.append(begin - self.begin)
        self.begin = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--looks", type=int, default=12)
    looks = parser.parse_args().looks
    images, recipe = load_images().images, RECIPES["fast"]
    monitor = TimedMonitor(scale(images[: HealthMonitor.IMAGES]), every=EVERY, verbose=False)
    gan = build_game(recipe, len(images))
    batches = training_batches(images, recipe.batch_size)
    steps = EVERY * (looks + 1)
    gan.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[monitor])
    # The first stretch holds the tracing, the first look loads the evaluator.
    look = statistics.median(monitor.looks[1:])
    step = statistics.median(monitor.stretches[1:]) / EVERY
    every = HealthMonitor(monitor.images, verbose=False).every
    print(f"a look {1000 * look:.0f} ms, a step {1000 * step:.0f} ms; first look ", end="")
    print(
        f"{1000 * monitor.looks[0]:.0f} ms; a look every {every} steps: {look / step / every:.2%}"
    )


if __name__ == "__main__":
    main()
