"""Ways out of instability: a penalty on the discriminator's slope, and other layers for it.

The losses that go with them are in `losses`. Taught in notebook 09.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from dcgan_lib.gan import DCGAN
from dcgan_lib.losses import GANLoss


class GradientPenalty(GANLoss):
    """Adds to any loss a pull of the discriminator towards a slope of 1 between real and fake.

    Args:
        loss: of both players. The discriminator must not have BatchNorm, which would make the
            slope at one image depend on the others.
        weight: of the pull; 10 in the paper.

    Source: Gulrajani et al., "Improved Training of Wasserstein GANs" (2017), algorithm 1. Taught
    in notebook 09.
    """

    def __init__(self, loss: GANLoss, weight: float = 10.0) -> None:
        self.loss = loss
        self.weight = weight
        self.threshold = loss.threshold
        self.accuracy_counts = loss.accuracy_counts

    def discriminator_loss(self, real_output: tf.Tensor, fake_output: tf.Tensor) -> tf.Tensor:
        return self.loss.discriminator_loss(real_output, fake_output)

    def generator_loss(self, fake_output: tf.Tensor) -> tf.Tensor:
        return self.loss.generator_loss(fake_output)

    def penalty(self, game: keras.Model, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        """Returns the weighted mean of (slope - 1)² at random mixtures of real and fake images."""
        (real_images, *labels), (fake_images, *_) = as_list(real), as_list(fake)
        shares = mixing_shares(game, real_images)
        mixed = shares * real_images + (1.0 - shares) * fake_images
        return self.weight * slope_penalty(game.discriminator, mixed, labels)


def as_list(batch: Any) -> list[tf.Tensor]:
    """Returns a batch's images and, in a conditional game, its labels."""
    return list(batch) if isinstance(batch, (tuple, list)) else [batch]


def mixing_shares(game: DCGAN, images: tf.Tensor) -> tf.Tensor:
    """Draws how much of each mixed image is real: the same in each move of a step."""
    seed = tf.random.fold_in(game.random_seed("image_noise"), 1)
    ones = [1] * (len(images.shape) - 1)
    return game.random(images, ones, seed, tf.random.stateless_uniform)


def slope_penalty(
    discriminator: keras.Model, images: tf.Tensor, labels: Sequence[tf.Tensor] = ()
) -> tf.Tensor:
    """Returns the mean of (slope - 1)², a scalar.

    The slope is the length of the gradient of D's output with respect to its image. Source:
    Gulrajani et al. (2017), equation 3. Taught in notebook 09.
    """
    with tf.GradientTape() as tape:
        tape.watch(images)
        inputs = [images, *labels] if labels else images
        output = tf.reduce_sum(discriminator(inputs, training=True))
    gradients = tape.gradient(output, images)
    squares = tf.reduce_sum(tf.square(gradients), axis=range(1, len(images.shape)))
    slopes = tf.sqrt(squares + 1e-12)  # the square root's own slope is infinite at 0
    return tf.reduce_mean(tf.square(slopes - 1.0))


class SpectralNormalised:
    """A layer whose kernel is divided by its largest singular value (mixed into a Keras layer).

    The value comes from one round of power iteration per training call, from a vector that is
    remembered; gradients flow through the division. Keras's own `SpectralNormalization` assigns
    the divided kernel instead, and lets no gradient through. Source: Miyato et al., "Spectral
    Normalization for Generative Adversarial Networks" (2018), algorithm 1. Taught in notebook 09.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        self.singular_vector = self.add_weight(
            name="singular_vector",
            shape=(1, self.kernel.shape[-1]),
            initializer="random_normal",
            trainable=False,
        )

    def normalised_kernel(self, training: bool) -> tf.Tensor:
        matrix = tf.reshape(self.kernel, (-1, self.kernel.shape[-1]))
        frozen = tf.stop_gradient(matrix)
        right = tf.convert_to_tensor(self.singular_vector)
        left = unit(tf.matmul(right, frozen, transpose_b=True))
        if training:
            right = unit(tf.matmul(left, frozen))
            left = unit(tf.matmul(right, frozen, transpose_b=True))
            self.singular_vector.assign(right)
        sigma = tf.reduce_sum(tf.matmul(left, matrix) * right)
        return self.kernel / sigma

    # Keras's Dense and Conv2D save their kernel and bias by name, and nothing else.
    def save_own_variables(self, store: Any) -> None:
        layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        layers.Layer.load_own_variables(self, store)


def unit(vector: tf.Tensor) -> tf.Tensor:
    """Returns `vector` with length 1."""
    return vector / (tf.norm(vector) + 1e-12)


@keras.saving.register_keras_serializable("dcgan_lib")
class SpectralDense(SpectralNormalised, layers.Dense):
    """A Dense layer with a normalised kernel."""

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        outputs = tf.matmul(inputs, self.normalised_kernel(training))
        return self.activation(outputs + self.bias if self.use_bias else outputs)


@keras.saving.register_keras_serializable("dcgan_lib")
class SpectralConv2D(SpectralNormalised, layers.Conv2D):
    """A convolution with a normalised kernel."""

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        kernel = self.normalised_kernel(training)
        outputs = tf.nn.conv2d(inputs, kernel, self.strides, self.padding.upper())
        return self.activation(outputs + self.bias if self.use_bias else outputs)


def with_spectral_norm(discriminator: keras.Model) -> keras.Model:
    """Returns a copy of a discriminator whose every kernel is normalised."""
    spectral = {layers.Dense: SpectralDense, layers.Conv2D: SpectralConv2D}
    copies = {  # all made before any is built: the seeds of their weights are drawn in this order
        layer.name: spectral.get(type(layer), type(layer)).from_config(layer.get_config())
        for layer in discriminator.layers
    }
    return keras.models.clone_model(discriminator, clone_function=lambda x: copies[x.name])


def with_pooling(discriminator: keras.Model) -> keras.Model:
    """Returns a copy that halves the picture by max pooling, not by strides.

    Each convolution then looks at every pixel, which takes four times as many multiplications.
    Taught in notebook 06.
    """

    def copy(layer: layers.Layer) -> layers.Layer:
        config = layer.get_config()
        if not isinstance(layer, layers.Conv2D):
            return type(layer).from_config(config)
        convolution = type(layer).from_config(config | {"strides": 1})
        return keras.Sequential([convolution, layers.MaxPooling2D()], name=layer.name)

    return keras.models.clone_model(discriminator, clone_function=copy)
