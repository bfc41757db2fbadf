"""Checkpoints: what lets a killed run go on to the same end, bit for bit."""

from __future__ import annotations

import contextlib
import io
import json
import math
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from filelock import SoftFileLease

from dcgan_lib.errors import UserError
from dcgan_lib.gan import DCGAN, state_variables
from dcgan_lib.runs.best import Best
from dcgan_lib.runs.files import atomic_path, checksum

KEPT = 2  # the newest, and one to fall back on

NAME = re.compile(r"(step|snapshot)-(\d{8,})-([0-9a-f]{16})\.npz")


class Checkpoints:
    """The saved states of one run, each a single `.npz` file named after its own checksum.

    A state holds the weights of both networks and of the average, both optimizers, the
    step, the metrics, and a small dictionary of the caller's.
    """

    def __init__(self, folder: str | Path, lease: SoftFileLease | None = None) -> None:
        self.folder = Path(folder)
        self.lease = lease
        self.best: Best | None = None  # saved and restored too, if it is kept

    @property
    def last_step(self) -> int:
        """The step of the newest checkpoint; 0 where there is none."""
        names = [NAME.fullmatch(path.name) for path in self.folder.glob("*.npz")]
        return max((int(name[2]) for name in names if name), default=0)

    def save(self, gan: DCGAN, notes: dict[str, Any], snapshot: bool = False) -> Path:
        """Saves the present state of a game; a snapshot stays, others give way to newer ones.

        Raises:
            UserError: weights that are not numbers, no room, or a folder that another process has
                taken; the checkpoint before stays the newest.
        """
        if self.lease and self.lease.compromise:
            raise UserError(f"another process has taken {str(self.folder.parent)!r}")
        arrays = {f"{i:04d}": v.numpy() for i, v in enumerate(state_variables(gan))}
        step = int(gan.step.numpy())
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise UserError(
                f"weights are no longer numbers at step {step}: the training has diverged. The "
                "last checkpoint is sound. A smaller learning rate usually helps"
            )
        content = io.BytesIO()
        arrays |= self.best.saved() if self.best else {}
        np.savez(content, notes=json.dumps(notes), **arrays)
        kind = "snapshot" if snapshot else "step"
        path = self.folder / f"{kind}-{step:08d}-{checksum(content.getvalue())}.npz"
        self.folder.mkdir(exist_ok=True)
        with atomic_path(path, needed=content.tell()) as temporary:
            temporary.write_bytes(content.getvalue())
        if not snapshot:
            for old in sorted(self.folder.glob("step-*.npz"))[:-KEPT]:
                with contextlib.suppress(PermissionError):  # open elsewhere: the next time
                    old.unlink()
        return path

    def restore_newest(self, gan: DCGAN) -> dict[str, Any] | None:
        """Loads the newest sound state into a game and returns its notes, or None.

        A damaged file is renamed to `*.damaged`, with a notice; so is one whose name is not the
        one that it was given.

        Raises:
            UserError: a sound file that belongs to other networks.
        """
        for leftover in self.folder.glob(".tmp-*"):
            leftover.unlink()
        if self.best:
            self.best.restore({})
        for path in sorted(self.folder.glob("*.npz"), key=step_of, reverse=True):
            try:
                return self._load(path, gan)
            except OSError as error:
                path.replace(path.with_suffix(".damaged"))
                reason = error.strerror or error
                print(f"checkpoint {path.name} is damaged ({reason}): set aside", file=sys.stderr)
        return None

    def _load(self, path: Path, gan: DCGAN) -> dict[str, Any]:
        """Loads one state and returns its notes.

        Raises:
            OSError: the file is damaged, or cannot be read.
            UserError: it belongs to other networks.
        """
        name = NAME.fullmatch(path.name)
        if not name:
            raise OSError("not a checkpoint's name")
        content = path.read_bytes()
        if name[3] != checksum(content):
            raise OSError("its content has changed")
        with np.load(io.BytesIO(content), allow_pickle=False) as saved:
            found = dict(saved)
        arrays = [found[key] for key in sorted(found) if key.isdecimal()]
        notes = json.loads(str(found["notes"]))
        variables = state_variables(gan)
        if [a.shape for a in arrays] != [tuple(v.shape) for v in variables]:
            raise UserError(f"checkpoint {str(path)!r} belongs to other networks or optimizers")
        step = next(int(a) for a, v in zip(arrays, variables, strict=True) if v is gan.step)
        if step != int(name[2]):
            raise OSError(f"it holds step {step}")
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        if self.best:
            self.best.restore(found)
        return notes


def step_of(path: Path) -> float:
    """The step that a checkpoint's name tells; of another file, infinity: it is looked at first."""
    name = NAME.fullmatch(path.name)
    return int(name[2]) if name else math.inf
