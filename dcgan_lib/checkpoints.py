"""Run folders and checkpoints: what lets a killed run go on to the same end, bit for bit.

Taught in notebook 04.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import errno
import hashlib
import io
import json
import math
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcgan_lib.errors import UserError, first_line
from dcgan_lib.gan import DCGAN
from dcgan_lib.locks import LOCK
from dcgan_lib.recipes import Recipe

LOG, QUALITY, HEALTH = "log.csv", "quality.csv", "health.csv"
RECORD, FINISHED = "recipe.json", "metrics.json"
ARTIFACTS = (
    FINISHED, LOG, QUALITY, HEALTH, "training.gif", "loss_plot.png", "quality_plot.png",
    "final_samples.png", "latent_samples.png", "interpolation.png", "generator.keras",
    "discriminator.keras", "samples", "checkpoints",
)  # fmt: skip
KEPT = 2  # the newest, and one to fall back on
NAME = re.compile(r"(step|snapshot)-(\d{8,})-([0-9a-f]{16})\.npz")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def writing(path: str | Path, needed: int | None = None) -> Iterator[None]:
    """Turns the system's refusal to write `path` into what its reader can act upon.

    Args:
        needed: bytes, where they are known before.

    Raises:
        UserError: names the file, the reason, and the room that there is.
    """
    try:
        yield
    except OSError as error:
        room = ""
        if error.errno in NO_ROOM:
            wanted = f"{needed / 1e6:.1f} MB needed, " if needed else ""
            room = f" ({wanted}{shutil.disk_usage(Path(path).parent).free / 1e6:.1f} MB free)"
        raise UserError(
            f"{str(path)!r} cannot be written: {error.strerror or first_line(error)}{room}. What "
            "was there before is unharmed; mend that, then give the same command again"
        ) from None


@contextlib.contextmanager
def atomic_path(path: str | Path, needed: int | None = None) -> Iterator[Path]:
    """Gives a temporary path to write to; it takes the place of `path` only when complete.

    Raises:
        UserError: as `writing`.
    """
    path = Path(path)
    with writing(path, needed):
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp-", suffix=path.suffix)
        os.close(handle)
        try:
            yield Path(temporary)
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def write_json(path: str | Path, content: Any) -> None:
    """Writes `content` as JSON, all or nothing."""
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")


class Checkpoints:
    """The saved states of one run, each a single `.npz` file named after its own checksum.

    A state holds the weights of both networks and of the average, both optimizers, the
    step, the metrics, and a small dictionary of the caller's.
    """

    def __init__(self, folder: str | Path, gan: DCGAN) -> None:
        self.folder = Path(folder)
        self.gan = gan
        self.folder.mkdir(exist_ok=True)
        for leftover in self.folder.glob(".tmp-*"):
            leftover.unlink()

    def save(self, notes: dict[str, Any], snapshot: bool = False) -> Path:
        """Saves the present state; a snapshot stays, others give way to newer ones.

        Raises:
            UserError: weights that are not numbers, or no room; the checkpoint before stays the
                newest.
        """
        content = io.BytesIO()
        arrays = {f"{i:04d}": v.numpy() for i, v in enumerate(state_variables(self.gan))}
        step = int(self.gan.step.numpy())
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise UserError(
                f"weights are no longer numbers at step {step}: the training has diverged. The "
                "last checkpoint is sound. A smaller learning rate usually helps"
            )
        np.savez(content, notes=json.dumps(notes), **arrays)
        kind = "snapshot" if snapshot else "step"
        path = self.folder / f"{kind}-{step:08d}-{checksum(content.getvalue())}.npz"
        with atomic_path(path, needed=content.tell()) as temporary:
            temporary.write_bytes(content.getvalue())
        if not snapshot:
            for old in sorted(self.folder.glob("step-*.npz"))[:-KEPT]:
                old.unlink()
        return path

    def restore_newest(self) -> dict[str, Any] | None:
        """Loads the newest sound state into the model and returns its notes, or None.

        A damaged file is renamed to `*.damaged`, with a notice; so is one whose name is not the
        one that it was given.

        Raises:
            UserError: a sound file that belongs to other networks.
        """
        for path in sorted(self.folder.glob("*.npz"), key=step_of, reverse=True):
            notes, reason = self._load(path)
            if notes is not None:
                return notes
            path.rename(path.with_suffix(".damaged"))
            print(f"checkpoint {path.name} is damaged ({reason}): set aside", file=sys.stderr)
        return None

    def _load(self, path: Path) -> tuple[dict[str, Any] | None, str]:
        """Returns the notes, or None and what is wrong with the file."""
        name = NAME.fullmatch(path.name)
        if not name:
            return None, "not a checkpoint's name"
        try:
            content = path.read_bytes()
        except OSError as error:
            return None, str(error.strerror)
        if name[3] != checksum(content):
            return None, "its content has changed"
        with np.load(io.BytesIO(content), allow_pickle=False) as saved:
            arrays = [saved[key] for key in sorted(saved.files) if key != "notes"]
            notes = json.loads(str(saved["notes"]))
        variables = state_variables(self.gan)
        if [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
            raise UserError(f"checkpoint {str(path)!r} belongs to other networks or optimizers")
        step = next(i for i, variable in enumerate(variables) if variable is self.gan.step)
        if int(arrays[step]) != int(name[2]):
            return None, f"it holds step {int(arrays[step])}"
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        return notes, ""


def step_of(path: Path) -> float:
    """The step that a checkpoint's name tells; of another file, infinity: it is looked at first."""
    name = NAME.fullmatch(path.name)
    return int(name[2]) if name else math.inf


def state_variables(gan: DCGAN) -> list[keras.Variable]:
    """Returns every variable that the next step depends on, or that the log is made of."""
    networks = [gan.generator, gan.discriminator]
    if gan.sampler is not gan.generator:
        networks.append(gan.sampler)
    variables = [variable for network in networks for variable in network.weights]
    variables += gan.g_optimizer.variables + gan.d_optimizer.variables + [gan.step]
    for metric in gan.epoch_metrics + gan.interval_metrics:
        variables += metric.variables
    return variables


def checksum(content: bytes) -> str:
    """Sixteen hexadecimal digits of SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]


def settings_record(recipe: Recipe, data: dict[str, Any]) -> dict[str, Any]:
    """Returns what identifies a run: its recipe and its data, as plain JSON values."""
    return json.loads(json.dumps({"recipe": dataclasses.asdict(recipe), "data": data}))


def default_folder(recipe: Recipe, settings: dict[str, Any]) -> Path:
    """Returns `runs/<recipe>-s<seed>-<hash>`: the same settings find their folder again."""
    text = json.dumps(settings, sort_keys=True)
    return Path("runs") / f"{recipe.name}-s{recipe.seed}-{checksum(text.encode())[:8]}"


def make_folder(folder: Path) -> None:
    """Makes the folder of a run.

    Raises:
        UserError: it cannot be written, or holds something else than a run.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"output {str(folder)!r} cannot be written: {error.strerror}") from None
    others = (path for path in folder.iterdir() if not path.name.startswith((".tmp-", LOCK)))
    if not (folder / RECORD).exists() and any(others):
        raise UserError(f"output {str(folder)!r} is not empty and not a run; choose another folder")


def open_run(
    folder: Path, settings: dict[str, Any], versions: dict[str, str], fresh: bool = False
) -> None:
    """Writes the record of a new run, or checks that the one there has the same settings.

    With `fresh`, a run that is there already is removed, whatever its settings.

    Raises:
        UserError: a run with other settings.
    """
    if (folder / RECORD).exists() and not fresh:
        different = _differences(read_record(folder), settings)
        if different:
            raise UserError(
                f"output {str(folder)!r} holds a run with other settings ({different}); choose "
                "another folder, or --fresh (resume=False) to replace it"
            )
    else:
        clear_run(folder)
        write_json(folder / RECORD, settings | {"versions": versions})
    (folder / "samples").mkdir(exist_ok=True)


def _differences(known: dict[str, Any], wanted: dict[str, Any]) -> str:
    defaults = settings_record(Recipe(), {})["recipe"]  # a setting that an older record lacks
    known = known | {"recipe": defaults | known["recipe"]}
    pairs = []
    for part in ("recipe", "data"):
        for name in sorted(known[part].keys() | wanted[part].keys()):
            old, new = known[part].get(name), wanted[part].get(name)
            if old != new:
                pairs.append(f"{name}: {old} there, {new} here")
    return "; ".join(pairs)


def read_record(folder: str | Path) -> dict[str, Any]:
    """Reads a run's `recipe.json`.

    Raises:
        UserError: it is missing or not a record of a run.
    """
    path = Path(folder) / RECORD
    try:
        record = json.loads(path.read_text())
        {**record["recipe"]}, record["data"]["source"], record["data"]["max_images"]
    except OSError as error:
        raise UserError(f"{str(folder)!r} is not a run folder: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{str(path)!r} is damaged: {error}") from None
    return record


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
    with open(log, newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    complete = [row for row in rows if len(row) == len(header) and int(row[0]) <= step]
    if not complete:  # even the header may be half written: the log begins anew
        log.unlink()
        return
    with atomic_path(log) as temporary, open(temporary, "w", newline="") as file:
        csv.writer(file).writerows([header, *complete])
