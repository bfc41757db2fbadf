"""What `fit` and its like are given: brought into the form of a game, and looked at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from types import GeneratorType
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from dcgan_lib.errors import UserError
from dcgan_lib.guard.networks import fits, last_activation, shapes_of

if TYPE_CHECKING:
    from dcgan_lib.guard.model import GameModel

Pair = tuple[Any, Any]  # what Keras calls x and y

BROUGHT = "`scale` brings images of any range to [-1, 1]"


def as_form(game: GameModel, batch: Any) -> Any:
    """Returns a batch as a game takes it: images, or a pair of images and one-hot labels."""
    images, *labels = batch if isinstance(batch, (tuple, list)) else (batch,)
    if not game.takes_labels:
        return images
    classes, labels = classes_of(game), tf.convert_to_tensor(labels[0])
    if len(labels.shape) == 2 and labels.shape[1] == classes:
        return images, tf.cast(labels, tf.float32)
    return images, tf.one_hot(tf.cast(tf.reshape(labels, [-1]), tf.int64), classes)


def classes_of(game: GameModel) -> int:
    return shapes_of(game.discriminator, "input")[1][-1]


def prepare(game: GameModel, x: Any, y: Any = None) -> Pair:
    """Returns what Keras is given in the place of `x` and `y`, once its beginning was looked at.

    A stream is asked for its first batch; only a Python generator's is put back.

    Raises:
        UserError: what cannot be trained on.
    """
    if isinstance(x, keras.utils.PyDataset):
        x = repeated(x)
    if isinstance(x, tf.data.Dataset):
        look(game, next(iter(x.take(1)), None))
        labels = [spec.shape.rank == 2 for spec in keras.tree.flatten(x.element_spec)[1:]]
        ready = labels == ([True] if game.takes_labels else [])
        return (x if ready else x.map(lambda *batch: as_form(game, batch))), None
    if isinstance(x, GeneratorType):
        first = next(x, None)
        look(game, first)
        return stream_of(game, itertools.chain([first], x)), None
    look(game, (x, y))
    images = np.asarray(x) if isinstance(x, list) else x
    formed = as_form(game, (images, y))
    return formed if game.takes_labels else (formed, None)


def stream_of(game: GameModel, batches: Iterator[Any]) -> tf.data.Dataset:
    """Returns the batches of a Python generator, which Keras would take in pairs only."""

    def formed() -> Iterator[Any]:
        for batch in batches:
            parts = as_form(game, batch)
            yield keras.tree.map_structure(lambda part: np.asarray(part, np.float32), parts)

    shapes = [(None, *shape[1:]) for shape in shapes_of(game.discriminator, "input")]
    specs = [tf.TensorSpec(shape, tf.float32) for shape in shapes or [None]]
    signature = tuple(specs) if game.takes_labels else specs[0]
    return tf.data.Dataset.from_generator(formed, output_signature=signature)


def repeated(batches: keras.utils.PyDataset) -> Iterator[Any]:
    """Yields the batches of a Keras dataset again and again."""
    while True:
        yield from map(batches.__getitem__, range(len(batches)))
        batches.on_epoch_end()


def steps_of(x: Any) -> int | None:
    """Returns how many batches of an endless stream are an epoch, if it tells.

    Raises:
        UserError: an endless stream that does not.
    """
    if isinstance(x, keras.utils.PyDataset):
        return len(x)
    told = getattr(x, "steps_per_epoch", None)
    if (
        told is None
        and isinstance(x, tf.data.Dataset)
        and int(x.cardinality()) == tf.data.INFINITE_CARDINALITY
    ):
        raise UserError("an endless stream of batches; needed: steps_per_epoch=")
    return told


def look(game: GameModel, batch: Any) -> None:
    """Raises UserError unless the game can be played with such a batch."""
    images, *labels = batch if isinstance(batch, (tuple, list)) else (batch,)
    images = np.asarray(images) if images is not None else np.zeros(0)
    if len(images) == 0:
        raise UserError("no images: the data are empty; at least one is needed")
    wanted = shapes_of(game.discriminator, "input")
    if wanted and not fits(images.shape, wanted[0]):
        raise UserError(
            f"images of shape {images.shape}; needed: (N, {str(wanted[0][1:])[1:-1]}), in batches"
        )
    look_at_range(game, images)
    if game.takes_labels:
        if not labels or labels[0] is None:
            raise UserError("images alone; a conditional game needs pairs (images, labels)")
        numbers, classes = np.asarray(labels[0]), classes_of(game)
        one_hot = numbers.ndim == 2 and numbers.shape[1] == classes
        if not one_hot and not (numbers.min() >= 0 and numbers.max() < classes):
            raise UserError(
                f"labels from {numbers.min()} to {numbers.max()}; accepted: 0 to {classes - 1}"
            )


def look_at_range(game: GameModel, images: np.ndarray) -> None:
    """Raises UserError for values that are no numbers, or not in the range of G's last layer."""
    low, high = float(images.min()), float(images.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise UserError("the images hold values that are not finite numbers")
    last = last_activation(game.generator)
    found = f"the real images go from {low:g} to {high:g}"
    if last is keras.activations.tanh and (
        low < -1.01 or high > 1.01 or (low >= 0.0 and low < high)
    ):
        raise UserError(f"{found}; needed: from -1 to 1, as the generator's tanh draws ({BROUGHT})")
    if last is keras.activations.sigmoid and (low < -0.01 or high > 1.01):
        raise UserError(f"{found}; needed: from 0 to 1, as the generator's sigmoid draws")
    if images.ndim == 4 and high > 32:
        raise UserError(f"{found}; needed: the range that the generator draws ({BROUGHT})")
