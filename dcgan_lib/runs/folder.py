"""A run folder: what it holds, what identifies it, and how it is taken back to a step."""

from __future__ import annotations

import csv
import dataclasses
import json
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcgan_lib.building import check_buildable
from dcgan_lib.data import TrainingSet, load_training_set
from dcgan_lib.errors import UserError
from dcgan_lib.recipes import EARLIER, CallOptions, Recipe, get_recipe
from dcgan_lib.runs.files import atomic_path, checksum, write_json

LOG, QUALITY, HEALTH = "log.csv", "quality.csv", "health.csv"

RECORD, FINISHED, PAGE = "recipe.json", "metrics.json", "report.html"

ARTIFACTS = (
    FINISHED, PAGE, LOG, QUALITY, HEALTH, "training.gif", "loss_plot.png", "quality_plot.png",
    "final_samples.png", "latent_samples.png", "interpolation.png", "generator.keras",
    "discriminator.keras", "samples", "checkpoints",
)  # fmt: skip


def settings_record(recipe: Recipe, data: dict[str, Any]) -> dict[str, Any]:
    """Returns what identifies a run: its recipe and its data, as plain JSON values."""
    return json.loads(json.dumps({"recipe": dataclasses.asdict(recipe), "data": data}))


def default_folder(settings: dict[str, Any]) -> Path:
    """Returns `runs/<recipe>-s<seed>-<hash>`: the same settings find their folder again."""
    recipe = settings["recipe"]
    told = dict(item for item in recipe.items() if item not in EARLIER.items())
    text = json.dumps(settings | {"recipe": told}, sort_keys=True)
    return Path("runs") / f"{recipe['name']}-s{recipe['seed']}-{checksum(text.encode())[:8]}"


def as_path(output: str | Path) -> Path:
    """Returns the path of a run folder; `~` is the reader's home.

    Raises:
        UserError: something else than a path.
    """
    try:
        return Path(output).expanduser()
    except (TypeError, RuntimeError):  # a number; a home that nobody knows
        raise UserError(f"output={output!r} is impossible; accepted: a path") from None


def make_folder(folder: Path) -> None:
    """Makes the folder of a run.

    Raises:
        UserError: it cannot be written, or holds something else than a run.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise UserError(f"output {str(folder)!r} cannot be written: {error.strerror}") from None
    others = (path for path in folder.iterdir() if not path.name.startswith((".tmp-", ".lock")))
    if not (folder / RECORD).exists() and any(others):
        raise UserError(f"output {str(folder)!r} is not empty and not a run; choose another folder")


def check_record(folder: Path, settings: dict[str, Any], fresh: bool = False) -> None:
    """Writes the record of a new run, or checks that the one there has the same settings.

    With `fresh`, a run that is there already is removed, whatever its settings.

    Raises:
        UserError: a run with other settings.
    """
    if fresh or not (folder / RECORD).exists():
        clear_run(folder)
        write_json(folder / RECORD, settings | {"versions": versions()})
    elif different := _differences(read_record(folder), settings):
        raise UserError(
            f"output {str(folder)!r} holds a run with other settings ({different}); choose "
            "another folder, or --fresh (resume=False) to replace it"
        )
    (folder / "samples").mkdir(exist_ok=True)


def _differences(known: dict[str, Any], wanted: dict[str, Any]) -> str:
    defaults = settings_record(Recipe(), {})["recipe"]  # a setting that an older record lacks
    recipes = defaults | known["recipe"], wanted["recipe"]
    return "; ".join(
        f"{name}: {there.get(name)} there, {here.get(name)} here"
        for there, here in (recipes, (known["data"], wanted["data"]))
        for name in sorted(there.keys() | here.keys())
        if there.get(name) != here.get(name)
    )


def read_record(folder: str | Path) -> dict[str, Any]:
    """Reads a run's `recipe.json`.

    Raises:
        UserError: it is missing or not a record of a run.
    """
    path = Path(folder) / RECORD
    try:
        record = json.loads(path.read_bytes())
        record["recipe"] = {**EARLIER, **record["recipe"]}
        record["data"]["source"], record["data"]["max_images"]
    except OSError as error:
        raise UserError(f"{str(folder)!r} is not a run folder: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{str(path)!r} is damaged: {error}") from None
    return record


def recorded(folder: str | Path) -> dict[str, Any]:
    """Returns recipe and data of the run in `folder`; nothing if there is none.

    Raises:
        UserError: its record is damaged.
    """
    path = as_path(folder) / RECORD
    if not path.exists():
        return {}
    record = read_record(path.parent)
    try:
        return record["data"] | {"recipe": Recipe(**record["recipe"])}
    except TypeError as error:
        raise UserError(f"{str(path)!r} is damaged: {error}") from None


def plan(
    recipe: str | Recipe | None,
    there: dict[str, Any],
    data: str,
    options: CallOptions,
    settings: dict[str, Any],
) -> tuple[Recipe, TrainingSet]:
    """Returns what is trained on what; without a recipe, as the run that is `there` (`recorded`).

    Raises:
        UserError: an impossible value, no such data, or networks that cannot be built.
    """
    known = {} if recipe else there
    recipe = get_recipe(recipe or known.get("recipe", "fast"), **settings)
    data = known.get("source", data) if data == "auto" else data
    training_set = load_training_set(recipe, data, known=there, **options.reading(known))
    check_buildable(recipe, *training_set.sizes[1:3])
    return recipe, training_set


def clear_run(folder: Path) -> None:
    """Removes what a run has written in `folder` beside its record, and nothing else."""
    for name in ARTIFACTS:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def rewind(folder: Path, step: int) -> None:
    """Takes back the log rows and frames that were written after `step`, or only half."""
    for half_written in (*folder.glob(".tmp-*"), *(folder / "samples").glob(".tmp-*")):
        half_written.unlink()
    for frame in (folder / "samples").glob("step_*.png"):
        number = frame.stem.removeprefix("step_")
        if number.isdecimal() and int(number) > step:
            frame.unlink()
    for log in (folder / LOG, folder / QUALITY, folder / HEALTH):
        if log.exists():
            _drop_rows_after(log, step)


def _drop_rows_after(log: Path, step: int) -> None:
    with open(log, newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    complete = [row for row in rows if len(row) == len(header) and int(row[0]) <= step]
    if not complete:  # even the header may be half written: a new log begins
        log.unlink()
        return
    with atomic_path(log) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *complete])


def versions() -> dict[str, str]:
    """What a run was made with, for its record."""
    libraries = {library.__name__: library.__version__ for library in (tf, keras, np)}
    return {"python": platform.python_version()} | libraries


def is_finished(folder: Path) -> bool:
    """Whether a run has come to its end, and its networks are still there."""
    needed = (FINISHED, "generator.keras", "discriminator.keras")
    return all((folder / name).exists() for name in needed)


def was_stopped(folder: Path) -> bool:
    """Whether a callback stopped the run before its last step: it can be resumed."""
    try:
        return bool(json.loads((folder / FINISHED).read_bytes()).get("stopped"))
    except ValueError:  # damaged
        return False
