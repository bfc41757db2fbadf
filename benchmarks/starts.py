"""What share of starts fails: a recipe's first steps from many seeds, one line each.

python benchmarks/starts.py --recipe fast --data mnist --images 500 --seeds 0 50
python benchmarks/starts.py --data digits minibatch_stddev=false generator_output_scale=1.0
python benchmarks/starts.py --shares

A start has failed if all its samples are alike, or like no real image: if they spread less than a
tenth as far as real images, or if their Fréchet distance is above 400 and above four times the
median of all seeds. (300 steps are early: a start that lives has 100 to 300.) The last columns are
what the run's own guard would see at steps 50, 100, 150 and 200: spread and distance of 64 samples.
With --keep the results go into starts.json, which the README cites.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

from readme import put

RESULTS = Path(__file__).with_suffix(".json")
SAMPLES = 2000
ALIKE, FAR = 0.1, 400.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", default="fast")
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--images", type=int, help="use only the first N")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rates", type=float, default=1.0, help="multiplies both learning rates")
    parser.add_argument("--seeds", type=int, nargs=2, default=(0, 20), metavar=("FIRST", "END"))
    parser.add_argument("--keep", metavar="NAME", help="add the results to starts.json, so named")
    parser.add_argument("--shares", action="store_true", help="only write the README's table")
    parser.add_argument("settings", nargs="*", help="of the recipe, as beta_2=0.99")
    given = parser.parse_args()
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    if given.shares:
        put("starts", table(kept))
        return
    found = {}
    for seed, measured, signs in starts(given):
        found[str(seed)] = measured
        print(f"seed {seed}: distance {measured[0]:.1f}, spread {measured[1]:.3f} | {signs}")
        if given.keep:
            kept.setdefault(given.keep, {}).update(found)
            RESULTS.write_text(json.dumps(kept, indent=0) + "\n")
    print(f"failed: {share(found)}: {failed(found)}")


def failed(found: dict[str, list[float]]) -> list[str]:
    """Returns the seeds whose starts have failed, of (distance, spread) by seed."""
    far = max(FAR, 4 * statistics.median(distance for distance, _ in found.values()))
    return [seed for seed, (away, spread) in found.items() if away > far or spread < ALIKE]


def share(found: dict[str, list[float]]) -> str:
    return f"{len(failed(found))} of {len(found)}"


def table(kept: dict[str, dict[str, list[float]]]) -> str:
    rows = [
        f"| {name} | {share(found)} | {statistics.median(d for d, _ in found.values()):.0f} |"
        for name, found in kept.items()
    ]
    return "\n".join(
        ["| the first 300 steps of | failed | median distance |", "| --- | ---: | ---: |", *rows]
    )


def starts(given: argparse.Namespace) -> Any:
    """Yields, for each seed, (Fréchet distance, spread) at the end, and the guard's signs."""
    import dcgan_lib

    dcgan_lib.import_tensorflow()
    from common import build_game, value

    from dcgan_lib import frechet_distance, load_training_set, scale
    from dcgan_lib.measuring.report import draw_images
    from dcgan_lib.measuring.starts import StartGuard

    class Looks(StartGuard):
        """Measures what the guard would see, and ends the training with the start."""

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if self.step % 50 == 0 and self.step <= 200:
                signs.append("{:.3f}/{:.2f}".format(*self.look()))
            # Not by a shorter recipe: its rates would fall sooner.
            self.model.stop_training = self.step >= given.steps

    settings = {name: value(word) for name, word in (item.split("=") for item in given.settings)}
    recipe = dcgan_lib.get_recipe(given.recipe, **settings)
    rates = {f"{p}_learning_rate": getattr(recipe, f"{p}_learning_rate") for p in "gd"}
    recipe = recipe.replace(**{name: rate * given.rates for name, rate in rates.items()})
    training_set = load_training_set(recipe, given.data, given.images)
    enough = len(training_set.held_out) >= SAMPLES
    real = scale(training_set.held_out if enough else training_set.images)[:SAMPLES]
    evaluator = dcgan_lib.Evaluator()
    features, _ = evaluator(real)
    for seed in range(*given.seeds):
        signs: list[str] = []
        seeded = recipe.replace(seed=seed)
        gan = build_game(seeded, *training_set.sizes)
        dcgan_lib.play(gan, seeded, training_set, [Looks(training_set)])
        fake = draw_images(gan.sampler, SAMPLES, seed=77)
        distance = round(frechet_distance(features, evaluator(fake)[0]), 1)
        spread = round(float(fake.std(axis=0).mean() / real.std(axis=0).mean()), 3)
        yield seed, [distance, spread], " ".join(signs)


if __name__ == "__main__":
    main()
