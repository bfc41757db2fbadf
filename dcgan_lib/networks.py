"""The two players: generator and discriminator, convolutional or fully connected.

The generator is taught in notebook 02, the discriminator in notebook 03.
"""

from __future__ import annotations

import math

import keras
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
    if recipe.generator_hidden:
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
    model.add(layers.Activation("tanh", dtype="float32"))  # also where a recipe mixes precisions
    assert model.output_shape == (None, *image_shape)
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
) -> keras.Sequential:
    """Builds the network that tells real images from generated ones.

    Convolutions of stride 2 make the picture smaller and deeper; Dense layers turn what is
    left into one number.

    Args:
        recipe: gives `discriminator_*`, `dropout` and `batch_norm_momentum`.
        image_shape: (height, width, channels) of the images to tell apart.

    Returns:
        A model from (batch, height, width, channels) in [-1, 1] to (batch, 1): logits, or
        with `discriminator_output="sigmoid"` probabilities. High means real.

    Source: Radford, Metz, Chintala (2016), section 3; the hidden Dense layer: Chen et al.
    (2016), appendix C.1. Taught in notebook 03.
    """
    if recipe.architecture == "dense":
        return build_dense_discriminator(recipe, image_shape)
    model = keras.Sequential(name="discriminator")
    model.add(keras.Input(image_shape))
    for i, filters in enumerate(recipe.discriminator_widths):
        model.add(layers.Conv2D(filters, recipe.discriminator_kernel, 2, padding="same"))
        add_norm_leak_dropout(model, recipe, norm=recipe.discriminator_batch_norm and i > 0)
    model.add(layers.Flatten())
    if recipe.discriminator_hidden:
        model.add(layers.Dense(recipe.discriminator_hidden))
        add_norm_leak_dropout(model, recipe, norm=recipe.discriminator_batch_norm)
    add_verdict(model, recipe)
    return model


def add_norm_leak_dropout(model: keras.Sequential, recipe: Recipe, norm: bool) -> None:
    """Adds to `model` what follows each of the discriminator's layers but the last."""
    if norm:
        model.add(layers.BatchNormalization(momentum=recipe.batch_norm_momentum))
    model.add(layers.LeakyReLU(recipe.discriminator_negative_slope))
    if recipe.dropout:
        model.add(layers.Dropout(recipe.dropout))


def add_verdict(model: keras.Sequential, recipe: Recipe) -> None:
    """Adds the discriminator's last layer to `model`: one number for each image."""
    activation = "sigmoid" if recipe.discriminator_output == "sigmoid" else "linear"
    model.add(layers.Dense(1, activation=activation, dtype="float32"))
    assert model.output_shape == (None, 1)


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


def build_dense_discriminator(
    recipe: Recipe, image_shape: ImageShape = MNIST_SHAPE
) -> keras.Sequential:
    """Builds the discriminator of the first GANs, of fully connected layers only.

    Shapes and ranges as in `build_discriminator`. Source: Goodfellow et al. (2014).
    Taught in notebook 06.
    """
    model = keras.Sequential(name="discriminator")
    model.add(keras.Input(image_shape))
    model.add(layers.Flatten())
    for units in recipe.discriminator_widths:
        model.add(layers.Dense(units))
        add_norm_leak_dropout(model, recipe, norm=False)
    add_verdict(model, recipe)
    return model
