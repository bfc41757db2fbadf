"""Ways out of instability that change the discriminator or its step.

The losses that go with them are in `losses`. Taught in notebook 09.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers

from dcgan_lib.gan import DCGAN, apply_gradients, untouched


class GradientPenaltyDCGAN(DCGAN):
    """A DCGAN whose discriminator is pulled towards a slope of 1 between real and fake images.

    Args:
        gradient_penalty: the weight of that pull; 10 in the paper.
        others: as in `DCGAN`. The discriminator must not have BatchNorm, which would make the
            slope at one image depend on the others.

    Source: Gulrajani et al., "Improved Training of Wasserstein GANs" (2017), algorithm 1. Taught
    in notebook 09.
    """

    def __init__(self, *networks: Any, gradient_penalty: float = 10.0, **others: Any) -> None:
        super().__init__(*networks, **others)
        self.gradient_penalty = gradient_penalty

    def d_step(self, real_images: tf.Tensor, noise: tf.Tensor) -> dict[str, tf.Tensor]:
        """Moves the discriminator; `d_loss` leaves the penalty out."""
        with untouched(self.generator):
            fake_images = self.generator(noise, training=True)
        shares = self.mixing_shares(real_images)
        with tf.GradientTape() as tape:
            real_output = self.discriminator(self.noisy(real_images), training=True)
            fake_output = self.discriminator(fake_images, training=True)
            loss = self.gan_loss.discriminator_loss(real_output, fake_output)
            mixed = shares * real_images + (1.0 - shares) * fake_images
            penalty = self.gradient_penalty * slope_penalty(self.discriminator, mixed)
            total = loss + penalty
        apply_gradients(tape, total, self.discriminator, self.d_optimizer)
        return self.verdicts(real_output, fake_output) | {"d_loss": loss}

    def mixing_shares(self, real_images: tf.Tensor) -> tf.Tensor:
        """Draws how much of each mixed image is real: the same in each move of a step."""
        rank = len(real_images.shape)
        shape = tf.concat([tf.shape(real_images)[:1], [1] * (rank - 1)], axis=0)
        seed = tf.random.fold_in(self.random_seed("image_noise"), 1)
        return tf.random.stateless_uniform(shape, seed)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"gradient_penalty": self.gradient_penalty}


def slope_penalty(discriminator: keras.Model, images: tf.Tensor) -> tf.Tensor:
    """Returns the mean of (slope - 1)², a scalar.

    The slope is the length of the gradient of D's output with respect to its image. Source:
    Gulrajani et al. (2017), equation 3. Taught in notebook 09.
    """
    with tf.GradientTape() as tape:
        tape.watch(images)
        output = tf.reduce_sum(discriminator(images, training=True))
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


def with_spectral_norm(discriminator: keras.Sequential) -> keras.Sequential:
    """Returns a copy of a discriminator whose every kernel is normalised."""
    spectral = {layers.Dense: SpectralDense, layers.Conv2D: SpectralConv2D}

    def copy(layer: layers.Layer) -> layers.Layer:
        return spectral.get(type(layer), type(layer)).from_config(layer.get_config())

    return keras.models.clone_model(discriminator, clone_function=copy)


def with_pooling(discriminator: keras.Sequential) -> keras.Sequential:
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
