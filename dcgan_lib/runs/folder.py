"""A run folder: what it holds, what identifies it, and how it is taken back to a step."""

from __future__ import annotations

import csv
import dataclasses
import json
import platform
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from dcgan_lib.beyond.augmentation import suited_to
from dcgan_lib.data import TrainingSet, load_training_set
from dcgan_lib.errors import UserError
from dcgan_lib.recipes import EARLIER, CallOptions, Recipe, get_recipe
from dcgan_lib.runs.buildable import check_buildable
from dcgan_lib.runs.checkpoints import Checkpoints
from dcgan_lib.runs.files import atomic_path, checksum, quoted, write_json

if TYPE_CHECKING:
    from dcgan_lib.runs.transfer import Transfer

LOG, QUALITY, HEALTH = "log.csv", "quality.csv", "health.csv"

SAMPLES = "samples"

RECORD, FINISHED, PAGE = "recipe.json", "metrics.json", "report.html"

BEST = "best_generator.keras"

FROM = "started_from.npz"  # the weights that a run began with

LENGTH = ("steps", "epochs")  # what alone a run may be given anew

ARTIFACTS = (
    FINISHED, PAGE, LOG, QUALITY, HEALTH, "training.gif", "loss_plot.png", "quality_plot.png",
    "final_samples.png", "latent_samples.png", "interpolation.png", "generator.keras",
    BEST, "discriminator.keras", SAMPLES, "checkpoints", FROM,
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


def check_record(
    folder: Path, settings: dict[str, Any], fresh: bool = False, resized: bool = False
) -> None:
    """Writes the record of a new run, or checks that the one there has the same settings.

    Args:
        fresh: removes a run that is there already, whatever its settings.
        resized: gives the run that is there the length in `settings`.

    Raises:
        UserError: a run with other settings, or one that is longer already.
    """
    if fresh or not (folder / RECORD).exists():
        clear_run(folder)
        write_json(folder / RECORD, settings | {"versions": versions()})
    else:
        record = read_record(folder)
        known = _with_length_of(settings, record) if resized else record
        if different := _differences(known, settings):
            way_on = ""
            if not _differences(_with_length_of(settings, record), settings):
                way_on = f"; to go on with it: dcgan train --resume {quoted(folder)} --steps N"
            raise UserError(
                f"output {str(folder)!r} holds a run with other settings ({different}); choose "
                f"another folder, or --fresh (resume=False) to replace it{way_on}"
            )
        if known != record:
            resize(folder, record, settings)
    (folder / SAMPLES).mkdir(exist_ok=True)


def _with_length_of(settings: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    length = {name: settings["recipe"][name] for name in LENGTH}
    return record | {"recipe": record["recipe"] | length}


def resize(folder: Path, record: dict[str, Any], settings: dict[str, Any]) -> None:
    """Gives a run another length: from now on it is a longer one that was cut off.

    Raises:
        UserError: it has come further already.
    """
    done = Checkpoints(folder / "checkpoints").last_step
    recipe = Recipe(**settings["recipe"])
    total = recipe.total_steps(settings["data"]["images"])
    if total <= done:
        (given,) = (f"{name}={getattr(recipe, name)}" for name in LENGTH if getattr(recipe, name))
        raise UserError(
            f"{given} is impossible: the run in {str(folder)!r} has done {done} steps; accepted: a "
            "length beyond that, or --fresh (resume=False) to replace it"
        )
    if {recipe.g_schedule, recipe.d_schedule} != {"constant"}:
        print(f"from step {done} on the learning rates are those of a run of {total} steps")
    earlier = {name: record["recipe"][name] for name in LENGTH} | {"went_on_from": done}
    record.setdefault("earlier_lengths", []).append(earlier)
    write_json(folder / RECORD, record | {"recipe": settings["recipe"]})


def _differences(known: dict[str, Any], wanted: dict[str, Any]) -> str:
    defaults = settings_record(Recipe(), {})["recipe"]  # a setting that an older record lacks
    recipes = defaults | known["recipe"], wanted["recipe"]
    starts = [{"started_from": record.get("started_from")} for record in (known, wanted)]
    return "; ".join(
        f"{name}: {there.get(name)} there, {here.get(name)} here"
        for there, here in (recipes, (known["data"], wanted["data"]), starts)
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
    """Returns data, recipe and start of the run in `folder`; nothing if there is none.

    Raises:
        UserError: its record is damaged.
    """
    path = as_path(folder) / RECORD
    if not path.exists():
        return {}
    record = read_record(path.parent)
    beside = {"started_from": record.get("started_from")}
    try:
        return record["data"] | {"recipe": Recipe(**record["recipe"])} | beside
    except TypeError as error:
        raise UserError(f"{str(path)!r} is damaged: {error}") from None


class Plan(NamedTuple):
    """What a call of a training comes to.

    Attributes:
        recipe: what is trained.
        training_set: on what.
        resized: whether the call names a length, which a run that is there may be given.
        keep: as in `CallOptions`.
        transfer: the networks that it begins with, if not with new ones.
    """

    recipe: Recipe
    training_set: TrainingSet
    resized: bool = False
    keep: str = "last"
    transfer: Transfer | None = None


def plan(
    recipe: str | Recipe | None,
    there: dict[str, Any],
    data: str,
    options: CallOptions,
    settings: dict[str, Any],
    transfer: Transfer | None = None,
) -> Plan:
    """Returns what is trained on what.

    Without a recipe it is that of the run that is `there` (`recorded`), else of what a run begins
    with.

    Raises:
        UserError: an impossible value, no such data, or networks that cannot be built.
    """
    known = {} if recipe else there
    usual = (transfer and transfer.recipe) or "fast"
    recipe = get_recipe(recipe or known.get("recipe", usual), **settings)
    data = known.get("source", data) if data == "auto" else data
    training_set = load_training_set(recipe, data, known=there, **options.reading(known))
    recipe = suited_to(recipe, *training_set.sizes[:2])  # recorded, so that older runs are found
    check_buildable(recipe, *training_set.sizes[1:3])
    resized = any(settings.get(name) for name in LENGTH)
    return Plan(recipe, training_set, resized, options.keep, transfer)


def clear_run(folder: Path, keep: Collection[str] = ()) -> None:
    """Removes what a run has written in `folder` beside its record, and nothing else."""
    for name in (name for name in ARTIFACTS if name not in keep):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def rewind(folder: Path, step: int, ends: Collection[str] = ()) -> None:
    """Takes back the log rows and frames that were written after `step`, or only half.

    Args:
        ends: logs (or SAMPLES) that got what they have of `step` itself because the run ended.
    """
    last = {name: step - (name in ends) for name in (SAMPLES, LOG, QUALITY, HEALTH)}
    for half_written in (*folder.glob(".tmp-*"), *(folder / SAMPLES).glob(".tmp-*")):
        half_written.unlink()
    for frame in (folder / SAMPLES).glob("step_*.png"):
        number = frame.stem.removeprefix("step_")
        if number.isdecimal() and int(number) > last[SAMPLES]:
            frame.unlink()
    for name in (LOG, QUALITY, HEALTH):
        if (folder / name).exists():
            _drop_rows_after(folder / name, last[name])


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


def has_more(folder: Path, total: int) -> bool:
    """Whether a run ended before step `total`: a callback stopped it, or it was given more."""
    try:
        numbers = json.loads((folder / FINISHED).read_bytes())
        return bool(numbers.get("stopped")) or numbers.get("steps", total) != total
    except ValueError:  # damaged
        return False
