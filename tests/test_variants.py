"""Gradient penalty, spectral normalisation and pooling, each against a plain calculation."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import arrays, equal, fit, make_gan, moving_statistics, tiny
from keras import layers

from dcgan_lib import RECIPES, build_discriminator
from dcgan_lib.beyond.variants import (
    GradientPenalty,
    SpectralConv2D,
    SpectralDense,
    mixing_shares,
    slope_penalty,
    with_pooling,
)
from dcgan_lib.building import build_networks

# --- gradient penalty


@pytest.fixture
def small_critic():
    keras.utils.set_random_seed(3)
    body = [keras.Input((4, 4, 1)), layers.Conv2D(3, 3, 2, padding="same", activation="tanh")]
    return keras.Sequential([*body, layers.Flatten(), layers.Dense(1)])


def slope_by_differences(critic, image, width=1e-2):
    """The length of the gradient, each part from two values of the critic."""
    parts = []
    for i in range(image.size):
        step = np.zeros(image.size, np.float32)
        step[i] = width
        step = step.reshape(image.shape)
        up, down = (float(critic(x[np.newaxis])[0, 0]) for x in (image + step, image - step))
        parts.append((up - down) / (2 * width))
    return np.linalg.norm(parts)


def test_the_penalty_is_that_of_finite_differences(small_critic):
    images = np.random.default_rng(1).normal(size=(3, 4, 4, 1)).astype(np.float32)
    slopes = [slope_by_differences(small_critic, image) for image in images]
    assert max(abs(slope - 1) for slope in slopes) > 0.05
    expected = np.mean([(slope - 1) ** 2 for slope in slopes])
    found = float(slope_penalty(small_critic, tf.constant(images)))
    assert found == pytest.approx(expected, rel=1e-2)


def test_the_gradient_of_the_penalty_is_that_of_finite_differences(small_critic):
    images = tf.constant(np.random.default_rng(2).normal(size=(2, 4, 4, 1)).astype(np.float32))
    kernel = small_critic.layers[0].kernel
    with tf.GradientTape() as tape:
        penalty = slope_penalty(small_critic, images)
    gradient = np.array(tape.gradient(penalty, kernel.value))
    start, width = np.array(kernel), 1e-2
    for place in ((0, 0, 0, 0), (1, 1, 0, 1), (2, 1, 0, 2)):
        values = []
        for sign in (1, -1):
            moved = start.copy()
            moved[place] += sign * width
            kernel.assign(moved)
            values.append(float(slope_penalty(small_critic, images)))
        kernel.assign(start)
        difference = (values[0] - values[1]) / (2 * width)
        assert gradient[place] == pytest.approx(difference, rel=0.03, abs=1e-3)


def test_the_slope_of_a_linear_critic_is_the_length_of_its_weights():
    critic = keras.Sequential([keras.Input((2, 2, 1)), layers.Flatten(), layers.Dense(1)])
    critic.layers[-1].set_weights([np.float32([[3], [0], [4], [0]]), np.zeros(1)])
    assert float(slope_penalty(critic, tf.zeros((5, 2, 2, 1)))) == pytest.approx(16.0, rel=1e-4)


def test_the_penalty_holds_the_slope_down(images):
    slopes = {}
    for weight in (0.0, 10.0):
        recipe = tiny("wgan_gp", gradient_penalty=weight, steps=30)
        gan = make_gan(recipe)
        fit(gan, images, recipe, epochs=15)
        assert isinstance(gan.gan_loss, GradientPenalty) == (weight > 0)
        real = tf.constant(images[..., np.newaxis] / 127.5 - 1.0, tf.float32)
        slopes[weight] = float(slope_penalty(gan.discriminator, real))
    assert slopes[10.0] < 0.5 * slopes[0.0]


def test_images_are_mixed_one_by_one_and_anew_at_each_step(real):
    gan = make_gan(tiny("wgan_gp"))
    first = mixing_shares(gan, real).numpy()
    assert first.shape == (64, 1, 1, 1)
    assert 0 <= first.min() < first.max() < 1
    assert len(np.unique(first)) > 60
    gan.step.assign_add(1)
    assert not np.array_equal(first, mixing_shares(gan, real).numpy())


def test_the_generator_stays_as_it_is_while_the_critic_moves(real):
    gan = make_gan(tiny("wgan_gp"))
    before = arrays(gan.generator)
    gan.d_step(tf.constant(real), gan.latent_noise(real, "d_noise"))
    assert equal(before, arrays(gan.generator))


# --- spectral normalisation


def largest_singular_value(layer) -> float:
    kernel = np.array(layer.normalised_kernel(training=False))
    return float(np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0])


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (SpectralDense(20), (5, 30)),
        (SpectralConv2D(12, 4, 2, padding="same"), (2, 8, 8, 6)),
        (SpectralDense(1), (5, 30)),
    ],
)
def test_power_iteration_finds_the_largest_singular_value(layer, shape):
    x = tf.random.stateless_normal(shape, [1, 2])
    for _ in range(200):
        layer(x, training=True)
    assert largest_singular_value(layer) == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("size", [3.0, 0.01])
def test_a_larger_kernel_gives_the_same_output(size):
    layer = SpectralDense(4)
    x = tf.random.stateless_normal((5, 6), [3, 4])
    before = layer(x, training=False).numpy()
    layer.kernel.assign(size * layer.kernel)
    np.testing.assert_allclose(layer(x, training=False), before, rtol=1e-4)


def test_gradients_flow_through_the_division():
    """Along the kernel itself nothing changes, so the true gradient is at a right angle to it."""
    layer = SpectralDense(4)
    x = tf.random.stateless_normal((5, 6), [5, 6])
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(tf.square(layer(x, training=False)))
    gradient, kernel = np.array(tape.gradient(value, layer.kernel)), np.array(layer.kernel)
    lengths = np.linalg.norm(gradient) * np.linalg.norm(kernel)
    assert abs((gradient * kernel).sum()) < 1e-4 * lengths


def test_only_training_moves_the_singular_vector():
    layer = SpectralDense(4)
    x = tf.random.stateless_normal((5, 6), [7, 8])
    layer(x, training=False)
    before = np.array(layer.singular_vector)
    layer(x, training=False)
    assert np.array_equal(before, layer.singular_vector)
    layer(x, training=True)
    assert not np.array_equal(before, layer.singular_vector)


def test_the_generators_step_leaves_the_discriminator_as_it_was(real):
    gan = make_gan(tiny("spectral"))
    before = arrays(gan.discriminator)
    gan.g_step(gan.latent_noise(real, "g_noise"))
    assert equal(before, arrays(gan.discriminator))


def test_every_kernel_of_the_recipe_is_normalised(tmp_path):
    _, discriminator = build_networks(RECIPES["spectral"], (28, 28, 1))
    with_kernel = [layer for layer in discriminator.layers if hasattr(layer, "kernel")]
    assert len(with_kernel) == 4
    assert all(isinstance(layer, (SpectralDense, SpectralConv2D)) for layer in with_kernel)
    plain = build_discriminator(RECIPES["spectral"])
    assert [v.shape for v in discriminator.trainable_weights] == [
        v.shape for v in plain.trainable_weights
    ]
    discriminator.save(tmp_path / "d.keras")
    again = keras.saving.load_model(tmp_path / "d.keras", safe_mode=True)
    x = np.zeros((2, 28, 28, 1), np.float32)
    np.testing.assert_array_equal(again(x), discriminator(x))


@pytest.mark.parametrize("changes", [{"conditional": True}, {"discriminator_pooling": True}])
def test_every_kernel_is_normalised_whatever_it_goes_with(changes):
    recipe = RECIPES["spectral"].replace(**changes)
    _, discriminator = build_networks(recipe, (28, 28, 1))
    inside = [part for part in discriminator._flatten_layers() if hasattr(part, "kernel")]
    assert len(inside) == (5 if recipe.conditional else 4)
    assert all(isinstance(part, (SpectralDense, SpectralConv2D)) for part in inside)
    gan = make_gan(tiny("spectral", **changes))
    images = tf.zeros((4, 28, 28, 1))
    inputs = [images, tf.eye(10)[:4]] if recipe.conditional else images
    assert np.isfinite(gan.discriminator(inputs, training=True)).all()


# --- pooling


def test_pooling_halves_as_strides_do_with_the_same_weights():
    plain = build_discriminator(RECIPES["fast"])
    pooled = with_pooling(plain)
    assert pooled.output_shape == plain.output_shape
    assert pooled.count_params() == plain.count_params()
    assert pooled.layers[1].output_shape == (None, 14, 14, 24)
    assert len(moving_statistics(pooled)) == len(moving_statistics(plain))
