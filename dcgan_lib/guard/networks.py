"""What a network tells of itself, and a copy of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from dcgan_lib.errors import UserError
from dcgan_lib.guard.chance import drawing_alone

Shape = tuple[int | None, ...]


def shapes_of(network: keras.Model, end: str) -> list[Shape]:
    """Returns the shapes of a network's inputs or outputs; none if it does not tell them."""
    try:
        shapes = getattr(network, f"{end}_shape")
    except AttributeError:
        return []
    shapes = list(shapes.values()) if isinstance(shapes, dict) else shapes
    return shapes if isinstance(shapes, list) else [shapes]


def fits(made: Shape, taken: Shape) -> bool:
    """Tells whether two shapes may be the same; None is any number."""
    pairs = zip(made[1:], taken[1:], strict=False)
    return len(made) == len(taken) and all(a == b or None in (a, b) for a, b in pairs)


def last_activation(network: keras.Model) -> Callable[..., Any] | None:
    """Returns the function at the end of a network, if it tells."""
    bare = (keras.layers.Reshape, keras.layers.Flatten, keras.layers.InputLayer)
    layers = [layer for layer in network.layers if not isinstance(layer, bare)]
    if layers and isinstance(layers[-1], keras.Model):
        return last_activation(layers[-1])
    return getattr(layers[-1], "activation", None) if layers else None


def copy_network(network: keras.Model) -> keras.Model:
    """Returns a network of the same shape with the same weights.

    Raises:
        UserError: a network whose layers Keras cannot list, and so not copy.
    """
    if not shapes_of(network, "input"):
        raise UserError(
            f"{type(network).__name__} cannot be copied for the average; accepted: ema_decay=0, or "
            "a keras.Sequential or keras.Model(inputs, outputs)"
        )
    with drawing_alone():
        copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    return copy


def seed_generators(network: keras.Model) -> list[keras.random.SeedGenerator]:
    """Returns what Dropout and noise layers draw from, in the order of the layers."""
    layers = network._flatten_layers(include_self=False)  # those of networks inside it too
    generators = (getattr(layer, "seed_generator", None) for layer in layers)
    return [generator for generator in generators if generator is not None]
