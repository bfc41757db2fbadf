"""Trained generators that come with the package, each with a card that says what it is.

They are plain arrays in half precision: any version of Keras can read them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras

from dcgan_lib.building import build_networks
from dcgan_lib.errors import UserError
from dcgan_lib.guard.chance import drawing_alone, layer_precision
from dcgan_lib.recipes import EARLIER, Recipe
from dcgan_lib.shelf.stored import WEIGHTS, read_weights, weights_hash

EXPLORER_PAGE = Path(__file__).parent / "explorer.html"  # from explorer/


def published() -> list[str]:
    """Returns the names of the generators that come with the package."""
    return sorted(path.stem.removeprefix("generator-") for path in WEIGHTS.glob("generator-*.npz"))


def model_card(name: str) -> dict[str, Any]:
    """Returns what a published generator is: recipe, data, command, scores, limits, hash.

    Also how its training went: the columns of the run's `log.csv` and `quality.csv`, as lists.

    Raises:
        UserError: an unknown name.
    """
    if name not in published():
        raise UserError(f"no published generator {name!r}; known: {', '.join(published())}")
    return json.loads((WEIGHTS / f"generator-{name}.json").read_text())


def load_pretrained(name: str = "fast") -> keras.Model:
    """Loads a generator that comes with the package.

    Returns:
        A model from (batch, latent_dim), or for the conditional ones from that and
        one-hot labels (batch, 10), to images (batch, 28, 28, 1) in [-1, 1].

    Raises:
        UserError: an unknown name, or weights that are not those of the card.
    """
    card = model_card(name)
    weights = read_weights(WEIGHTS / f"generator-{name}.npz")
    if weights_hash(weights) != card["hash"]:
        raise UserError(
            f"the weights of {name!r} are not those of its card; install the package again"
        )
    recipe = Recipe(**EARLIER | card["recipe"])
    with drawing_alone(), layer_precision("float32"):
        generator, _ = build_networks(recipe, tuple(card["image_shape"]))
    generator.set_weights(weights)
    return generator
