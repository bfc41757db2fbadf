"""Networks that a run begins with: those of another run, or a published generator."""

from __future__ import annotations

import difflib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dcgan_lib.beyond.conditional import Shares
from dcgan_lib.errors import UserError
from dcgan_lib.gan import DCGAN
from dcgan_lib.recipes import EARLIER, Recipe
from dcgan_lib.runs.files import atomic_path
from dcgan_lib.runs.folder import FROM, recorded
from dcgan_lib.runs.loading import find_generator, load_network
from dcgan_lib.shelf.pretrained import model_card, published
from dcgan_lib.shelf.stored import weights_hash

Block = list[keras.layers.Layer]  # a layer, and the BatchNorm that belongs to it

Weights = list[list[np.ndarray]]  # of one network, block by block


class Transfer:
    """Where the weights come from that a run begins with, and what they are.

    The run keeps a copy of them in its folder: from then on it does not need the source.

    Args:
        source: a folder or file by its full path, or the name of a published generator.
        hash: of all the weights.
        players: what each network has, by its name; not known where a run is resumed.
        recipe: of the source, if it is known.
    """

    def __init__(
        self,
        source: str,
        hash: str,
        players: dict[str, Weights] | None = None,
        recipe: Recipe | None = None,
    ) -> None:
        self.record = {"source": source, "hash": hash}
        self.source = source
        self.hash = hash
        self.players = players
        self.recipe = recipe

    def begin(self, gan: DCGAN, folder: Path) -> str:
        """Gives a new game the weights that fit, and says in a line which they are.

        Raises:
            UserError: none fits; or they are not those of the record.
        """
        players, told, taken = self.kept_in(folder), [], 0
        for name, network in (("generator", gan.generator), ("discriminator", gan.discriminator)):
            blocks = blocks_of(network)
            new = take(blocks, players.get(name, []))
            taken += len(blocks) - len(new)
            told.append(f"{name} {len(blocks) - len(new)} of {len(blocks)} layers")
            if 0 < len(new) < len(blocks):
                told[-1] += f" (new: {', '.join(new)})"
        if not taken:
            raise UserError(
                f"start_from={self.source!r}: no layer there has the shape of one here; accepted: "
                "networks of the same widths and kernels, such as those of its own recipe"
            )
        if gan.sampler is not gan.generator:
            gan.sampler.set_weights(gan.generator.get_weights())
        return f"from {self.source}: {', '.join(told)}"

    def kept_in(self, folder: Path) -> dict[str, Weights]:
        """Returns the weights, of which a copy is then in the run's folder."""
        path = folder / FROM
        if path.exists():
            self.check(players := read_players(path), f"{str(path)!r} is damaged")
            return players
        players = self.players or players_of(self.source)
        self.check(players, f"start_from={self.source!r} has changed since this run began")
        with atomic_path(path) as temporary:
            np.savez(temporary, **dict(named_arrays(players)))
        return players

    def check(self, players: dict[str, Weights], complaint: str) -> None:
        if hash_of(players) != self.hash:
            raise UserError(f"{complaint}; --fresh (resume=False) starts the run again")


def find_transfer(
    recipe: str | Recipe | None, source: str | None, there: dict[str, Any]
) -> Transfer | None:
    """Returns what a run begins with; without a recipe and a source, as the run that is `there`.

    Raises:
        UserError: no such source.
    """
    known = there.get("started_from") or {}
    if source:
        path = Path(source).expanduser()
        named = source in published() and not path.exists()
        source = source if named else str(path.resolve())
    elif not recipe:
        source = known.get("source")
    if not source:
        return None
    if source == known.get("source"):  # which may be gone
        return Transfer(**known)
    players = players_of(source)
    return Transfer(source, hash_of(players), players, recipe_of(source))


def players_of(source: str) -> dict[str, Weights]:
    """Returns the weights of a run's two networks, or of a generator alone.

    Raises:
        UserError: no such run, file or published generator.
    """
    networks = {"generator": find_generator(source)}
    if Path(source).is_dir():
        networks["discriminator"] = load_network(Path(source) / "discriminator.keras")
    return {
        name: [[w for layer in block for w in layer.get_weights()] for block in blocks_of(network)]
        for name, network in networks.items()
    }


def recipe_of(source: str) -> Recipe | None:
    """Returns what a source was trained with; None where that is not known."""
    path = Path(source)
    if path.exists():
        return recorded(path)["recipe"] if path.is_dir() else None
    return Recipe(**EARLIER | model_card(source)["recipe"])


def weighted_layers(network: keras.Model) -> Iterator[keras.layers.Layer]:
    """Yields the layers that have weights, of networks inside it too; not what tells the data."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from weighted_layers(layer)
        elif layer.weights and not isinstance(layer, Shares):
            yield layer


def blocks_of(network: keras.Model) -> list[Block]:
    """Returns the layers that have weights, each with the BatchNorm that follows it."""
    blocks: list[Block] = []
    for layer in weighted_layers(network):
        if blocks and isinstance(layer, keras.layers.BatchNormalization):
            blocks[-1].append(layer)
        else:
            blocks.append([layer])
    return blocks


def take(blocks: list[Block], given: Weights) -> list[str]:
    """Gives blocks the weights of those, in the same order, that have the same shapes.

    Returns:
        The names of the layers that got none.
    """
    mine = [[weight for layer in block for weight in layer.weights] for block in blocks]
    shapes = [[tuple(tuple(w.shape) for w in block) for block in side] for side in (given, mine)]
    new = [block[0].name for block in blocks]
    matcher = difflib.SequenceMatcher(None, *shapes, autojunk=False)
    for there, here, count in matcher.get_matching_blocks():
        for weights, block in zip(given[there : there + count], blocks[here:], strict=False):
            for layer in block:
                layer.set_weights(weights[: len(layer.weights)])
                weights = weights[len(layer.weights) :]
            new.remove(block[0].name)
    return new


def named_arrays(players: dict[str, Weights]) -> Iterator[tuple[str, np.ndarray]]:
    """Yields each array with its name in the run's copy: network, layer and place in it."""
    for name, network in players.items():
        for i, layer in enumerate(network):
            for k, array in enumerate(layer):
                yield f"{name}-{i:04d}-{k:04d}", array


def hash_of(players: dict[str, Weights]) -> str:
    return weights_hash([array for _, array in named_arrays(players)])


def read_players(path: Path) -> dict[str, Weights]:
    """Reads the run's copy; of a damaged one, nothing."""
    players: dict[str, Weights] = {}
    try:
        with np.load(path, allow_pickle=False) as saved:
            for key in sorted(saved.files, key=lambda key: (key[0] != "g", key)):
                name, _, place = key.split("-")
                network = players.setdefault(name, [])
                if place == "0000":
                    network.append([])
                network[-1].append(saved[key])
    except (OSError, ValueError, IndexError, zipfile.BadZipFile):
        return {}
    return players
