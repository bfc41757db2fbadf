"""What share of starts dies: a recipe's first steps from many seeds, one line each.

python benchmarks/starts.py --recipe fast --data mnist --images 500 --seeds 0 50

A start is dead if all its samples are alike, or like no real image: if they spread less than a
tenth as far as real images, or if their Fréchet distance is above 400 and above four times the
median of all seeds. (300 steps are early: a start that lives has 100 to 300.)
"""

from __future__ import annotations

import argparse
import statistics

import dcgan_lib

dcgan_lib.import_tensorflow()

import numpy as np
from common import build_game, value

from dcgan_lib.data import load_training_set, scale, training_batches
from dcgan_lib.measuring.report import draw_images
from dcgan_lib.recipes import RECIPES, Recipe

SAMPLES = 2000
ALIKE, FAR = 0.1, 400.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="fast", choices=RECIPES)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--images", type=int, help="use only the first N")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 20), metavar=("FIRST", "END"))
    parser.add_argument("settings", nargs="*", help="of the recipe, as beta_2=0.99")
    given = parser.parse_args()
    settings = {name: value(word) for name, word in (item.split("=") for item in given.settings)}
    recipe = RECIPES[given.recipe].replace(**settings)
    training_set = load_training_set(recipe, given.data, given.images)
    pictures = training_set.held_out if len(training_set.held_out) >= SAMPLES else None
    real = scale(training_set.images if pictures is None else pictures)[:SAMPLES]
    evaluator = dcgan_lib.Evaluator()
    features, _ = evaluator(real)
    found = {}
    for seed in range(*given.seeds):
        fake = start(recipe.replace(seed=seed), training_set, given.steps)
        distance = dcgan_lib.frechet_distance(features, evaluator(fake)[0])
        found[seed] = distance, float(fake.std(axis=0).mean() / real.std(axis=0).mean())
        print(f"seed {seed}: distance {distance:.1f}, spread {found[seed][1]:.3f}", flush=True)
    far = max(FAR, 4 * statistics.median(distance for distance, _ in found.values()))
    dead = [seed for seed, (distance, spread) in found.items() if distance > far or spread < ALIKE]
    print(f"dead: {len(dead)} of {len(found)}: {dead}")


def start(recipe: Recipe, training_set: dcgan_lib.TrainingSet, steps: int) -> np.ndarray:
    """Plays the first steps and returns samples of the averaged generator."""
    images, labels = training_set.images, training_set.labels
    gan = build_game(recipe, len(images))
    batches = training_batches(images, recipe.batch_size, recipe.seed, labels=labels)
    gan.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
    return draw_images(gan.sampler, SAMPLES, seed=77)


if __name__ == "__main__":
    main()
