"""Trained generators that come with the package, each with a card that says what it is.

They are plain arrays in half precision: any version of Keras can read them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcgan_lib.checkpoints import FINISHED, QUALITY, atomic_path, read_record, write_json
from dcgan_lib.errors import UserError
from dcgan_lib.evaluator import FOLDER, weights_hash
from dcgan_lib.plots import read_log
from dcgan_lib.recipes import RECIPES, Recipe
from dcgan_lib.training import build_networks, load_generator, load_run

EXPLORER_PAGE = Path(__file__).parent / "published" / "explorer.html"  # from explorer/
LIMITS = (
    "Draws 28x28 grey digits in the style of MNIST, and nothing else. Trained to be looked at in "
    "lessons: do not use its images as data for anything that matters."
)


def published() -> list[str]:
    """Returns the names of the generators that come with the package."""
    return sorted(path.stem.removeprefix("generator-") for path in FOLDER.glob("generator-*.npz"))


def model_card(name: str) -> dict[str, Any]:
    """Returns what a published generator is: recipe, data, command, scores, limits, hash.

    Also how its training went: the columns of the run's `log.csv` and `quality.csv`, as lists.

    Raises:
        UserError: an unknown name.
    """
    if name not in published():
        raise UserError(f"no published generator {name!r}; known: {', '.join(published())}")
    return json.loads((FOLDER / f"generator-{name}.json").read_text())


def load_pretrained(name: str = "fast") -> keras.Model:
    """Loads a generator that comes with the package.

    Returns:
        A model from (batch, latent_dim), or for the conditional ones from that and
        one-hot labels (batch, 10), to images (batch, 28, 28, 1) in [-1, 1].

    Raises:
        UserError: an unknown name, or weights that are not those of the card.
    """
    card = model_card(name)
    with np.load(FOLDER / f"generator-{name}.npz", allow_pickle=False) as saved:
        weights = [saved[key] for key in sorted(saved.files)]
    if weights_hash(weights) != card["hash"]:
        raise UserError(f"the weights of {name!r} are not those of its card; install anew")
    recipe = Recipe(**card["recipe"])
    generator, _ = build_networks(recipe, tuple(card["image_shape"]))
    generator.set_weights([weight.astype(np.float32) for weight in weights])
    return generator


def find_generator(source: str | Path) -> keras.Model:
    """Loads from a run folder or `.keras` file, or the published generator of that name.

    Raises:
        UserError: none of these.
    """
    if Path(source).exists():
        return load_generator(source)
    if str(source) in published():
        return load_pretrained(str(source))
    names = " or ".join(published())
    raise UserError(
        f"{str(source)!r} does not exist; accepted: a run folder, a .keras file, or {names}"
    )


def publish(run: str | Path, folder: Path = FOLDER) -> Path:
    """Puts the generator of a finished and evaluated run into the package.

    Returns:
        The path of its card.

    Raises:
        UserError: a run that is not finished, not of a recipe as it stands, without a quality
            curve, or not scored by both evaluators.
    """
    finished, record = load_run(run), read_record(run)
    curve = read_log(Path(run) / QUALITY)
    numbers = json.loads((Path(run) / FINISHED).read_text())
    if not {"quality", "quality_second"} <= numbers.keys():
        both = "dcgan evaluate RUN, and again with --evaluator second"
        raise UserError(f"run {str(run)!r} is not scored by both evaluators; do {both}")
    name = finished.recipe.name
    if finished.recipe != RECIPES.get(name):
        raise UserError(f"run {str(run)!r} has settings of its own; published are plain recipes")
    weights = [weight.astype(np.float16) for weight in finished.generator.get_weights()]
    with atomic_path(folder / f"generator-{name}.npz") as temporary:
        np.savez_compressed(temporary, **{f"{i:02d}": w for i, w in enumerate(weights)})
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
    known = json.loads(path.read_text()) if path.exists() else {}
    if known.get("hash") == card["hash"]:  # of several equal runs the shortest counts
        card["training_seconds"] = min(card["training_seconds"], known["training_seconds"])
    write_json(path, card)
    return path


def columns(log: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Returns the columns of a log, rounded; not the seconds, which other work may have slowed."""
    kept = {name: values for name, values in log.items() if name != "seconds"}
    return {name: np.round(values, 4).tolist() for name, values in kept.items()}
