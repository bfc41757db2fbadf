"""Faster forms of some layers on processors without a GPU: the same numbers, up to rounding.

What a layer is does not change: its weights, its name, what is saved and what a copy of it does.
Only how this process computes it does.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dcgan_lib.gan import DCGAN

FEW_CHANNELS = 4  # the gradient of a convolution of stride 2 on so few is slower than ours

SMALL_PICTURE = 8  # pixels; up to here the transforms cost less than they save

LARGE_KERNEL = 5


def hasten(gan: DCGAN) -> DCGAN:
    """Gives the layers of both players faster forms where there are any; returns the game."""
    if not tf.config.list_physical_devices("GPU"):
        for network in (gan.generator, gan.discriminator):
            hasten_network(network)
    return gan


def hasten_network(network: keras.Model) -> keras.Model:
    """Gives the layers of a built network faster forms; returns it."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            hasten_network(layer)
        elif form := faster_form(layer):
            layer.call = functools.partial(form, layer)
    return network


def faster_form(layer: layers.Layer) -> Callable[..., tf.Tensor] | None:
    """Returns what computes a layer faster than Keras does, or None."""
    if type(layer) is layers.BatchNormalization:
        last = layer.axis in (-1, len(layer.input.shape) - 1)
        alone = last and len(layer.input.shape) in (2, 4) and not layer.synchronized
        whole = layer.scale and layer.center
        return fused_batch_norm if alone and whole else None
    if type(layer) is layers.Conv2DTranspose and is_plain(layer):
        _, rows, columns, _ = layer.input.shape
        small = rows == columns and rows <= SMALL_PICTURE
        large = layer.kernel_size[0] >= LARGE_KERNEL
        if layer.strides == (1, 1) and small and large:
            return stamp_by_waves
    if type(layer) is layers.Conv2D and layer.strides == (2, 2) and layer.padding == "same":
        _, rows, columns, channels = layer.input.shape
        if channels <= FEW_CHANNELS and rows % 2 == columns % 2 == 0:
            return look_in_blocks
    return None


def is_plain(layer: layers.Conv2DTranspose) -> bool:
    return (
        layer.padding == "same"
        and not layer.use_bias
        and layer.activation is keras.activations.linear
        and layer.kernel_size[0] == layer.kernel_size[1]
    )


def fused_batch_norm(
    layer: layers.BatchNormalization,
    inputs: tf.Tensor,
    training: bool = False,
    mask: tf.Tensor | None = None,
) -> tf.Tensor:
    """Does in training what `BatchNormalization.call` does."""
    if not (training and layer.trainable):  # a frozen layer only applies its statistics
        return layers.BatchNormalization.call(layer, inputs, training, mask)
    pixels = inputs if len(inputs.shape) == 4 else inputs[:, tf.newaxis, tf.newaxis]
    outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
        pixels, layer.gamma.value, layer.beta.value, epsilon=layer.epsilon, is_training=True
    )
    count = tf.cast(tf.size(pixels) // tf.size(mean), tf.float32)
    variance *= (count - 1.0) / count  # Keras divides by the count, this operation by one less
    for moving, now in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        moving.assign(moving.value * layer.momentum + now * (1.0 - layer.momentum))
    return tf.reshape(outputs, tf.shape(inputs))


def look_in_blocks(layer: layers.Conv2D, inputs: tf.Tensor) -> tf.Tensor:
    """Does what a convolution of stride 2 does; the gain is in its gradient."""
    kernel, (stride, _) = layer.kernel.value, layer.strides
    rows, _, channels, filters = kernel.shape
    before = max(rows - stride, 0) // 2  # where "same" padding centres the kernel
    reach = -(-(rows - stride - before) // stride)  # blocks on each side
    size = 2 * reach + 1
    first = stride * reach - before
    last = stride * size - rows - first
    kernel = tf.pad(kernel, [[first, last], [first, last], [0, 0], [0, 0]])
    kernel = tf.reshape(kernel, (size, stride, size, stride, channels, filters))
    kernel = tf.transpose(kernel, (0, 2, 1, 3, 4, 5))
    kernel = tf.reshape(kernel, (size, size, stride * stride * channels, filters))
    outputs = tf.nn.conv2d(tf.nn.space_to_depth(inputs, stride), kernel, 1, "SAME")
    if layer.use_bias:
        outputs += layer.bias.value
    return layer.activation(outputs)


def stamp_by_waves(layer: layers.Conv2DTranspose, inputs: tf.Tensor) -> tf.Tensor:
    """Does what a transposed convolution of stride 1 does, with a fifth of the operations.

    Pixels and kernel are turned into waves (a discrete Fourier transform, here a product with a
    small matrix), the waves are multiplied, and the products turned back into pixels; in float32,
    whatever the precision of the rest. After Mathieu et al., "Fast Training of Convolutional
    Networks through FFTs" (2014).
    """
    side, size = inputs.shape[1], layer.kernel_size[0]
    of_pixels, of_kernel, back = wave_matrices(side, size)
    channels, filters, count = inputs.shape[3], layer.filters, len(of_pixels) // 2
    pixels = tf.transpose(tf.cast(inputs, tf.float32), (1, 2, 0, 3))
    pixels = tf.reshape(pixels, (side * side, -1))
    kernel = tf.cast(layer.kernel.value, tf.float32)
    kernel = tf.reshape(kernel, (size * size, filters * channels))
    x = tf.reshape(tf.matmul(of_pixels, pixels), (count, -1, channels))
    w = tf.reshape(tf.matmul(of_kernel, kernel), (count, -1, channels))
    products = tf.reshape(tf.matmul(x, w, transpose_b=True), (count, 2, -1, 2, filters))
    products = tf.reshape(tf.transpose(products, (0, 1, 3, 2, 4)), (4 * count, -1))
    outputs = tf.reshape(tf.matmul(back, products), (side, side, -1, filters))
    return tf.cast(tf.transpose(outputs, (2, 0, 1, 3)), inputs.dtype)


@functools.cache
def wave_matrices(side: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns what turns pixels and kernel into waves, and products of waves into pixels.

    Each wave has a cosine and a sine part; the four products of both parts are kept apart. With
    W waves the shapes are (2 W, side^2), (2 W, size^2) and (side^2, 4 W).
    """
    period = side + size // 2  # what leaves the picture on one side does not come in on the other
    numbers = [divmod(i, period) for i in range(period * period)]
    # Of numbers without an imaginary part, wave (u, v) and wave (-u, -v) tell the same: one of each
    # such pair is kept, and counts twice.
    waves = np.array([(u, v) for u, v in numbers if (u, v) <= (-u % period, -v % period)])
    twice = np.where((waves == -waves % period).all(axis=1), 1.0, 2.0)[:, np.newaxis]
    half = (size - 1) // 2

    def angles(first: int, count: int) -> np.ndarray:
        places = np.indices((count, count)).reshape(2, -1) + first
        return 2 * np.pi / period * (waves @ places)

    def parts(angle: np.ndarray) -> np.ndarray:
        return np.stack([np.cos(angle), -np.sin(angle)], axis=1).reshape(-1, angle.shape[1])

    out = angles(0, side)
    cosine, sine = twice * np.cos(out) / period**2, twice * np.sin(out) / period**2
    back = np.stack([cosine, -sine, -sine, -cosine], axis=1).reshape(-1, side * side).T
    matrices = parts(angles(0, side)), parts(angles(-half, size)), back
    return tuple(matrix.astype(np.float32) for matrix in matrices)
