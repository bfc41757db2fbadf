"""Published results of trainings that take longer than a notebook should.

`benchmarks/studies.py` repeats them; notebooks 06 and 09 show them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dcgan_lib.errors import UserError

RESULTS = Path(__file__).parent / "results"


class Study(NamedTuple):
    """What a study measured.

    Attributes:
        about: the command that made it, the evaluator's hash, versions and machine.
        settings: for each variant, the settings that differ from its recipe's.
        rows: one dictionary for each moment of each training: variant, seed, step, seconds of
            training, frechet_distance (10,000 samples against the held-out images), modes, ...
        pictures: uint8 (N, 28, 28) by name.
    """

    about: dict[str, Any]
    settings: dict[str, dict[str, Any]]
    rows: list[dict[str, Any]]
    pictures: dict[str, np.ndarray]


def load_study(name: str) -> Study:
    """Reads a published study.

    Raises:
        UserError: an unknown name.
    """
    known = sorted(path.stem for path in RESULTS.glob("*.json"))
    if name not in known:
        raise UserError(f"unknown study {name!r}; known: {', '.join(known)}")
    content = json.loads((RESULTS / f"{name}.json").read_text())
    with np.load(RESULTS / f"{name}.npz", allow_pickle=False) as saved:
        pictures = {key: saved[key] for key in saved.files}
    return Study(content["about"], content["settings"], content["rows"], pictures)
