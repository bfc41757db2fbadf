"""Tries one variation of a recipe, and appends what came out to search.jsonl.

    python benchmarks/search.py "wider G" generator_widths=96,48 --steps 600
    python benchmarks/search.py "wider G" generator_widths=96,48 --seconds 60 --seed 1

The judge is the frozen primary evaluator on the 10,000 held-out images; test images are not
looked at. A number of steps gives the same result on a busy machine. Given seconds, the length is
found by timing the first steps, so that learning-rate schedules end with the time.
benchmarks/LOG.md says what was expected and what came out.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import dcgan_lib

dcgan_lib.import_tensorflow()

import keras
import numpy as np
from bench import COUNT, judged, value

from dcgan_lib.data import hold_out_indices, load_images, scale, training_batches
from dcgan_lib.evaluator import Evaluator
from dcgan_lib.latent import one_hot
from dcgan_lib.recipes import Recipe, get_recipe
from dcgan_lib.training import build_gan

RESULTS = Path(__file__).parent / "search.jsonl"


def milliseconds_per_step(recipe: Recipe, images: np.ndarray, labels: np.ndarray | None) -> float:
    """Times 60 steps after the first 20."""
    gan = build_gan(recipe, len(images))
    batches = training_batches(images, recipe.batch_size, labels=labels)
    gan.fit(batches, steps_per_epoch=20, epochs=1, shuffle=False, verbose=0)
    begin = time.perf_counter()
    gan.fit(batches, steps_per_epoch=60, epochs=1, shuffle=False, verbose=0)
    return 1000 * (time.perf_counter() - begin) / 60


class Marks(keras.callbacks.Callback):
    """Judges the generator at some steps; that time does not count."""

    def __init__(self, steps: list[int], real: np.ndarray, judge: Evaluator) -> None:
        super().__init__()
        self.steps, self.real, self.judge = steps, real, judge
        self.begin, self.rows = time.perf_counter(), []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        step = int(self.model.step.numpy())
        if step not in self.steps:
            return
        now = time.perf_counter()
        row = {"step": step, "seconds": round(now - self.begin, 1)}
        self.rows.append(row | judged(self.model.sampler, self.real, self.judge))
        print(self.rows[-1], flush=True)
        self.begin += time.perf_counter() - now


def try_recipe(recipe: Recipe, seconds: float, steps: int | None, count: int = 3) -> dict[str, Any]:
    """Trains for so many steps or seconds, and judges `count` times on the way."""
    data = load_images("mnist", "train")
    images = data.images
    train, held_out = hold_out_indices(len(images), COUNT)
    labels = one_hot(data.labels[train]) if recipe.conditional else None
    judge = Evaluator()
    real, _ = judge(scale(images[held_out]))
    pace = milliseconds_per_step(recipe, images[train], labels)
    total = steps or int(1000 * seconds / pace)
    gan = build_gan(recipe.replace(steps=total), len(train))
    marks = Marks([total * (i + 1) // count for i in range(count)], real, judge)
    batches = training_batches(images[train], recipe.batch_size, recipe.seed, labels=labels)
    gan.fit(batches, steps_per_epoch=total, shuffle=False, verbose=0, callbacks=[marks])
    return {"pace_ms": round(pace, 1), "evaluator": judge.hash, "marks": marks.rows}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("idea")
    parser.add_argument("changes", nargs="*", help="name=value")
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--steps", type=int, help="in place of seconds")
    parser.add_argument("--judge", type=int, default=3, help="times; default 3")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_intermixed_args()
    changes = {name: value(text) for name, text in (c.split("=") for c in options.changes)}
    recipe = get_recipe(options.recipe, seed=options.seed, **changes)
    result = try_recipe(recipe, options.seconds, options.steps, options.judge)
    row = {"idea": options.idea, "recipe": options.recipe, "seed": options.seed} | changes | result
    with RESULTS.open("a") as file:
        file.write(json.dumps(row) + "\n")
    last = result["marks"][-1]
    curve = [mark["frechet_distance"] for mark in result["marks"]]
    print(
        options.idea, result["pace_ms"], "ms", curve, last["smallest_class"], last["largest_class"]
    )
