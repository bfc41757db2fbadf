"""Run folders and checkpoints: what lets a killed run go on to the same end, bit for bit.

Taught in notebook 04.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcgan_lib.errors import UserError
from dcgan_lib.gan import DCGAN
from dcgan_lib.recipes import Recipe

LOG, QUALITY, HEALTH = "log.csv", "quality.csv", "health.csv"
RECORD, FINISHED = "recipe.json", "metrics.json"
ARTIFACTS = (
    FINISHED, LOG, QUALITY, HEALTH, "training.gif", "loss_plot.png", "quality_plot.png",
    "final_samples.png", "latent_samples.png", "interpolation.png", "generator.keras",
    "discriminator.keras", "samples", "checkpoints",
)  # fmt: skip
KEPT = 2  # the newest, and one to fall back on


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Gives a temporary path to write to; it takes the place of `path` only when complete."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".tmp-", suffix=path.suffix)
    os.close(handle)
    try:
        yield Path(temporary)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


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
            UserError: weights that are not numbers; the checkpoint before stays the newest.
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
        with atomic_path(path) as temporary:
            temporary.write_bytes(content.getvalue())
        if not snapshot:
            for old in sorted(self.folder.glob("step-*.npz"))[:-KEPT]:
                old.unlink()
        return path

    def restore_newest(self) -> dict[str, Any] | None:
        """Loads the newest sound state into the model and returns its notes, or None.

        A damaged file is renamed to `*.damaged`, with a notice.

        Raises:
            UserError: a sound file that belongs to other networks.
        """
        by_step = sorted(self.folder.glob("*.npz"), key=lambda path: path.name.split("-")[1])
        for path in reversed(by_step):
            content = path.read_bytes()
            if path.stem.split("-")[2] == checksum(content):
                return self._load(path, content)
            path.rename(path.with_suffix(".damaged"))
            print(f"checkpoint {path.name} is damaged: set aside", file=sys.stderr)
        return None

    def _load(self, path: Path, content: bytes) -> dict[str, Any]:
        with np.load(io.BytesIO(content), allow_pickle=False) as saved:
            arrays = [saved[name] for name in sorted(saved.files) if name != "notes"]
            notes = json.loads(str(saved["notes"]))
        variables = state_variables(self.gan)
        if [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
            raise UserError(f"checkpoint {str(path)!r} belongs to other networks or optimizers")
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        return notes


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


def open_run(
    folder: Path, settings: dict[str, Any], versions: dict[str, str], fresh: bool = False
) -> None:
    """Makes the folder of a run, or checks that it belongs to the same settings.

    With `fresh`, a run that is there already is removed, whatever its settings.

    Raises:
        UserError: it cannot be written, holds something else or a run with other settings.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"output {str(folder)!r} cannot be written: {error.strerror}") from None
    known = (folder / RECORD).exists()
    if not known and any(not path.name.startswith(".tmp-") for path in folder.iterdir()):
        raise UserError(f"output {str(folder)!r} is not empty and not a run; choose another folder")
    if known and not fresh:
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
    for frame in (folder / "samples").glob("*.png"):
        if int(frame.stem.rsplit("_", 1)[1]) > step:
            frame.unlink()
    for log in (folder / LOG, folder / QUALITY, folder / HEALTH):
        if log.exists():
            _drop_rows_after(log, step)


def _drop_rows_after(log: Path, step: int) -> None:
    with open(log, newline="") as file:
        header, *rows = list(csv.reader(file)) or [["step"]]
    complete = [row for row in rows if len(row) == len(header) and int(row[0]) <= step]
    with atomic_path(log) as temporary, open(temporary, "w", newline="") as file:
        csv.writer(file).writerows([header, *complete])
