"""A DCGAN that is told which digit to draw, or which of many groups of similar images.

Taught in notebook 09.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dcgan_lib.gan import DCGAN
from dcgan_lib.latent import CLASSES
from dcgan_lib.networks import MNIST_SHAPE, ImageShape, build_discriminator, build_generator
from dcgan_lib.recipes import Recipe

Pair = tuple[tf.Tensor, tf.Tensor]  # of images or latent vectors, and one-hot labels


def build_conditional_generator(
    recipe: Recipe, image_shape: ImageShape = MNIST_SHAPE, classes: int = CLASSES
) -> keras.Model:
    """Builds a generator of two inputs: random numbers, and the label of the digit to draw.

    Returns:
        A model from [(batch, latent_dim) standard normal, (batch, classes) one-hot labels] to
        (batch, height, width, channels) in [-1, 1].

    Raises:
        UserError: as `build_generator`.

    Source: Mirza, Osindero, "Conditional Generative Adversarial Nets" (2014). Taught in
    notebook 09.
    """
    latent = keras.Input((recipe.latent_dim,), name="latent")
    label = keras.Input((classes,), name="label")
    body = build_generator(recipe.replace(latent_dim=recipe.latent_dim + classes), image_shape)
    images = body(layers.Concatenate()([latent, label]))
    return keras.Model([latent, label], images, name="generator")


@keras.saving.register_keras_serializable("dcgan_lib")
class Shares(layers.Layer):
    """Passes labels on, and remembers what share of the training images has each.

    Digits are alike in number, groups are not: who draws without asking for one should get each as
    often as it occurs.
    """

    def build(self, shape: tuple[int | None, int]) -> None:
        alike = keras.initializers.Constant(1 / shape[-1])
        self.shares = self.add_weight((shape[-1],), alike, trainable=False, name="shares")

    def call(self, labels: tf.Tensor) -> tf.Tensor:
        return labels


def with_shares(generator: keras.Model, shares: np.ndarray | None = None) -> keras.Model:
    """Returns a conditional generator that knows how often each label occurs, (classes,)."""
    latent, label = generator.inputs
    layer = Shares(name="shares")
    model = keras.Model([latent, label], generator([latent, layer(label)]), name="generator")
    if shares is not None:
        layer.set_weights([shares])
    return model


def build_conditional_discriminator(
    recipe: Recipe, image_shape: ImageShape = MNIST_SHAPE, classes: int = CLASSES
) -> keras.Model:
    """Builds a discriminator that asks: is this a real image *of this digit*?

    It has one verdict for images as such, and one for each digit; the label picks the second.

    Returns:
        A model from [images (batch, height, width, channels) in [-1, 1], (batch, classes) one-hot
        labels] to (batch, 1), as `build_discriminator`.

    Source: Miyato, Koyama, "cGANs with Projection Discriminator" (2018), equation 3. Taught in
    notebook 09.
    """
    plain = build_discriminator(recipe, image_shape)
    label = keras.Input((classes,), name="label")
    features = plain.layers[-1].input
    in_general = layers.Dense(1, dtype="float32")(features)
    for_each_digit = layers.Dense(classes, use_bias=False, dtype="float32")(features)
    for_this_digit = layers.Dot(axes=1, dtype="float32")([for_each_digit, label])
    x = layers.Add(dtype="float32")([in_general, for_this_digit])
    if recipe.discriminator_output == "sigmoid":
        x = layers.Activation("sigmoid", dtype="float32")(x)
    return keras.Model([plain.input, label], x, name="discriminator")


@keras.saving.register_keras_serializable("dcgan_lib")
class ConditionalDCGAN(DCGAN):
    """A DCGAN on pairs (images, one-hot labels); fake images are asked for the labels of real ones.

    Called on [latent vectors, labels], it returns images. Taught in notebook 09.
    """

    takes_labels = True

    def latent_noise(self, like: Pair, stream: str, move: int = 0) -> Pair:
        """Draws a latent vector for each image of a batch, and adds the image's label."""
        images, labels = like
        return super().latent_noise(images, stream, move), labels

    def draw(self, noise: Pair) -> Pair:
        """Draws images, each with the label that was asked for."""
        _, labels = noise
        return self.generator(noise, training=True), labels

    def noisy(self, real: Pair) -> Pair:
        images, labels = real
        return super().noisy(images), labels
