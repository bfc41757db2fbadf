"""Images as networks take them: in [-1, 1], in batches, some of them held out.

Taught in notebook 01; other datasets than MNIST in notebook 10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dcgan_lib.datasets import load_images
from dcgan_lib.datasets.groups import find_groups
from dcgan_lib.datasets.parts import check_batch_size, data_hash, hold_out_indices, load_parts
from dcgan_lib.datasets.ranges import as_pixels
from dcgan_lib.latent import CLASSES, one_hot
from dcgan_lib.recipes import CallOptions, Recipe

if TYPE_CHECKING:
    import tensorflow as tf


def scale(images: np.ndarray) -> np.ndarray:
    """Turns images (N, H, W) or (N, H, W, C) into float32 (N, H, W, C) in [-1, 1].

    That is the range of the generator's tanh. Images are uint8, bool, whole numbers up to 255,
    uint16, or floats in [0, 1], [-1, 1] or [0, 255].

    Raises:
        UserError: another range, or values that are not finite.

    Taught in notebook 01.
    """
    return with_channels(as_pixels(images)).astype(np.float32) / 127.5 - 1.0


def unscale(images: np.ndarray) -> np.ndarray:
    """Turns floats in [-1, 1] into uint8 from 0 to 255: the inverse of `scale`.

    Values outside are clipped; the shape stays.
    """
    return np.clip(np.rint((np.asarray(images) + 1.0) * 127.5), 0, 255).astype(np.uint8)


def training_batches(
    images: np.ndarray,
    batch_size: int,
    seed: int = 0,
    first_step: int = 0,
    labels: np.ndarray | None = None,
) -> tf.data.Dataset:
    """An endless stream of shuffled batches, each a pure function of (seed, step).

    Every epoch is a new order drawn from (seed, epoch); its last batch may be smaller.

    Args:
        images: (N, H, W) or (N, H, W, C), in a range that `scale` takes.
        first_step: where in the stream to begin, so that a resumed run sees what it would
            have seen.
        labels: (N,) or (N, classes), to go along with the images.

    Yields:
        float32 (up to `batch_size`, H, W, C) in [-1, 1]; with `labels`, a pair of these and
        their labels.

    Raises:
        UserError: no images, an empty batch, or one larger than the dataset; as `scale`.

    Taught in notebook 01.
    """
    import tensorflow as tf

    check_batch_size(len(images), batch_size)
    steps_per_epoch = -(-len(images) // batch_size)
    first_epoch, skip = divmod(first_step, steps_per_epoch)
    pixels = tf.constant(with_channels(as_pixels(images)))

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(images)), seed=tf.stack([tf.cast(seed, tf.int64), epoch])
        )
        batches = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
        return batches.skip(skip) if epoch == first_epoch else batches

    def look_up(indices: tf.Tensor) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        batch = tf.cast(tf.gather(pixels, indices), tf.float32) / 127.5 - 1.0
        return batch if labels is None else (batch, tf.gather(labels, indices))

    epochs = tf.data.Dataset.range(first_epoch, 2**31, output_type=tf.int64)
    return endless(epochs.flat_map(one_epoch).map(look_up).prefetch(4), steps_per_epoch)


def endless(stream: tf.data.Dataset, steps_per_epoch: int) -> tf.data.Dataset:
    """Tells `fit` that a stream never ends, and after how many batches an epoch does."""
    import tensorflow as tf

    stream = stream.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
    stream.steps_per_epoch = steps_per_epoch
    return stream


class TrainingSet(NamedTuple):
    """What a recipe trains on.

    Attributes:
        images: uint8 (N, H, W, C).
        labels: one-hot float32 (N, classes) for a conditional recipe, else None; of a recipe with
            groups, they tell the group.
        held_out: uint8 (M, H, W, C), never trained on: they measure the run.
        source: the record of where all this came from; goes into the run's `recipe.json`.
        about: what has been done to one's own images, in a line; empty for others.
    """

    images: np.ndarray
    labels: np.ndarray | None
    held_out: np.ndarray
    source: dict[str, Any]
    about: str = ""

    @property
    def sizes(self) -> tuple[int, tuple[int, ...], int, np.ndarray | None]:
        """What a game is built for: images, shape of one, labels, and of groups their shares."""
        classes = CLASSES if self.labels is None else self.labels.shape[1]
        shares = self.labels.mean(axis=0) if "groups" in self.source else None
        return len(self.images), self.images.shape[1:], classes, shares

    def examples(self, count: int) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Returns the first images as the discriminator takes them: scaled, with their labels."""
        images = scale(self.images[:count])
        return images if self.labels is None else (images, self.labels[:count])


def load_training_set(
    recipe: Recipe,
    data: str = "auto",
    max_images: int | None = None,
    known: dict[str, Any] | None = None,
    **reading: Any,
) -> TrainingSet:
    """Loads what a recipe may train on.

    Args:
        data: as in `load_images`.
        max_images: use only the first N images.
        known: the record of the run that is resumed, if any (see `load_parts`).
        reading: `image_size` and `transpose`, as in `load_images`.

    Raises:
        UserError: no images, or fewer than a batch; labels that a conditional recipe cannot use.
    """
    CallOptions(max_images=max_images)  # refuses what is no number above 0
    named = recipe.conditional and not recipe.groups
    parts = load_parts(data, recipe.hold_out, max_images, known, named, **reading)
    check_batch_size(len(parts.images), recipe.batch_size)
    labels = one_hot(parts.labels, len(parts.classes)) if named else None
    if recipe.groups:
        found = find_groups(parts.images, recipe.groups, recipe.seed)
        labels, parts.source["groups"] = one_hot(found, recipe.groups), data_hash(found)
    images, held_out = with_channels(parts.images), with_channels(parts.held_out)
    return TrainingSet(images, labels, held_out, parts.source, parts.about)


def with_channels(images: np.ndarray) -> np.ndarray:
    """Returns grey images (N, H, W) as (N, H, W, 1), and others as they are."""
    return images[..., np.newaxis] if images.ndim == 3 else images
