"""Every recipe measured: how good after 1, 5 and 15 minutes, and at its own end.

    python benchmarks/scoreboard.py --pace                  times a step of each recipe, once
    python benchmarks/scoreboard.py fast --seeds 0 1 2      trains and scores what is missing
    python benchmarks/scoreboard.py tutorial --epochs 50    further than 15 minutes

How far a recipe comes in a minute depends on what else the machine does. So the pace of all
recipes is measured side by side in one process, and a mark is a number of steps: a training may
share the machine, be stopped and go on (the same command), and ends with the same score. The pace
is that of the training alone, with its data stream and the watch for NaN: start-up, samples,
measuring and checkpoints are left out.

Each training is an ordinary run in runs/scoreboard/. On the way the generator is put aside, and
scored afterwards: 10,000 samples against the 10,000 held-out images, at the marks also against
the test images, with both evaluators. The scoring too may be stopped and goes on. Each result is a
file in benchmarks/scoreboard/.
"""

from __future__ import annotations

import argparse
import json
import math
import signal
from pathlib import Path
from typing import Any

import dcgan_lib

dcgan_lib.import_tensorflow()

import keras
import numpy as np
import tensorflow as tf
from common import COUNT, build_game, machine, stopwatch
from scoreboard_report import MARKS, PACE, RESULTS, pace_of

from dcgan_lib.building import build_networks
from dcgan_lib.data import load_training_set, training_batches
from dcgan_lib.measuring.divergence import StopOnNonFinite
from dcgan_lib.measuring.evaluator import HOLD_OUT, Evaluator
from dcgan_lib.measuring.metrics import (
    class_balance,
    frechet_distance,
    precision_recall_density_coverage,
)
from dcgan_lib.measuring.report import References, draw_images, known_baselines, load_references
from dcgan_lib.plots import read_log
from dcgan_lib.recipes import RECIPES, Recipe, get_recipe
from dcgan_lib.runs.files import atomic_path, write_json
from dcgan_lib.runs.folder import FINISHED, versions
from dcgan_lib.runs.progress import progress_bar
from dcgan_lib.runs.signals import TrainingInterrupted
from dcgan_lib.training import train_dcgan_mnist

HERE = Path(__file__).parent
RUNS = HERE.parent / "runs" / "scoreboard"
TRAINED_ON = 60_000 - HOLD_OUT
REFERENCE = "hinge"
AVERAGE = 0.999  # for the recipes that draw from G itself: an average is kept beside it


# --- seconds: the pace of every recipe, side by side


def measure_pace(names: list[str], rounds: int = 15, seconds: float = 1.5) -> None:
    """Times a step of each recipe in turn, several rounds, and writes the fastest of each.

    The fastest, because whatever else the machine does can only make a step longer. Recipes that
    are timed later are measured against `hinge`, whose pace stays as it was.
    """
    known = json.loads(PACE.read_text()) if PACE.exists() else {"milliseconds_per_step": {}}
    tf.config.experimental.enable_op_determinism()  # as in every training
    tf.get_logger().setLevel("ERROR")  # the watch for NaN is traced again in each call of fit
    games = {name: Game(RECIPES[name]) for name in dict.fromkeys([REFERENCE, *names])}
    found = dict.fromkeys(games, math.inf)
    bar = progress_bar(rounds, "round")
    for _ in range(rounds):
        for name, game in games.items():
            found[name] = min(found[name], game.milliseconds(seconds))
        bar.add(1)
    paces = known["milliseconds_per_step"]
    unit = paces.setdefault(REFERENCE, found[REFERENCE]) / found[REFERENCE]
    paces |= {name: round(unit * milliseconds, 2) for name, milliseconds in found.items()}
    write_json(PACE, {"milliseconds_per_step": paces, "machine": machine(), "versions": versions()})


class Game:
    """A recipe ready to be timed."""

    def __init__(self, recipe: Recipe) -> None:
        data = load_training_set(recipe, "mnist")
        self.gan = build_game(recipe, *data.sizes)
        self.batches = training_batches(data.images, recipe.batch_size, labels=data.labels)
        self.play(10)  # it takes the tracing
        self.pace = self.play(10)

    def play(self, steps: int) -> float:
        """Plays some steps after one that is not timed; returns the milliseconds of one."""
        watch = stopwatch()
        self.gan.fit(
            self.batches,
            steps_per_epoch=steps + 1,
            shuffle=False,
            verbose=0,
            callbacks=[StopOnNonFinite(), watch],
        )
        return 1000 * watch.clock[0] / steps

    def milliseconds(self, seconds: float) -> float:
        self.pace = self.play(max(5, int(1000 * seconds / self.pace)))
        return self.pace


def moments(recipe: Recipe, last: int) -> list[int]:
    """The steps, up to `last`, at which the generator is put aside.

    These are the marks, moments that lie ever further apart from two seconds on, and for recipes
    of many epochs each epoch's end (at most a hundred of them).
    """
    pace, total = pace_of(recipe.name), recipe.total_steps(TRAINED_ON)
    growing = [2 * 1.4**i for i in range(30)]
    steps = {round(seconds / pace) for seconds in (*MARKS, *growing)}
    if recipe.epochs:
        count = min(recipe.epochs, 100)
        steps |= {total * i // count for i in range(1, count + 1)}
    return sorted({min(step, last) for step in steps})


# --- one training


class PutAside(keras.callbacks.Callback):
    """Keeps the generator at some steps, and stops the run after the last of them."""

    def __init__(self, folder: Path, steps: list[int], recipe: Recipe) -> None:
        super().__init__()
        self.folder, self.steps, self.kinds = folder, steps, kinds(recipe)
        self.total, self.ended = recipe.total_steps(TRAINED_ON), False

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        step = int(self.model.step.numpy())
        if step in self.steps:
            self.keep(step)
        self.ended = step >= self.steps[-1]
        if self.ended and step < self.total:
            signal.raise_signal(signal.SIGTERM)  # saves a checkpoint, so that more can follow

    def keep(self, step: int) -> None:
        self.folder.mkdir(exist_ok=True)
        networks = {"itself": self.model.generator, "averaged": self.model.sampler}
        weights = {
            f"{kind}{i:03d}": weight
            for kind in self.kinds
            for i, weight in enumerate(networks[kind].get_weights())
        }
        path = aside(self.folder, step)
        score_of(path).unlink(missing_ok=True)  # of other weights, from before the run began again
        with atomic_path(path) as temporary:
            np.savez(temporary, **weights)


def kinds(recipe: Recipe) -> list[str]:
    """What is scored: the generator that the recipe draws from, then what is kept beside it."""
    return ["averaged"] if recipe.ema_decay else ["itself", "averaged"]


def aside(folder: Path, step: int) -> Path:
    return folder / f"{step:08d}.npz"


def score_of(path: Path) -> Path:
    """Where the score of a generator that was put aside is kept."""
    return path.with_suffix(".json")


def train(recipe: Recipe, steps: list[int]) -> Path:
    """Trains to the last of `steps`; returns the folder of the generators put aside."""
    run = RUNS / f"{recipe.name}-s{recipe.seed}"
    keeping = PutAside(run / "aside", steps, recipe)
    averaged = recipe if recipe.ema_decay else recipe.replace(ema_decay=AVERAGE)
    if not (aside(keeping.folder, steps[-1]).exists() or (run / FINISHED).exists()):
        try:
            train_dcgan_mnist(averaged, run, "mnist", callbacks=[keeping])
        except TrainingInterrupted:
            if not keeping.ended:  # somebody wants to stop
                raise
    return keeping.folder


# --- its score


class Evaluators:
    """Both evaluators, and what they see in real images."""

    def __init__(self) -> None:
        self.references: References = load_references("mnist")
        self.evaluators = [Evaluator("primary"), Evaluator("second")]
        self.test = [evaluator(self.references.test)[0] for evaluator in self.evaluators]
        self.held_out, _ = self.evaluators[0](self.references.validation)
        known = [
            known_baselines(evaluator, self.references, COUNT) for evaluator in self.evaluators
        ]
        self.floors = [baselines["floor"] for baselines in known]

    def curve(self, images: np.ndarray) -> float:
        """The Fréchet distance to the held-out images."""
        features, _ = self.evaluators[0](images)
        return round(frechet_distance(self.held_out, features), 2)

    def report(self, images: np.ndarray) -> dict[str, Any]:
        """What both evaluators say, against the test images."""
        return {
            evaluator.name: figures_of(evaluator, real, floor, images)
            for evaluator, real, floor in zip(self.evaluators, self.test, self.floors, strict=True)
        }


def figures_of(
    evaluator: Evaluator, real: np.ndarray, floor: dict[str, Any], images: np.ndarray
) -> dict[str, Any]:
    """What one evaluator says of images, beside what real images reach."""
    features, probabilities = evaluator(images)
    coverage = precision_recall_density_coverage(real, features).coverage
    return {
        "frechet_distance": round(frechet_distance(real, features), 2),
        "floor": round(floor["frechet_distance"], 2),
        "coverage": round(coverage, 4),
        "coverage_floor": round(floor["coverage"], 4),
        "modes": class_balance(probabilities).modes,
    }


def score(recipe: Recipe, folder: Path, both: Evaluators) -> dict[str, Any]:
    """Scores what was put aside: the whole curve, and more exactly at the marks and the end."""
    steps = sorted(int(path.stem) for path in folder.glob("*.npz"))
    exactly = {steps[-1], *(nearest(steps, mark / pace_of(recipe.name)) for mark in MARKS)}
    curve, reports = [], {}
    bar = progress_bar(len(steps), "generator")
    for step in steps:
        found = score_one(recipe, aside(folder, step), both, step in exactly)
        curve.append({"step": step, **found["curve"]})
        if step in exactly:
            reports[step] = found["report"]
        bar.add(1)
    return {"drawn_from": kinds(recipe)[0], "curve": curve, "reports": reports}


def score_one(recipe: Recipe, path: Path, both: Evaluators, exactly: bool) -> dict[str, Any]:
    """Scores a generator that was put aside, and keeps that beside it: it takes seconds."""
    kept, hashes = score_of(path), [evaluator.hash for evaluator in both.evaluators]
    found = json.loads(kept.read_text()) if kept.exists() else {}
    if found.get("evaluators") == hashes and (not exactly or "report" in found):
        return found
    drawn = {kind: draw(recipe, path, kind) for kind in kinds(recipe)}
    found = {"evaluators": hashes}
    found["curve"] = {kind: both.curve(images) for kind, images in drawn.items()}
    if exactly:
        found["report"] = {kind: both.report(images) for kind, images in drawn.items()}
    write_json(kept, found)
    return found


def nearest(steps: list[int], wanted: float) -> int:
    """The step put aside that lies next to a mark: the pace may have been measured again since."""
    return min(steps, key=lambda step: abs(step - wanted))


def epoch_means(log: dict[str, np.ndarray], per_epoch: int) -> dict[str, list[float]]:
    """Losses and accuracies of a run's log, averaged over each epoch."""
    epoch = np.ceil(log["step"] / per_epoch)
    return {
        name: [round(float(log[name][epoch == i].mean()), 4) for i in np.unique(epoch)]
        for name in ("d_loss", "g_loss", "d_accuracy_real", "d_accuracy_fake")
    }


def draw(recipe: Recipe, path: Path, kind: str) -> np.ndarray:
    """Draws 10,000 images from a generator that was put aside."""
    generator, _ = build_networks(recipe)
    with np.load(path, allow_pickle=False) as saved:
        generator.set_weights([saved[key] for key in sorted(saved.files) if key.startswith(kind)])
    return draw_images(generator, COUNT)


def run_missing(recipes: list[Recipe], minutes: float, epochs: int | None) -> None:
    """Trains and scores what has no result of that length yet, and writes each at once."""
    both = Evaluators()
    for recipe in recipes:
        total = recipe.total_steps(TRAINED_ON)
        last = min(total, round(60 * minutes / pace_of(recipe.name)))
        if epochs:
            last = min(total, epochs * recipe.steps_per_epoch(TRAINED_ON))
        target = RESULTS / f"{recipe.name}-s{recipe.seed}.json"
        if target.exists() and json.loads(target.read_text())["curve"][-1]["step"] >= last:
            print(f"{target.name} is there already", flush=True)
            continue
        print(f"{recipe.name}, seed {recipe.seed}, {last} of {total} steps", flush=True)
        folder = train(recipe, moments(recipe, last))
        about = {
            "recipe": recipe.name,
            "seed": recipe.seed,
            "total_steps": total,
            "evaluators": {evaluator.name: evaluator.hash for evaluator in both.evaluators},
            "versions": versions(),
            "machine": machine(),
        }
        if recipe.epochs:
            log = read_log(folder.parent / "log.csv")
            about["by_epoch"] = epoch_means(log, recipe.steps_per_epoch(TRAINED_ON))
        write_json(target, about | score(recipe, folder, both))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="recipe", help=", ".join(RECIPES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=15, help="of training; default 15")
    parser.add_argument("--epochs", type=int, help="in place of minutes")
    parser.add_argument("--pace", action="store_true", help="only time a step of each recipe")
    options = parser.parse_intermixed_args()
    recipes = [get_recipe(name, seed=s) for s in options.seeds for name in options.names]
    RESULTS.mkdir(exist_ok=True)
    if options.pace:
        measure_pace(options.names or list(RECIPES))
    else:
        run_missing(recipes, options.minutes, options.epochs)


if __name__ == "__main__":
    main()
