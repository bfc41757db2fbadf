"""A generator that is told which digit to draw, and a discriminator that is told too."""

import numpy as np
import pytest
import tensorflow as tf
from helpers import arrays, equal, make_gan, tiny

from dcgan_lib import RECIPES, UserError, sample_latent
from dcgan_lib.beyond.conditional import (
    build_conditional_discriminator,
    build_conditional_generator,
)
from dcgan_lib.latent import generator_input, latent_dim_of, one_hot


@pytest.fixture(scope="module")
def gan():
    return make_gan(tiny("conditional", ema_decay=0.0))


def test_one_hot_labels():
    np.testing.assert_array_equal(one_hot(np.array([0, 9, 3])).argmax(axis=1), [0, 9, 3])
    assert one_hot(np.array([4])).dtype == np.float32
    np.testing.assert_array_equal(one_hot(np.array([4])).sum(axis=1), [1.0])


@pytest.mark.parametrize("labels", [[10], [-1], [1.5], [3, 12]])
def test_impossible_labels_are_refused(labels):
    with pytest.raises(UserError, match="0 to 9"):
        one_hot(np.array(labels))


def test_the_generator_takes_labels_and_they_matter(gan):
    generator = gan.generator
    assert latent_dim_of(generator) == gan.latent_dim == 10
    z = sample_latent(4, 10)
    threes, fours = (
        np.array(generator(generator_input(generator, z, np.full(4, d)))) for d in (3, 4)
    )
    assert threes.shape == (4, 28, 28, 1)
    assert not np.allclose(threes, fours)


def test_without_labels_the_digits_come_in_turn(gan):
    z, labels = generator_input(gan.generator, sample_latent(12, 10))
    assert z.shape == (12, 10)
    np.testing.assert_array_equal(labels.argmax(axis=1), [*range(10), 0, 1])


def test_a_plain_generator_cannot_be_asked_for_a_digit():
    plain = make_gan(tiny()).generator
    z = sample_latent(2, 10)
    assert generator_input(plain, z) is z
    with pytest.raises(UserError, match="conditional"):
        generator_input(plain, z, np.array([1, 2]))


def test_the_label_picks_one_of_ten_verdicts(gan):
    """An image's ten outputs differ by what the last layers say for each digit."""
    discriminator = gan.discriminator
    image = np.repeat(np.random.default_rng(0).uniform(-1, 1, (1, 28, 28, 1)), 10, axis=0)
    verdicts = discriminator([image.astype(np.float32), np.eye(10, dtype=np.float32)]).numpy()
    assert verdicts.shape == (10, 1)
    assert len(np.unique(verdicts.round(6))) == 10
    nothing = discriminator([image.astype(np.float32), np.zeros((10, 10), np.float32)]).numpy()
    half = discriminator([image.astype(np.float32), np.eye(10, dtype=np.float32) / 2]).numpy()
    np.testing.assert_allclose(half, (verdicts + nothing) / 2, atol=1e-5)


@pytest.mark.parametrize("player", ["d", "g"])
def test_each_step_moves_its_own_player_only(gan, real, player):
    labels = tf.constant(one_hot(np.arange(64) % 10))
    batch = (tf.constant(real), labels)
    own, other = gan.discriminator, gan.generator
    before = {network.name: arrays(network) for network in (own, other)}
    noise = gan.latent_noise(batch, f"{player}_noise")
    if player == "d":
        gan.d_step(batch, noise)
    else:
        own, other = other, own
        gan.g_step(noise)
    assert equal(before[other.name], arrays(other))
    assert not equal(before[own.name], arrays(own))


def test_fake_images_are_asked_for_the_labels_of_the_real_ones(gan, real):
    labels = tf.constant(one_hot(np.arange(64) % 7))
    z, asked = gan.latent_noise((tf.constant(real), labels), "g_noise")
    assert z.shape == (64, 10)
    np.testing.assert_array_equal(asked, labels)


def test_a_sigmoid_verdict_is_a_probability():
    recipe = RECIPES["conditional"].replace(discriminator_output="sigmoid")
    discriminator = build_conditional_discriminator(recipe)
    output = discriminator([np.zeros((2, 28, 28, 1)), np.eye(10)[:2]]).numpy()
    assert ((output > 0) & (output < 1)).all()


@pytest.mark.parametrize("shape", [(32, 32, 3), (64, 64, 1)])
def test_shapes_follow_the_images(shape):
    recipe = RECIPES["conditional"]
    assert build_conditional_generator(recipe, shape).output_shape == (None, *shape)
    assert build_conditional_discriminator(recipe, shape).output_shape == (None, 1)
