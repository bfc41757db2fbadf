"""Gathers the results of many runs in one table. Needs nothing but Python.

    python hpc/gather.py runs/*

Shown are the settings in which the runs differ, how far each is, and its scores: the Fréchet
distance on held-out images, last and best of quality.csv, and on the test images if
`dcgan evaluate` has measured it. `-` is: not measured.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any


def main(folders: list[str]) -> int:
    """Prints the table; 2 if no run was given, else 0."""
    runs = [Path(folder) for folder in folders if (Path(folder) / "recipe.json").is_file()]
    if not runs:
        print("gather.py: no run folder given; for example: gather.py runs/*", file=sys.stderr)
        return 2
    settings = [flat_settings(run) for run in runs]
    known_names = {name: None for each in settings for name in each}
    names = [n for n in known_names if len({str(each.get(n)) for each in settings}) > 1]
    rows = [
        {"run": str(run)} | {n: known.get(n, "-") for n in names} | progress(run) | scores(run)
        for run, known in zip(runs, settings, strict=True)
    ]
    print_table(rows)
    unfinished = [str(run) for run in runs if not (run / "metrics.json").exists()]
    if unfinished:
        print(f"\n{len(unfinished)} of {len(runs)} not finished: {' '.join(unfinished)}")
    return 0


def flat_settings(run: Path) -> dict[str, Any]:
    """Returns the values of the recipe, and which data the run was trained on."""
    record = json.loads((run / "recipe.json").read_text())
    recipe = record["recipe"]
    return {"recipe": recipe.pop("name")} | recipe | {"data": record["data"]["name"]}


def progress(run: Path) -> dict[str, Any]:
    """Returns how far a run is."""
    logged = read_rows(run / "log.csv")
    last = logged[-1] if logged else {"step": 0, "seconds": 0}
    state = "finished" if (run / "metrics.json").exists() else "unfinished"
    return {"state": state, "step": last["step"], "seconds": f"{float(last['seconds']):.0f}"}


def scores(run: Path) -> dict[str, Any]:
    """Returns the last and best distance during the training, and that of the evaluation."""
    held_out = [float(row["frechet_distance"]) for row in read_rows(run / "quality.csv")]
    tested = None
    if (run / "metrics.json").exists():
        quality = json.loads((run / "metrics.json").read_text()).get("quality")
        tested = quality and quality["generator"]["frechet_distance"]
    values = {
        "last": held_out[-1] if held_out else None,
        "best": min(held_out, default=None),
        "test": tested,
    }
    return {name: "-" if value is None else f"{value:.1f}" for name, value in values.items()}


def read_rows(path: Path) -> list[dict[str, str]]:
    """Returns the complete rows of a CSV file; none if there is no such file."""
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return [row for row in csv.DictReader(file) if None not in row.values()]


def print_table(rows: list[dict[str, Any]]) -> None:
    """Prints rows that all have the same keys."""
    lines = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
