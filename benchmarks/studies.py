"""The longer comparisons that notebooks 06 and 09 show.

    python benchmarks/studies.py ablations            trains what is not yet in studies/
    python benchmarks/studies.py tricks --seeds 0
    python benchmarks/studies.py side_by_side         fast, vanilla and a control, 400 steps
    python benchmarks/studies.py gan_vs_dcgan         vanilla for 60 epochs, fast for 20
    python benchmarks/studies.py ablations --publish  only gathers what is there

Each training runs in a process of its own, on one core, two at a time, and leaves a file in
benchmarks/studies/. The Fréchet distance is that of 10,000 samples to the 10,000 held-out images;
seconds are those of processor time in training alone. Other work does not count in them, but it
slows memory down: `load` (processes that wanted a core, mean of the last minute) says how much
there was. What is gathered goes into dcgan_lib/shelf/results/, which comes with the package.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from common import Marks, build_game, load_material, machine, measured

import dcgan_lib
from dcgan_lib.recipes import RECIPES, Recipe
from dcgan_lib.shelf.studies import RESULTS as PUBLISHED
from dcgan_lib.training import play

HERE = Path(__file__).parent
RESULTS = HERE / "studies"
SHUFFLED = "pixels shuffled"

DENSE = {
    "architecture": "dense",
    "generator_hidden": 0,
    "generator_widths": RECIPES["vanilla"].generator_widths,
    "generator_strides": (),
    "discriminator_hidden": 0,
    "discriminator_widths": RECIPES["vanilla"].discriminator_widths,
}
SIDE_BY_SIDE = {  # notebook 06: what do convolutions change, and what does locality?
    "fast": {},
    "vanilla": {"recipe": "vanilla", "steps": 800},  # in about the seconds of fast's 400
    "control": DENSE,
    f"fast, {SHUFFLED}": {},
    f"vanilla, {SHUFFLED}": {"recipe": "vanilla"},
    f"control, {SHUFFLED}": DENSE,
}
ABLATIONS = {  # notebook 06: one thing taken away from `fast` at a time
    "fast": {},
    "no convolutions": DENSE,
    "no hidden Dense": {"generator_hidden": 0, "discriminator_hidden": 0},
    "no BatchNorm in G": {"generator_batch_norm": False},
    "no BatchNorm in D": {"discriminator_batch_norm": False},
    "pooling in D": {"discriminator_pooling": True},
    "ReLU in D": {"discriminator_negative_slope": 0.0},
    "LeakyReLU in G": {"generator_negative_slope": 0.2},
    "G linear": {"generator_negative_slope": 1.0},
    "D linear": {"discriminator_negative_slope": 1.0},
}

TRICKS = {  # notebook 09: one thing added to `fast` at a time
    "fast": {},
    "one-sided smoothing 0.1": {"real_label_smoothing": 0.1},
    "two-sided smoothing 0.1": {"real_label_smoothing": 0.1, "fake_label_smoothing": 0.1},
    "noise 0.05": {"real_noise_stddev": 0.05},
    "noise 0.2": {"real_noise_stddev": 0.2},
    "cosine rates": {"g_schedule": "cosine", "d_schedule": "cosine"},
    "exponential rates": {"g_schedule": "exponential", "d_schedule": "exponential"},
    "equal rates 1.6e-3": {"g_learning_rate": 1.6e-3},
    "equal rates 4e-3": {"d_learning_rate": 4e-3},
    "rates turned round": {"g_learning_rate": 1.6e-3, "d_learning_rate": 4e-3},
    "no averaging": {"ema_decay": 0.0},
    "hinge": {"recipe": "hinge"},
    "spectral": {"recipe": "spectral"},
    "wgan_gp": {"recipe": "wgan_gp"},
    "conditional": {"recipe": "conditional"},
    **{
        f"p={p} k={k}": {"d_steps": p, "g_steps": k}
        for p, k in itertools.product((1, 2, 3), repeat=2)
        if p + k > 2
    },
}

STUDIES = {
    "side_by_side": SIDE_BY_SIDE,
    "ablations": ABLATIONS,
    "tricks": TRICKS,
    "gan_vs_dcgan": {"vanilla": {"recipe": "vanilla"}, "fast": {"steps": None, "epochs": 20}},
}
STEPS = {"side_by_side": 400, "ablations": 600, "tricks": 600}
MARKS = {
    "side_by_side": range(100, 801, 100),
    "ablations": (50, 100, 200, 300, 400, 500, 600),
    "tricks": (100, 200, 400, 600),
}
SHOWN_EPOCHS = (0, 1, 2, 4, 9, 19, 39, 59)  # counted from 0
SHOWN_STEPS = (400, 800)


def recipe_of(study: str, variant: str, seed: int) -> Recipe:
    changes = {"steps": STEPS[study]} if study in STEPS else {}
    changes |= STUDIES[study][variant] | {"seed": seed}
    return RECIPES[changes.pop("recipe", "fast")].replace(**changes)


def train(study: str, variant: str, seed: int) -> dict[str, Any]:
    """Trains one variant and measures it at some steps, or after each epoch.

    Pictures go into an `.npz` beside the result; nothing where there are none.
    """
    recipe = recipe_of(study, variant, seed)
    training_set, evaluator, real = load_material(recipe)
    from dcgan_lib.runs.folder import versions

    back = None
    if SHUFFLED in variant:
        order = np.random.Generator(np.random.Philox(key=6)).permutation(784)
        shuffled = training_set.images.reshape(-1, 784)[:, order].reshape(-1, 28, 28, 1)
        training_set, back = training_set._replace(images=shuffled), np.argsort(order)
    num_images = len(training_set.images)
    gan = build_game(recipe, num_images)
    network = gan.sampler if back is None else unshuffling(gan.sampler, back)
    latent = dcgan_lib.sample_latent(64, recipe.latent_dim, seed=0)
    fixed = dcgan_lib.generator_input(gan.sampler, latent)
    per_epoch = recipe.steps_per_epoch(num_images)
    pictures: dict[str, np.ndarray] = {}

    def drawn() -> np.ndarray:
        return dcgan_lib.unscale(network.predict(fixed, verbose=0))[..., 0]

    def due(step: int, seconds: float) -> bool:
        return step % per_epoch == 0 if recipe.epochs else step in MARKS[study]

    def look(step: int, logs: dict[str, float]) -> dict[str, Any]:
        epoch = step // per_epoch - 1
        if recipe.epochs and epoch in SHOWN_EPOCHS:
            pictures[f"{variant}, epoch {epoch}"] = drawn()
        if study == "side_by_side" and seed == 0 and step in SHOWN_STEPS:
            pictures[f"{variant}, step {step}"] = drawn()
        row = {"variant": variant, "seed": seed, "load": round(os.getloadavg()[0], 1)}
        losses = {name: round(float(logs[name]), 4) for name in ("d_loss", "g_loss")}
        return row | losses | measured(network, real, evaluator)

    marks = Marks(due, look, time.process_time)
    play(gan, recipe, training_set, [marks.callback()])
    if not pictures and seed == 0:
        pictures[variant] = drawn()
    if pictures:
        np.savez_compressed(result_file(study, variant, seed).with_suffix(".npz"), **pictures)
    return {
        "settings": dataclasses.asdict(recipe),
        "evaluator": evaluator.hash,
        "versions": versions(),
        "machine": machine() | {"cores": 1},
        "rows": marks.rows,
    }


def unshuffling(generator: Any, back: np.ndarray) -> Any:
    """Returns a generator that puts the shuffled pixels back into their places."""
    import keras

    layers = keras.layers
    put_back = layers.Lambda(lambda x: keras.ops.take(x, back, axis=1))
    reshape, flatten = layers.Reshape((28, 28, 1)), layers.Flatten()
    return keras.Sequential([keras.Input((100,)), generator, flatten, put_back, reshape])


def run_missing(study: str, seeds: list[int], only: list[str] | None) -> None:
    """Trains what has no result yet, on two cores at a time."""
    RESULTS.mkdir(exist_ok=True)
    waiting = [
        (variant, seed)
        for seed in seeds
        for variant in only or STUDIES[study]
        if not result_file(study, variant, seed).exists()
    ]
    free = [0, 1]

    def one(task: tuple[str, int]) -> None:
        core = free.pop()
        variant, seed = task
        command = [sys.executable, __file__, study, "--worker", variant, "--seeds", str(seed)]
        command = ["taskset", "-c", str(core), *command]
        threads = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | threads
        )
        result_file(study, variant, seed).write_text(done.stdout.splitlines()[-1] + "\n")
        free.append(core)
        print(f"{study}: {variant}, seed {seed}: done", flush=True)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, waiting))


def result_file(study: str, variant: str, seed: int) -> Path:
    plain = "".join(c if c.isalnum() or c in ".-" else "_" for c in variant)
    return RESULTS / f"{study}-{plain}-seed{seed}.json"


def publish(study: str) -> None:
    """Gathers all results of a study into the package, and the new pictures with those there."""
    rows, about = [], {}
    gathered = PUBLISHED / f"{study}.npz"
    pictures = dict(np.load(gathered, allow_pickle=False)) if gathered.exists() else {}
    for variant in STUDIES[study]:
        for file in sorted(RESULTS.glob(result_file(study, variant, 0).name[:-6] + "*.json")):
            result, drawn = json.loads(file.read_text()), file.with_suffix(".npz")
            rows += result["rows"]
            if drawn.exists():
                pictures |= np.load(drawn, allow_pickle=False)
                drawn.unlink()  # kept once, in the package
            about = {key: result[key] for key in ("evaluator", "versions", "machine")}
    about["command"] = f"python benchmarks/studies.py {study}"
    content = {"about": about, "settings": STUDIES[study], "rows": rows}
    (PUBLISHED / f"{study}.json").write_text(json.dumps(content, indent=0) + "\n")
    np.savez_compressed(gathered, **pictures)
    print(f"{study}: {len(rows)} rows, {len(pictures)} pictures")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="default 0 1 2")
    parser.add_argument("--only", nargs="+", metavar="VARIANT", help="of the study")
    parser.add_argument("--publish", action="store_true", help="train nothing")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(train(options.study, options.worker, options.seeds[0])))
        return
    if not options.publish:
        run_missing(options.study, options.seeds, options.only)
    publish(options.study)


if __name__ == "__main__":
    main()
