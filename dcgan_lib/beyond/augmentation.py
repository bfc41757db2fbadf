"""Changes of what the discriminator sees, so that it cannot learn few images by heart.

Taught in notebook 10.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from dcgan_lib.recipes import Recipe

# Measured with `fast`: benchmarks/LOG.md
FEW = 5_000  # images; more are not learned by heart in 2,000 steps
SAFE = 10_000  # images; with fewer, one start in ten or fifty fails if both players move at once


@keras.saving.register_keras_serializable("dcgan_lib")
class Augmentation(layers.Layer):
    """Changes each image of a batch at random while a discriminator trains, and no image later.

    Real and drawn images pass through it alike, and the generator learns through it, so that what
    it draws is not changed: an image cannot be told real by how it was moved. Images are
    (batch, height, width, channels) in [-1, 1]; what comes in at an edge is black.

    Args:
        kinds: of these, any: `shift` by up to an eighth of the side, `turn` by up to 10 degrees,
            `scale` by up to a tenth, `flip` left and right (a mirrored 3 is no 3), `cutout` of a
            square of half the side, `color`: brightness, saturation and contrast.

    Source: Zhao et al., "Differentiable Augmentation for Data-Efficient GAN Training" (2020);
    Karras et al., "Training Generative Adversarial Networks with Limited Data" (2020). Taught in
    notebook 10.
    """

    def __init__(self, kinds: Sequence[str], **kwargs: Any) -> None:
        super().__init__(dtype="float32", **kwargs)
        self.kinds = tuple(kinds)
        self.seed_generator = keras.random.SeedGenerator(0)  # the game sets it at each step

    def get_config(self) -> dict[str, Any]:
        config = super().get_config() | {"kinds": self.kinds}
        del config["dtype"]
        return config

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        if not training:
            return images
        if {"shift", "turn", "scale", "flip"} & set(self.kinds):
            # Only with a constant edge is TensorFlow's gradient that of this operation.
            images = ops.image.affine_transform(
                images, self.movements(images), fill_mode="constant", fill_value=-1.0
            )
        if "color" in self.kinds:
            images = self.recolor(images)
        return images * self.windows(images) if "cutout" in self.kinds else images

    def draw(self, kind: str, images: tf.Tensor, limit: float) -> tf.Tensor:
        """Draws one number from -limit to limit for each image; 0 for a kind that is off."""
        shape = (ops.shape(images)[0],)
        if kind not in self.kinds:
            return ops.zeros(shape)
        return keras.random.uniform(shape, -limit, limit, seed=self.seed_generator)

    def movements(self, images: tf.Tensor) -> tf.Tensor:
        """Returns (batch, 8): from where each pixel (x, y) is taken, as `affine_transform` asks."""
        height, width = images.shape[1:3]
        angle = self.draw("turn", images, np.pi / 18)
        size = ops.exp(self.draw("scale", images, 0.1))
        mirror = ops.sign(self.draw("flip", images, 1.0) + 1e-9)
        a, b = size * ops.cos(angle), size * ops.sin(angle)
        x, y = (width - 1) / 2, (height - 1) / 2  # the middle stays, but for the shift
        right = x + self.draw("shift", images, width / 8)
        down = y + self.draw("shift", images, height / 8)
        rows = [mirror * a, -b, right - mirror * a * x + b * y]
        rows += [mirror * b, a, down - mirror * b * x - a * y, 0 * a, 0 * a]
        return ops.stack(rows, axis=1)

    def recolor(self, images: tf.Tensor) -> tf.Tensor:
        each = (-1, 1, 1, 1)
        images = images + ops.reshape(self.draw("color", images, 0.5), each)
        grey = ops.mean(images, axis=3, keepdims=True)
        images = grey + (images - grey) * ops.reshape(1 + self.draw("color", images, 1.0), each)
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        return mean + (images - mean) * ops.reshape(1 + self.draw("color", images, 0.5), each)

    def windows(self, images: tf.Tensor) -> tf.Tensor:
        """Returns 0 in a square of half the side, anywhere, and 1 elsewhere."""
        inside = []
        for side in images.shape[1:3]:
            middle = (side - 1) / 2 + self.draw("cutout", images, side / 2)
            inside.append(ops.abs(ops.arange(side, dtype="float32") - middle[:, None]) < side / 4)
        hidden = ops.logical_and(inside[0][:, :, None], inside[1][:, None, :])
        return 1.0 - ops.cast(hidden, "float32")[..., None]


def with_augmentation(discriminator: keras.Model, kinds: Sequence[str]) -> keras.Model:
    """Returns a discriminator of the same layers that trains on changed images."""
    images, *labels = discriminator.inputs
    seen = Augmentation(kinds, name="augmentation")(images)
    verdict = discriminator([seen, *labels] if labels else seen)
    return keras.Model(discriminator.input, verdict, name=discriminator.name)


def suited_to(recipe: Recipe, num_images: int, image_shape: tuple[int, int, int]) -> Recipe:
    """Returns a recipe with what it leaves open chosen for so many training images."""
    kinds = ("shift", "turn", "scale", *(("color",) if image_shape[-1] == 3 else ()))
    usual = {"augmentations": kinds if num_images < FEW else (), "simultaneous": num_images >= SAFE}
    return recipe.replace(**{k: v for k, v in usual.items() if getattr(recipe, k) is None})
