"""Which latent vector draws a given image? Known as GAN inversion, or latent projection.

Taught in notebook 05.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from dcgan_lib.data import scale, with_channels
from dcgan_lib.errors import UserError
from dcgan_lib.latent import generator_input, latent_dim_of, one_hot, sample_latent, takes_labels

CANDIDATES = 2000  # random drawings, the nearest of which are the starts

ROWS = 512  # vectors that move at once; more take more memory, and are not faster


class Inversion(NamedTuple):
    """Latent vectors of given images.

    Attributes:
        latent: float32 (N, latent_dim).
        labels: int (N,), of a generator that takes labels or groups; else None.
        errors: float32 (N,), the mean squared difference between what they draw and the images,
            both in [-1, 1]: 0 for the same image.
    """

    latent: np.ndarray
    labels: np.ndarray | None
    errors: np.ndarray


class Candidates(NamedTuple):
    """Random drawings: latent vectors, labels (or None), flat images, each row one of them."""

    latent: np.ndarray
    labels: np.ndarray | None
    drawn: np.ndarray


def find_latent(
    generator: keras.Model,
    images: np.ndarray,
    labels: Sequence[int] | np.ndarray | None = None,
    starts: int = 4,
    steps: int = 300,
    seed: int = 0,
) -> Inversion:
    """Finds the latent vectors from which a generator draws given images, as nearly as it can.

    The nearest of 2,000 random drawings are the starts. From there it goes downhill: each step
    changes the vectors so that their drawings come nearer to the image. The way may end in a small
    valley, so there are several starts, and the best end counts. The vectors stay about as long as
    those that the generator was trained on. What is found for an image does not depend on the
    others.

    Args:
        generator: plain or conditional.
        images: (N, H, W, C) or (N, H, W), of the generator's size, in any range that `scale` takes.
        labels: (N,), one for each image; by default those of the best starts.
        starts: for each image, from 1 to 512.
        steps: downhill, at least 1.
        seed: of the random drawings.

    Raises:
        UserError: images of another shape or range, impossible labels, or a number out of range.

    Sources: Creswell, Bharath, "Inverting the Generator of a Generative Adversarial Network"
    (2016); Lipton, Tripathi, "Precise Recovery of Latent Vectors from Generative Adversarial
    Networks" (2017). Taught in notebook 05.
    """
    if not (1 <= starts <= ROWS and steps >= 1):
        raise UserError(f"starts={starts}, steps={steps}; accepted: 1 to {ROWS}, and 1 or more")
    targets = _targets(generator, images)
    _check_labels(generator, labels, len(targets))
    candidates = _draw_candidates(generator, starts, seed)
    parts = []
    for first in range(0, len(targets), ROWS // starts):
        part = slice(first, first + ROWS // starts)
        wanted = None if labels is None else np.asarray(labels)[part]
        nearest = _nearest(candidates, targets[part], wanted)[:, :starts]
        parts.append(_best_end(generator, candidates, nearest, targets[part], steps))
    latent, found, errors = map(np.concatenate, zip(*parts, strict=True))
    return Inversion(latent, found if takes_labels(generator) else None, errors)


def _best_end(
    generator: keras.Model,
    candidates: Candidates,
    nearest: np.ndarray,
    targets: np.ndarray,
    steps: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Goes downhill from the candidates `nearest` (N, starts); returns the best for each target."""
    starts, chosen = nearest.shape[1], nearest.ravel()
    codes = []
    if takes_labels(generator):
        labels = candidates.labels[chosen]
        codes = [tf.constant(one_hot(labels, generator.input_shape[1][-1]))]

    def draw(z: tf.Tensor) -> tf.Tensor:
        return generator([z, *codes] if codes else z, training=False)

    many = targets.repeat(starts, axis=0)
    latent, errors = descend(draw, candidates.latent[chosen], many, steps)
    best = errors.reshape(-1, starts).argmin(axis=1) + starts * np.arange(len(targets))
    return latent[best], labels[best] if codes else best, errors[best]


def descend(
    draw: Callable[[tf.Tensor], tf.Tensor], latent: np.ndarray, targets: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Moves latent vectors (N, latent_dim) until they draw the targets (N, H, W, C).

    Args:
        draw: from latent vectors to images.

    Returns:
        The vectors, and the mean squared error of each, (N,).
    """
    z, usual = tf.Variable(latent), latent.shape[1] ** 0.5
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.2, steps))
    optimizer.build([z])

    def errors() -> tf.Tensor:
        return tf.reduce_mean(tf.square(draw(z) - targets), axis=(1, 2, 3))

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(errors())
        optimizer.apply([tape.gradient(total, z)], [z])
        length = tf.norm(z, axis=1, keepdims=True)
        z.assign(z * tf.clip_by_value(length, usual - 2, usual + 2) / length)

    for _ in range(steps):
        step()
    return z.numpy(), errors().numpy()


def _targets(generator: keras.Model, images: np.ndarray) -> np.ndarray:
    """Returns the images as the generator would draw them."""
    images, shape = with_channels(np.asarray(images)), generator.output_shape[1:]
    if images.shape[1:] != shape or len(images) == 0:
        accepted = ", ".join(map(str, shape))
        raise UserError(f"images of shape {images.shape}; accepted: (N, {accepted}), N above 0")
    return scale(images)


def _check_labels(generator: keras.Model, labels: Sequence[int] | None, count: int) -> None:
    if labels is None:
        return
    if np.shape(labels) != (count,):
        raise UserError(f"labels of shape {np.shape(labels)}; accepted: one for each of {count}")
    generator_input(generator, np.zeros(count), np.asarray(labels))  # refuses impossible ones


def _draw_candidates(generator: keras.Model, starts: int, seed: int) -> Candidates:
    """Draws at random, as many of each label, and `starts` of each or more."""
    classes = generator.input_shape[1][-1] if takes_labels(generator) else 1
    count = max(CANDIDATES, classes * starts)
    latent = sample_latent(count, latent_dim_of(generator), seed)
    labels = np.arange(count) % classes if takes_labels(generator) else None
    inputs = generator_input(generator, latent, labels)
    images = generator.predict(inputs, batch_size=500, verbose=0)
    return Candidates(latent, labels, images.reshape(count, -1))


def _nearest(candidates: Candidates, targets: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Returns for each target the numbers of the candidates (with its label), nearest first."""
    products = targets.reshape(len(targets), -1) @ candidates.drawn.T
    distances = np.square(candidates.drawn).sum(axis=1) - 2 * products  # less the target's square
    if labels is not None:
        distances[candidates.labels != labels[:, np.newaxis]] = np.inf
    return np.argsort(distances, axis=1)
