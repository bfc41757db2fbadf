"""How cost grows with batch size, width and the number of images: recipe `fast`, real training.

    python benchmarks/cost.py           measures, each setting in a new process; writes the plot
    python benchmarks/cost.py --plot    only the plot and its sentences

Memory is the peak of the whole process, less what it had before data and networks were there.
Only then does that process build the default setting too and train both by turns: seconds per
image are given as a multiple of the default's, the median of the rounds' ratios. The images are
noise: cost does not depend on what is in them. What happens once an epoch (a new order, samples,
measuring) is not timed.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import readme
from common import build_game, machine, stopwatch

import dcgan_lib

TABLE = Path(__file__).with_name("cost.json")
PLOT = Path(__file__).parent.parent / "images" / "cost.png"
DEFAULT = {"batch size": 64, "width": 1, "images": 60_000}
VALUES = {
    "batch size": (16, 32, 64, 128, 256, 512, 1024),
    "width": (0.5, 1, 1.5, 2, 3, 4),
    "images": (1_000, 4_000, 15_000, 60_000),
}
TITLES = {
    "batch size": "batch size",
    "width": "width of all layers (default: 1)",
    "images": "images to train on",
}
WIDTHS = "generator_widths discriminator_widths generator_hidden discriminator_hidden".split()
ROUNDS = 7  # at least, and as many as fit into
SECONDS = 20
IMAGES = 512  # in each round, and not less than two steps


# --- one setting, in its own process


def measure(setting: dict[str, float]) -> dict[str, float]:
    """Trains a setting, and then by turns with the default, and returns what it takes."""
    dcgan_lib.import_tensorflow()  # which the parent process must not
    before = peak()
    timed = trainer(setting)
    timed()
    memory = peak() - before
    default = trainer(DEFAULT)
    default()
    end, ratios = time.perf_counter() + SECONDS, []
    while len(ratios) < ROUNDS or time.perf_counter() < end:
        ratios.append(timed() / default())
    return {"time_per_image": round(statistics.median(ratios), 3), "memory_mib": round(memory)}


def trainer(setting: dict[str, float]) -> Any:
    """Returns what trains for some steps and returns the seconds that an image took."""
    import numpy as np

    from dcgan_lib.data import training_batches
    from dcgan_lib.measuring.divergence import StopOnNonFinite

    recipe = recipe_of(setting)
    draw = np.random.default_rng(0)
    images = draw.integers(256, size=(setting["images"], 28, 28), dtype=np.uint8)
    gan, watch = build_game(recipe, len(images)), stopwatch()
    batches = training_batches(images, recipe.batch_size)
    steps = max(2, IMAGES // recipe.batch_size)

    def timed() -> float:
        callbacks = [StopOnNonFinite(), watch]
        gan.fit(batches, steps_per_epoch=steps + 1, shuffle=False, verbose=0, callbacks=callbacks)
        return watch.clock[0] / steps / recipe.batch_size

    return timed


def recipe_of(setting: dict[str, float]) -> Any:
    """Returns `fast` with another batch size and all widths multiplied."""
    from dcgan_lib.recipes import FAST

    def times(width: Any) -> Any:
        return tuple(map(times, width)) if isinstance(width, tuple) else int(width * factor)

    factor = setting["width"]
    widths = {name: times(getattr(FAST, name)) for name in WIDTHS}
    return FAST.replace(batch_size=setting["batch size"], **widths)


def peak() -> float:
    """Of this process's memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# --- all of them


def measure_all() -> list[dict[str, Any]]:
    rows, known = [], {}  # the default is in all three panels, and measured once
    for name, values in VALUES.items():
        for value in values:
            setting = json.dumps(DEFAULT | {name: value})
            if setting not in known:
                print(f"{name} {value:g}", flush=True)
                command = [sys.executable, __file__, "--worker", setting]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                known[setting] = json.loads(done.stdout.splitlines()[-1])
            rows.append({"varied": name, **json.loads(setting), **known[setting]})
            TABLE.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")
    return rows


def curve(rows: list[dict[str, Any]], name: str, what: str) -> tuple[list[float], list[float]]:
    chosen = [row for row in rows if row["varied"] == name]
    return [row[name] for row in chosen], [row[what] for row in chosen]


def findings(rows: list[dict[str, Any]]) -> list[str]:
    """A sentence for each panel."""
    sentences = []
    for name in VALUES:
        x, time = curve(rows, name, "time_per_image")
        _, memory = curve(rows, name, "memory_mib")
        apart = max(abs(1 - value) for value in time)
        takes = f"{time[0]:.2f} to {time[-1]:.2f} times as long\n  as in the default setting"
        if apart < 0.05:
            takes = f"as long as in the\n  default setting, within {apart:.0%}".replace("%", " %")
        sentences.append(
            f"- **{TITLES[name]}**, {x[0]:g} to {x[-1]:g}: an image takes {takes}, and memory goes "
            f"from {memory[0]:g} to {memory[-1]:g} MiB."
        )
    return sentences


def short(value: float) -> str:
    """60000 becomes 60k."""
    return f"{value / 1000:g}k" if value % 1000 == 0 else f"{value:g}"


def plot(rows: list[dict[str, Any]]) -> None:
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullLocator

    panels = {
        "time_per_image": ("time per image\n(default: 1)", (0.5, 1, 2, 5, 10)),
        "memory_mib": ("memory (MiB), without\nTensorFlow itself", (100, 200, 500, 1000)),
    }
    figure, axes = plt.subplots(2, 3, figsize=(9, 5), sharex="col", sharey="row")
    for column, name in enumerate(VALUES):
        for row, (key, (label, ticks)) in enumerate(panels.items()):
            axis = axes[row, column]
            x, y = curve(rows, name, key)
            axis.plot(x, y, "o-", color=f"C{row}")
            axis.axvline(DEFAULT[name], color="0.6", linestyle=":", zorder=0)
            axis.set(xscale="log", yscale="log", ylim=(ticks[0] * 0.8, ticks[-1] * 1.2))
            axis.set_xticks(x, [short(value) for value in x])
            axis.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
            axis.xaxis.set_minor_locator(NullLocator())
            axis.yaxis.set_minor_locator(NullLocator())
            axis.grid(alpha=0.3)
            if column == 0:
                axis.set_ylabel(label)
        axes[1, column].set_xlabel(TITLES[name])
    figure.suptitle("What training costs: recipe fast, one setting changed (dotted: the default)")
    figure.tight_layout()
    figure.savefig(PLOT, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--plot", action="store_true", help="draw what was measured before")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(json.loads(options.worker))))
        return
    rows = json.loads(TABLE.read_text())["rows"] if options.plot else measure_all()
    plot(rows)
    print("\n".join(findings(rows)))
    readme.put("cost", "\n".join(findings(rows)))


if __name__ == "__main__":
    main()
