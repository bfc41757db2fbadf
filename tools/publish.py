"""Puts the generator of a finished run, scored by both evaluators, into the package.

python tools/publish.py RUN
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

import dcgan_lib

dcgan_lib.import_tensorflow()

from dcgan_lib import RECIPES, UserError, load_run, read_log
from dcgan_lib.runs.files import atomic_path, write_json
from dcgan_lib.runs.folder import FINISHED, QUALITY, read_record
from dcgan_lib.shelf.stored import WEIGHTS, weights_hash, write_weights

LIMITS = (
    "Draws 28x28 grey digits in the style of MNIST, and nothing else. Trained to be looked at in "
    "lessons: do not use its images as data for anything that matters."
)


def publish(run: str | Path, folder: Path = WEIGHTS) -> Path:
    """Puts the generator of a finished and evaluated run into the package.

    Returns:
        The path of its card.

    Raises:
        UserError: a run that is not finished, not of a recipe as it stands, without a quality
            curve, or not scored by both evaluators.
    """
    finished, record = load_run(run), read_record(run)
    curve = read_log(Path(run) / QUALITY)
    numbers = json.loads((Path(run) / FINISHED).read_text("utf-8"))
    if not {"quality", "quality_second"} <= numbers.keys():
        both = "dcgan evaluate RUN, and again with --evaluator second"
        raise UserError(f"run {str(run)!r} is not scored by both evaluators; do {both}")
    name = finished.recipe.name
    if finished.recipe != RECIPES.get(name):
        raise UserError(f"run {str(run)!r} has settings of its own; published are plain recipes")
    weights = [weight.astype(np.float16) for weight in finished.generator.get_weights()]
    with atomic_path(folder / f"generator-{name}.npz") as temporary:
        write_weights(temporary, weights)
    data = {key: record["data"][key] for key in ("name", "images", "hash")}
    card = {
        "name": name,
        "hash": weights_hash(weights),
        "parameters": finished.generator.count_params(),
        "image_shape": finished.generator.output_shape[1:],
        "command": f"dcgan train --recipe {name}",
        "training_seconds": numbers["training_seconds"],
        "data": data,
        "versions": record["versions"],
        "scores": {key: numbers[key] for key in ("quality", "quality_second")},
        "log": columns(finished.log),
        "quality_curve": columns(curve),
        "limits": LIMITS,
        "recipe": record["recipe"],
    }
    path = folder / f"generator-{name}.json"
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    if known.get("hash") == card["hash"]:  # of several equal runs the shortest counts
        card["training_seconds"] = min(card["training_seconds"], known["training_seconds"])
    write_json(path, card)
    return path


def columns(log: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Returns the columns of a log, rounded; not the seconds, which other work may have slowed."""
    kept = {name: values for name, values in log.items() if name != "seconds"}
    return {name: np.round(values, 4).tolist() for name, values in kept.items()}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        print(publish(sys.argv[1]))
    except UserError as error:
        sys.exit(f"error: {error}")
