"""Quality against seconds of training, for chosen recipes.

    python benchmarks/bench.py fast small --seconds 60      trains what is not yet in results/
    python benchmarks/bench.py tutorial --seconds 900 --seeds 0
    python benchmarks/bench.py tutorial --steps 1900        as many steps, whatever they take
    python benchmarks/bench.py fast --set precision=mixed_bfloat16
    python benchmarks/bench.py                              only the table and the plot

Each training runs in a process of its own and leaves a file in benchmarks/results/. The clock
counts training alone: start-up (import, data, networks, tracing) and measuring are told apart. The
curve is measured on the 10,000 held-out images; the test images are looked at once, at the end.
"""

from __future__ import annotations

import time

BEGIN = time.perf_counter()

import argparse
import dataclasses
import json
import math
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from common import Marks, build_game, load_material, machine, measured, value

import dcgan_lib
from dcgan_lib.recipes import RECIPES, Recipe

HERE = Path(__file__).parent
RESULTS = HERE / "results"
TABLE, PLOT = HERE / "bench.json", HERE / "bench.png"
MARKS = (5, 10, 15, 20, 30, 40, 50, 60, 90, 120, 180, 240, 300, 450, 600, 750, 900)

# The small setting that the search began with. A yardstick: it stays as it is.
SMALL = Recipe(
    name="small",
    generator_hidden=0,
    discriminator_hidden=0,
    generator_widths=(64, 32),
    discriminator_widths=(32, 64),
    simultaneous=False,
    batch_size=64,
    g_learning_rate=1e-3,
    d_learning_rate=4e-4,
    beta_1=0.5,
    ema_decay=0.99,
    steps=100_000,
)
CHOICES = RECIPES | {"small": SMALL}


# --- one training, in its own process


def train(name: str, seed: int, seconds: float, changes: dict[str, Any]) -> dict[str, Any]:
    """Trains a recipe for `seconds`, or to its own end, and returns what came out.

    With `steps` among the changes it is measured at fifteen moments evenly spread over them.
    """
    dcgan_lib.import_tensorflow()
    from dcgan_lib.runs.folder import versions

    imported = time.perf_counter()
    recipe = CHOICES[name].replace(seed=seed, **changes)
    (images, *_), evaluator, real = load_material(recipe)
    loaded = time.perf_counter()
    gan = build_game(recipe, len(images))
    steps = recipe.total_steps(len(images))
    every = steps // 15 if "steps" in changes else 0
    waiting = [mark for mark in MARKS if mark < seconds] + [seconds]
    busy = time.process_time()

    def due(step: int, now: float) -> bool:
        return step == steps or (step % every == 0 if every else now >= waiting[0])

    def look(step: int, logs: dict[str, float]) -> dict[str, Any]:
        nonlocal busy
        elapsed = time.perf_counter() - marks.begin
        waiting[:] = [mark for mark in waiting if mark > elapsed]
        gan.stop_training = not waiting
        cores = round((time.process_time() - busy) / max(elapsed, 1e-9), 2)
        begin = time.process_time()
        row = {"images": step * recipe.batch_size, "cores_busy": cores}
        row |= measured(gan.sampler, real, evaluator)
        busy += time.process_time() - begin
        return row

    marks = Marks(due, look)
    batches = dcgan_lib.training_batches(images, recipe.batch_size, seed)
    gan.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[marks.callback()])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    test, _ = evaluator(dcgan_lib.scale(dcgan_lib.load_images("mnist", "test").images))
    return {
        "recipe": name,
        "settings": dataclasses.asdict(recipe),
        "evaluator": evaluator.hash,
        "versions": versions(),
        "machine": machine(),
        "import_seconds": round(imported - BEGIN, 1),
        "data_and_judge_seconds": round(loaded - imported, 1),
        "build_and_trace_seconds": round(marks.first_step_at - loaded, 1),
        "judging_seconds": round(marks.paused, 1),
        "images_per_second": round(marks.rows[-1]["images"] / marks.rows[-1]["seconds"]),
        "peak_mib": round(peak),
        "marks": marks.rows,
        "test_frechet_distance": measured(gan.sampler, test, evaluator)["frechet_distance"],
    }


# --- all of them, table and plot


def run_missing(names: list[str], seeds: list[int], seconds: float, changes: list[str]) -> None:
    """Trains, each in a new process, what has no result yet."""
    isa = os.environ.get("ONEDNN_MAX_CPU_ISA", "")
    label = "-".join(filter(None, ["", isa.lower(), *changes]))
    label = f"-{label}" if label else ""
    RESULTS.mkdir(exist_ok=True)
    for seed in seeds:
        for name in names:
            length = "" if "steps=" in label else f"-{seconds:g}s"
            target = RESULTS / f"{name}{label}{length}-seed{seed}.json"
            if target.exists():
                print(f"{target.name} is there already")
                continue
            print(f"training {name}{label}, seed {seed}, {seconds:g} s", flush=True)
            command = [sys.executable, __file__, name, "--seconds", str(seconds), "--worker"]
            command += ["--seeds", str(seed), "--set", *changes]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            target.write_text(done.stdout.splitlines()[-1] + "\n")


def groups() -> dict[str, list[dict[str, Any]]]:
    """Returns all results, those that differ in the seed alone together."""
    found: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(RESULTS.glob("*.json")):
        found.setdefault(file.stem.rpartition("-seed")[0], []).append(json.loads(file.read_text()))
    return found


def medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """The middle of the last marks, the best Fréchet distance on the way, and the costs."""
    last = [run["marks"][-1] for run in runs]
    best = [min(mark["frechet_distance"] for mark in run["marks"]) for run in runs]
    row = {"seeds": len(runs), "best_frechet_distance": statistics.median(best)}
    for name in runs[0]:
        if name.endswith(("_seconds", "_second", "_mib")) or name == "test_frechet_distance":
            row[name] = statistics.median(run[name] for run in runs)
    return row | {name: statistics.median(mark[name] for mark in last) for name in last[0]}


def print_table(rows: dict[str, dict[str, Any]]) -> None:
    columns = (
        "seeds seconds step frechet_distance best_frechet_distance test_frechet_distance "
        "smallest_class largest_class images_per_second peak_mib import_seconds "
        "build_and_trace_seconds judging_seconds cores_busy"
    ).split()
    print("\n| |", " | ".join(column.replace("_", " ") for column in columns), "|")
    print("|---|" + "---|" * len(columns))
    for name, row in rows.items():
        print(f"| {name} |", " | ".join(f"{row[column]:g}" for column in columns), "|")


def plot(results: dict[str, list[dict[str, Any]]]) -> None:
    """Draws each run's curve; runs of one group share a colour.

    Those of so many steps are left out: they may have run on a busy machine.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(8, 5), layout="constrained")
    timed = {name: runs for name, runs in results.items() if "steps=" not in name}
    for i, (group, runs) in enumerate(timed.items()):
        for run in runs:
            x = [mark["seconds"] for mark in run["marks"]]
            y = [mark["frechet_distance"] for mark in run["marks"]]
            label = group if run is runs[0] else None
            axis.plot(x, y, marker=".", color=f"C{i}", label=label, alpha=0.8)
    axis.set(xscale="log", yscale="log", xlabel="seconds of training on two cores")
    longest = axis.get_xlim()[1]
    ticks = [tick for tick in (5, 10, 20, 30, 60, 120, 300, 900) if tick <= longest]
    axis.set_xticks(ticks, map(str, ticks))
    axis.minorticks_off()
    axis.set_ylabel("Fréchet distance to 10,000 held-out images\n(lower is better)")
    axis.set_title("Quality against time, a line for each seed")
    axis.grid(alpha=0.25, which="both")
    axis.legend(fontsize=9)
    figure.savefig(PLOT, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="recipe", help=", ".join(CHOICES))
    parser.add_argument("--seconds", type=float, default=60, help="of training; default 60")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="default 0 1 2")
    parser.add_argument("--set", nargs="*", default=[], metavar="name=value", dest="changes")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, help="of training, in place of seconds")
    options = parser.parse_args()
    if options.steps:
        options.changes.append(f"steps={options.steps}")
        options.seconds = math.inf
    unknown = [name for name in options.names if name not in CHOICES]
    if unknown:
        parser.error(f"unknown recipe {unknown[0]!r}; known: {', '.join(CHOICES)}")
    if options.worker:
        changes = {k: value(v) for k, v in (change.split("=") for change in options.changes)}
        print(json.dumps(train(options.names[0], options.seeds[0], options.seconds, changes)))
        return
    run_missing(options.names, options.seeds, options.seconds, options.changes)
    rows = {name: medians(runs) for name, runs in groups().items()}
    TABLE.write_text(json.dumps(rows, indent=1) + "\n")
    print_table(rows)
    plot(groups())


if __name__ == "__main__":
    main()
