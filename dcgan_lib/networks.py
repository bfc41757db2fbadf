"""The two players: generator and discriminator, convolutional or fully connected.

The generator is taught in notebook 02, the discriminator in notebook 03.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf
from keras import layers

from dcgan_lib.errors import UserError
from dcgan_lib.recipes import FAST, Recipe

ImageShape = tuple[int, int, int]

MNIST_SHAPE: ImageShape = (28, 28, 1)


def build_generator(
    recipe: Recipe = FAST, image_shape: ImageShape = MNIST_SHAPE
) -> keras.Sequential:
    """Builds the network that turns random numbers into images.

    Dense layers make a small, deep picture of the latent vector; each transposed convolution
    makes it larger and thinner, up to `image_shape`.

    Args:
        recipe: gives `latent_dim`, `generator_*` and `batch_norm_momentum`.
        image_shape: (height, width, channels) of the images to draw.

    Returns:
        A model from (batch, latent_dim), standard normal, to (batch, height, width,
        channels) in [-1, 1].

    Raises:
        UserError: the strides do not divide the image's sides.

    Source: Radford, Metz, Chintala, "Unsupervised Representation Learning with Deep
    Convolutional Generative Adversarial Networks" (2016), section 3; the hidden Dense layer:
    Chen et al., "InfoGAN" (2016), appendix C.1. Taught in notebook 02.
    """
    if recipe.architecture == "dense":
        return build_dense_generator(recipe, image_shape)
    rows, columns = first_size(recipe, image_shape)
    widths, strides = recipe.generator_widths, recipe.generator_strides
    model = keras.Sequential(name="generator")
    model.add(keras.Input((recipe.latent_dim,)))
    for _ in range(recipe.generator_hidden_layers if recipe.generator_hidden else 0):
        model.add(layers.Dense(recipe.generator_hidden, use_bias=False))
        add_norm_and_activation(model, recipe)
    model.add(layers.Dense(rows * columns * widths[0], use_bias=False))
    add_norm_and_activation(model, recipe)
    model.add(layers.Reshape((rows, columns, widths[0])))
    for filters, stride in zip(widths[1:], strides, strict=False):
        model.add(transposed_convolution(filters, stride, recipe))
        add_norm_and_activation(model, recipe)
        rows, columns = rows * stride, columns * stride
        assert model.output_shape == (None, rows, columns, filters)
    model.add(transposed_convolution(image_shape[-1], strides[-1], recipe))
    if recipe.generator_output_scale != 1.0:
        model.add(layers.Rescaling(recipe.generator_output_scale))
    model.add(layers.Activation("tanh", dtype="float32"))  # also where a recipe mixes precisions
    return model


def first_size(recipe: Recipe, image_shape: ImageShape) -> tuple[int, int]:
    """Returns (rows, columns) of the small picture that the strides enlarge to `image_shape`.

    Raises:
        UserError: the strides cannot reach that shape.
    """
    growth = math.prod(recipe.generator_strides)
    height, width, _ = image_shape
    if height % growth or width % growth:
        raise UserError(
            f"generator_strides={recipe.generator_strides} cannot reach {height}x{width} images: "
            f"both sides must be multiples of {growth}"
        )
    return height // growth, width // growth


def transposed_convolution(filters: int, stride: int, recipe: Recipe) -> layers.Layer:
    """Returns a layer from (batch, h, w, c) to (batch, h * stride, w * stride, filters)."""
    return layers.Conv2DTranspose(
        filters, recipe.generator_kernel, stride, padding="same", use_bias=False
    )


def add_norm_and_activation(model: keras.Sequential, recipe: Recipe) -> None:
    """Adds the generator's BatchNorm (if any) and ReLU or LeakyReLU to `model`."""
    if recipe.generator_batch_norm:
        model.add(layers.BatchNormalization(momentum=recipe.batch_norm_momentum))
    model.add(layers.ReLU(negative_slope=recipe.generator_negative_slope))


def build_discriminator(
    recipe: Recipe = FAST, image_shape: ImageShape = MNIST_SHAPE
) -> keras.Model:
    """Builds the network that tells real images from generated ones.

    Convolutions of stride 2 make the picture smaller and deeper; Dense layers turn what is
    left into one number.

    Args:
        recipe: gives `discriminator_*`, `minibatch_stddev`, `dropout` and `batch_norm_momentum`.
        image_shape: (height, width, channels) of the images to tell apart.

    Returns:
        A model from (batch, height, width, channels) in [-1, 1] to (batch, 1): logits, or
        with `discriminator_output="sigmoid"` probabilities. High means real.

    Source: Radford, Metz, Chintala (2016), section 3; the hidden Dense layer: Chen et al.
    (2016), appendix C.1. Taught in notebook 03.
    """
    if recipe.architecture == "dense":
        return build_dense_discriminator(recipe, image_shape)
    x = images = keras.Input(image_shape, name="image")
    for i, filters in enumerate(recipe.discriminator_widths):
        maps = layers.Conv2D(filters, recipe.discriminator_kernel, 2, padding="same")(x)
        x = add_norm_leak_dropout(maps, recipe, norm=recipe.discriminator_batch_norm and i > 0)
    x = layers.Flatten()(x)
    if recipe.discriminator_hidden:
        x = layers.Dense(recipe.discriminator_hidden)(x)
        x = add_norm_leak_dropout(x, recipe, norm=recipe.discriminator_batch_norm)
    if recipe.minibatch_stddev:
        x = layers.Concatenate(dtype="float32")([x, MinibatchStddev(dtype="float32")(maps)])
    return keras.Model(images, add_verdict(x, recipe), name="discriminator")


def add_norm_leak_dropout(x: tf.Tensor, recipe: Recipe, norm: bool) -> tf.Tensor:
    """Passes `x` through what follows each of the discriminator's layers but the last."""
    if norm:
        x = layers.BatchNormalization(momentum=recipe.batch_norm_momentum)(x)
    x = layers.LeakyReLU(recipe.discriminator_negative_slope)(x)
    return layers.Dropout(recipe.dropout)(x) if recipe.dropout else x


def add_verdict(x: tf.Tensor, recipe: Recipe) -> tf.Tensor:
    """Passes `x` through the discriminator's last layer: one number for each image."""
    activation = "sigmoid" if recipe.discriminator_output == "sigmoid" else "linear"
    return layers.Dense(1, activation=activation, dtype="float32")(x)


class MinibatchStddev(layers.Layer):
    """Tells how far the images of a batch differ: one number, the same for each of them.

    It is the standard deviation over the batch, averaged over all features: (batch, ...) becomes
    (batch, 1). Where samples have collapsed to one picture, it is 0.

    Attributes:
        synchronized: whether the images of all devices count as one batch.

    Source: Karras et al., "Progressive Growing of GANs" (2018), section 3. Taught in notebook 03.
    """

    synchronized = False

    def call(self, features: tf.Tensor) -> tf.Tensor:
        _, variance = keras.ops.moments(features, axes=[0], synchronized=self.synchronized)
        stddev = tf.reduce_mean(tf.sqrt(variance + 1e-8))  # the root's own slope is infinite at 0
        return tf.fill((tf.shape(features)[0], 1), stddev)


keras.saving.register_keras_serializable("dcgan_lib")(MinibatchStddev)  # a file may hold it


def build_dense_generator(
    recipe: Recipe, image_shape: ImageShape = MNIST_SHAPE
) -> keras.Sequential:
    """Builds the generator of the first GANs, of fully connected layers only.

    Shapes and ranges as in `build_generator`. Source: Goodfellow et al., "Generative
    Adversarial Nets" (2014). Taught in notebook 06.
    """
    model = keras.Sequential(name="generator")
    model.add(keras.Input((recipe.latent_dim,)))
    for units in recipe.generator_widths:
        model.add(layers.Dense(units, use_bias=not recipe.generator_batch_norm))
        add_norm_and_activation(model, recipe)
    model.add(layers.Dense(math.prod(image_shape), activation="tanh", dtype="float32"))
    model.add(layers.Reshape(image_shape, dtype="float32"))
    assert model.output_shape == (None, *image_shape)
    return model


def build_dense_discriminator(recipe: Recipe, image_shape: ImageShape = MNIST_SHAPE) -> keras.Model:
    """Builds the discriminator of the first GANs, of fully connected layers only.

    Shapes and ranges as in `build_discriminator`. Source: Goodfellow et al. (2014).
    Taught in notebook 06.
    """
    images = keras.Input(image_shape, name="image")
    x = layers.Flatten()(images)
    for units in recipe.discriminator_widths:
        x = add_norm_leak_dropout(layers.Dense(units)(x), recipe, norm=False)
    return keras.Model(images, add_verdict(x, recipe), name="discriminator")
