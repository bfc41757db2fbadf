"""Tries one variation of a recipe, and appends what came out to search.jsonl.

    python benchmarks/search.py "wider G" generator_widths=96,48 --steps 600
    python benchmarks/search.py "wider G" generator_widths=96,48 --seconds 60 --seed 1

It is measured by the frozen primary evaluator on the 10,000 held-out images; test images are not
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

import numpy as np
from common import Marks, build_game, load_material, measured, value

from dcgan_lib.data import training_batches
from dcgan_lib.recipes import Recipe, get_recipe
from dcgan_lib.training import play

RESULTS = Path(__file__).parent / "search.jsonl"


def milliseconds_per_step(recipe: Recipe, images: np.ndarray, labels: np.ndarray | None) -> float:
    """Times 60 steps after the first 20."""
    gan = build_game(recipe, len(images))
    batches = training_batches(images, recipe.batch_size, labels=labels)
    gan.fit(batches, steps_per_epoch=20, epochs=1, shuffle=False, verbose=0)
    begin = time.perf_counter()
    gan.fit(batches, steps_per_epoch=60, epochs=1, shuffle=False, verbose=0)
    return 1000 * (time.perf_counter() - begin) / 60


def try_recipe(recipe: Recipe, seconds: float, steps: int | None, count: int = 3) -> dict[str, Any]:
    """Trains for some steps or seconds, and measures `count` times on the way."""
    training_set, evaluator, real = load_material(recipe)
    images, labels = training_set.images, training_set.labels
    pace = milliseconds_per_step(recipe, images, labels)
    total = steps or int(1000 * seconds / pace)
    recipe = recipe.replace(steps=total)
    gan = build_game(recipe, len(images))
    wanted = [total * (i + 1) // count for i in range(count)]
    marks = Marks(
        lambda step, seconds: step in wanted,
        lambda step, logs: measured(gan.sampler, real, evaluator),
    )
    play(gan, recipe, training_set, [marks.callback()])
    return {"pace_ms": round(pace, 1), "evaluator": evaluator.hash, "marks": marks.rows}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("idea")
    parser.add_argument("changes", nargs="*", help="name=value")
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--steps", type=int, help="in place of seconds")
    parser.add_argument("--looks", type=int, default=3, help="default 3")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_intermixed_args()
    changes = {name: value(text) for name, text in (c.split("=") for c in options.changes)}
    recipe = get_recipe(options.recipe, seed=options.seed, **changes)
    result = try_recipe(recipe, options.seconds, options.steps, options.looks)
    row = {"idea": options.idea, "recipe": options.recipe, "seed": options.seed} | changes | result
    with RESULTS.open("a") as file:
        file.write(json.dumps(row) + "\n")
    last = result["marks"][-1]
    curve = [mark["frechet_distance"] for mark in result["marks"]]
    print(
        options.idea, result["pace_ms"], "ms", curve, last["smallest_class"], last["largest_class"]
    )
