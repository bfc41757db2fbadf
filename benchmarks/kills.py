"""Kills trainings at 30 moments, takes each to its end, and compares with one that was left alone.

python benchmarks/kills.py

Ten kills (SIGKILL: no handler can soften it) of each of three recipes: six a little after steps
drawn uniformly over the run, four inside the writing of a checkpoint. Then the same call goes on
to the end. Compared bit for bit: the networks, both optimizers, the metrics, the log without
its seconds, the frames and the final pictures. About ten minutes; not for Windows.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import dcgan_lib

dcgan_lib.import_tensorflow()

import numpy as np

from dcgan_lib.recipes import RECIPES, Recipe
from dcgan_lib.runs import log
from dcgan_lib.runs.checkpoints import Checkpoints
from dcgan_lib.runs.files import atomic_path
from dcgan_lib.runs.folder import LOG

TABLE = Path(__file__).with_name("kills.json")
NAMES = ("keras", "conditional", "wgan_gp")  # the first has Dropout
LENGTH = {"batch_size": 30, "epochs": 4, "sample_every": None, "log_every": 1}
STEPS, SAVED_EVERY = 28, 5  # 4 epochs of 200 images: the last batch of each is a partial one
SMALL = {
    "generator_widths": (8, 4),
    "discriminator_widths": (4, 8),
    "latent_dim": 10,
    "num_samples": 10,
    "hold_out": 0,
}
# How much of the checkpoint is on the disk when the kill comes; 1: all of it, not yet in its
# place; 2: in its place, older ones not yet removed.
SHARES = (0.0, 0.25, 0.5, 0.75, 0.999, 1, 2)


def recipe_of(name: str) -> Recipe:
    recipe = RECIPES[name]
    hidden = {
        f"{network}_hidden": min(8, getattr(recipe, f"{network}_hidden"))
        for network in ("generator", "discriminator")
    }
    return recipe.replace(**SMALL, **hidden, **LENGTH)


def moments() -> list[dict[str, Any]]:
    """Draws the thirty moments, always the same."""
    draw = random.Random(2026)
    drawn = []
    for name in NAMES:
        for part in range(6):  # uniform, and none of the sixths of the run left out
            step = draw.randrange(1 + part * STEPS // 6, 1 + (part + 1) * STEPS // 6)
            drawn.append({"recipe": name, "step": step, "delay": round(draw.uniform(0, 0.03), 4)})
        saves = [*range(SAVED_EVERY, STEPS, SAVED_EVERY), STEPS]
        for step in sorted(draw.sample(saves, 4)):
            share = SHARES[sum("share" in moment for moment in drawn) % len(SHARES)]
            drawn.append({"recipe": name, "step": step, "share": share})
    return drawn


def train(name: str, folder: str, data: str, moment: dict[str, Any] | None) -> None:
    """Trains, or goes on, in a process of its own; with a `moment`, it will not live long."""
    with open(os.devnull, "w") as silence:
        os.dup2(silence.fileno(), 1)
        os.dup2(silence.fileno(), 2)
    if moment and "share" in moment:
        die_writing(moment["step"], moment["share"])
    elif moment:
        die_after(moment["step"], moment["delay"])
    dcgan_lib.train_dcgan_mnist(
        recipe_of(name), folder, data, max_images=200, checkpoint_every=SAVED_EVERY, verbose=False
    )


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(step: int, delay: float) -> None:
    """Kills this process so many seconds after the log's row of a step."""
    append_row = log.append_row

    def append_and_be_struck(path: Path, row: Any) -> None:
        append_row(path, row)
        if row[0] == step:
            threading.Timer(delay, die).start()

    log.append_row = append_and_be_struck


def die_writing(step: int, share: float) -> None:
    """Kills this process inside the writing of a step's checkpoint."""
    save, write, replace = Checkpoints.save, Path.write_bytes, os.replace
    now = {"saving": False}

    def save_and_tell(self: Checkpoints, gan: Any, *arguments: Any) -> Path:
        now["saving"] = int(gan.step.numpy()) == step
        return save(self, gan, *arguments)

    def write_part(path: Path, content: bytes) -> int:
        if now["saving"] and share < 1:
            write(path, content[: int(share * len(content))])
            die()
        return write(path, content)

    def replace_and_die(*arguments: Any) -> None:
        if now["saving"] and share == 1:
            die()
        replace(*arguments)
        if now["saving"]:
            die()

    Checkpoints.save = save_and_tell
    Path.write_bytes = write_part
    os.replace = replace_and_die


def run(context: Any, name: str, folder: Path, moment: dict[str, Any] | None = None) -> int:
    arguments = (name, str(folder), str(folder.with_name("digits.npz")), moment)
    process = context.Process(target=train, args=arguments)
    process.start()
    process.join()
    return process.exitcode


def result_of(folder: Path) -> dict[str, Any]:
    """Everything that must not depend on whether a run was killed."""
    newest = max((folder / "checkpoints").glob("step-*.npz"))
    with np.load(newest) as saved:
        state = {name: saved[name].tobytes() for name in saved.files if name != "notes"}
    with open(folder / LOG, newline="") as file:
        rows = [{**row, "seconds": None} for row in csv.DictReader(file)]
    pictures = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.[pg][ni][gf]")
        if path.name != "loss_plot.png"  # has the seconds on an axis
    }
    return {"state": state, "log": rows, "pictures": pictures}


def on_disk(folder: Path) -> tuple[int, bool]:
    """The step of the newest checkpoint (0: none), and whether a half-written one lies there."""
    steps = [int(path.name.split("-")[1]) for path in (folder / "checkpoints").glob("step-*")]
    return max(steps, default=0), any((folder / "checkpoints").glob(".tmp-*"))


def main() -> int:
    context = multiprocessing.get_context("forkserver")  # TensorFlow is loaded only once
    context.set_forkserver_preload(["dcgan_lib.training"])
    rows = []
    with tempfile.TemporaryDirectory() as place:
        images, labels, _ = dcgan_lib.load_images("digits", "test")
        arrays = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}
        np.savez(Path(place, "digits.npz"), **arrays)  # making the digits takes seconds
        wanted = {}
        for name in NAMES:
            assert run(context, name, Path(place, name)) == 0
            wanted[name] = result_of(Path(place, name))
            assert len(wanted[name]["log"]) == STEPS
        for number, moment in enumerate(moments()):
            name, folder = moment["recipe"], Path(place, str(number))
            killed = run(context, name, folder, moment) == -signal.SIGKILL
            saved, half = on_disk(folder)
            ended = run(context, name, folder) == 0
            same = ended and result_of(folder) == wanted[name]
            rows.append(moment | {"saved": saved, "half_written": half, "same": killed and same})
            print(f"{number + 1:2} {rows[-1]}", flush=True)
    equal = sum(row["same"] for row in rows)
    with atomic_path(TABLE) as temporary:
        lines = ",\n".join(json.dumps(row) for row in rows)
        temporary.write_text(f"[\n{lines}\n]\n")
    inside = sum("share" in row for row in rows)
    print(f"{equal} of {len(rows)} ended bit for bit the same; {inside} were killed inside a save")
    return 0 if equal == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
