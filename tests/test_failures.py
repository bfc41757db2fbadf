"""Each failure of notebook 08 on purpose, and its cure: the same function with and without it."""

from __future__ import annotations

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan_lib.beyond.ring import (
    CURED,
    LATENT_DIM,
    SICK,
    build_ring_gan,
    nearest_centre,
    ring_score,
    sample_ring,
    train_ring,
)
from dcgan_lib.building import build_gan
from dcgan_lib.data import scale, training_batches
from dcgan_lib.gan import untouched
from dcgan_lib.latent import sample_latent
from dcgan_lib.measuring.health import HealthMonitor
from dcgan_lib.networks import build_discriminator, build_generator
from dcgan_lib.recipes import RECIPES


@pytest.fixture(autouse=True, scope="module")
def _deterministic():
    tf.config.experimental.enable_op_determinism()


# --- on the ring


class Played:
    """A finished game: the points seen, the losses, and what the monitor found."""

    def __init__(self, settings, steps, batch_size=128):
        self.gan = build_ring_gan(seed=0, **settings)
        real = sample_ring(64, seed=5)
        self.monitor = HealthMonitor(real, every=100, classify=nearest_centre, verbose=False)
        seen, self.losses = train_ring(self.gan, steps, steps // 100, batch_size, [self.monitor])
        self.seen = list(seen.values())
        self.last = self.seen[-1]
        self.score = ring_score(self.last)

    def found(self, words):
        return any(words in finding for finding in self.monitor.findings)


@functools.cache
def healthy():
    """What several cures lead to: the usual rates."""
    return Played({}, steps=1000)


def test_discriminator_wins():
    sick = Played(SICK["discriminator wins"], steps=500)
    assert sick.losses["d_loss"][0] < 0.3
    assert sick.score.good < 0.2
    assert sick.found("the discriminator has won")
    cured = healthy()
    assert CURED["discriminator wins"] == {"g_rate": 3e-3, "d_rate": 3e-3}  # build_ring_gan's own
    assert cured.losses["d_loss"][0] > 0.8
    assert cured.score.good > 0.5
    assert cured.monitor.findings == []


def test_vanishing_gradient():
    sick = Played(SICK["vanishing gradient"], steps=500)
    assert sick.monitor.rows[-1]["g_gradient"] < 1e-3
    assert np.abs(sick.last - sick.seen[0]).max() < 0.5
    assert sick.found("the generator's gradient is gone")
    cured = Played(CURED["vanishing gradient"], steps=500)
    assert cured.monitor.rows[-1]["g_gradient"] > 0.05
    assert np.abs(cured.last - cured.seen[0]).max() > 3
    assert not cured.found("the generator's gradient is gone")


def test_mode_collapse():
    sick = Played(SICK["mode collapse"], steps=1000)
    assert sick.score.modes <= 4
    assert sick.found("collapsed to few classes")
    cured = Played(CURED["mode collapse"], steps=1000)
    assert cured.score.modes >= 7
    assert not cured.found("collapsed to few classes")


def wandering(played):
    """How far the middle of the points moves between two looks, in the second half."""
    middles = np.array([points.mean(axis=0) for points in played.seen[len(played.seen) // 2 :]])
    return np.linalg.norm(np.diff(middles, axis=0), axis=1).mean()


def test_oscillation_while_the_losses_look_normal():
    sick, cured = Played(SICK["oscillation"], steps=1000), healthy()
    assert wandering(sick) > 0.6
    assert wandering(cured) < 0.35
    assert sick.found("oscillation")
    assert sick.score.modes <= 4
    assert cured.score.modes == 8
    for played in (sick, cured):
        assert played.losses["d_loss"][-1] == pytest.approx(2 * np.log(2), abs=0.15)
        assert played.losses["g_loss"][-1] == pytest.approx(np.log(2), abs=0.15)


def test_rates_too_high():
    sick, cured = Played(SICK["rates too high"], steps=500), healthy()
    assert max(sick.losses["d_loss"]) > 2.5
    assert max(cured.losses["d_loss"]) < 1.8
    assert sick.score.modes <= 4
    assert ring_score(cured.seen[5]).modes >= 7


def test_labels_swapped_make_both_losses_small():
    sick, cured = Played(SICK["labels swapped"], steps=500), healthy()
    assert max(sick.losses["d_loss"][-1], sick.losses["g_loss"][-1]) < 0.1
    assert min(cured.losses["d_loss"][-1], cured.losses["g_loss"][-1]) > 0.5
    assert sick.score.good < 0.05
    assert cured.score.good > 0.5
    assert sick.found("labels")
    assert np.abs(sick.last).mean() > 2 * np.abs(cured.last).mean()  # it flees


def test_the_same_noise_at_every_step():
    def own_and_new(played):
        own = played.gan.latent_noise(tf.zeros((32, 2)), "g_noise")
        return ring_score(played.gan.generator(own).numpy()).good, played.score.good

    sick = Played(SICK["the same noise"], steps=1500, batch_size=32)
    own, new = own_and_new(sick)
    assert own > new + 0.3
    cured = Played(CURED["the same noise"], steps=1500, batch_size=32)
    own, new = own_and_new(cured)
    assert own < new + 0.3
    assert new > sick.score.good + 0.3


@pytest.mark.parametrize("name", ["sick", "cured"])
def test_noise_drawn_by_numpy_is_frozen_in_the_graph(name):
    gan = build_ring_gan(**{"sick": SICK, "cured": CURED}[name]["the same noise"])

    @tf.function
    def draw():
        noise = gan.latent_noise(tf.zeros((4, 2)), "g_noise")
        gan.step.assign_add(1)
        return noise

    assert draw().shape == (4, LATENT_DIM)
    assert np.array_equal(draw(), draw()) == (name == "sick")


# --- BatchNorm in the wrong mode


def learn_alone(discriminator, real, fakes, mixed):
    """Trains D on batches that are mixed, or not."""
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(1e-3, beta_1=0.5)
    count = len(real)
    for fake in fakes:
        with tf.GradientTape() as tape:
            if mixed:
                output = discriminator(tf.concat([real, fake], axis=0), training=True)
                real_output, fake_output = output[:count], output[count:]
            else:
                real_output = discriminator(real, training=True)
                fake_output = discriminator(fake, training=True)
            loss = cross_entropy(tf.ones_like(real_output), real_output)
            loss += cross_entropy(tf.zeros_like(fake_output), fake_output)
        variables = discriminator.trainable_variables
        optimizer.apply(tape.gradient(loss, variables), variables)
    return real_output.numpy(), fake_output.numpy()


@pytest.fixture(scope="module")
def fakes():
    keras.utils.set_random_seed(0)
    generator = build_generator()
    return [generator(sample_latent(32, 100, seed), training=True) for seed in range(12)]


@pytest.mark.parametrize("mixed", [True, False])
def test_real_and_fake_mixed_in_a_batch(mixed, real, fakes):
    keras.utils.set_random_seed(0)
    discriminator = build_discriminator()
    seen = learn_alone(discriminator, real[:32], fakes, mixed)
    if mixed:  # it is right on all: of a batch of both kinds, BatchNorm itself tells them apart
        assert (seen[0] > 0).mean() > 0.95
        assert (seen[1] < 0).mean() > 0.95
    with untouched(discriminator):
        heard = discriminator(fakes[-1], training=True).numpy()  # what the generator hears
        if mixed:
            trained_as = discriminator(tf.concat([real[:32], fakes[-1]], axis=0), training=True)[
                32:
            ]
        else:
            trained_as = discriminator(fakes[-1], training=True)
    gap = np.abs(heard - trained_as.numpy()).mean()
    assert gap > 1.5 if mixed else gap < 1e-5


@pytest.mark.parametrize("frozen", [True, False])
def test_frozen_discriminator_is_silently_in_inference_mode(frozen, real, fakes):
    keras.utils.set_random_seed(0)
    discriminator = build_discriminator()
    learn_alone(discriminator, real[:32], fakes[:6], mixed=False)
    with untouched(discriminator):
        trained_as = discriminator(fakes[0], training=True).numpy()
    inference = discriminator(fakes[0], training=False).numpy()
    discriminator.trainable = not frozen
    with untouched(discriminator):
        heard = discriminator(fakes[0], training=True).numpy()
    assert np.array_equal(heard, inference) == frozen
    assert np.array_equal(heard, trained_as) == (not frozen)
    assert np.abs(trained_as - inference).max() > 0.05


@pytest.mark.parametrize("training", [True, False])
def test_sampling_in_training_mode(training, fakes):
    generator = build_generator()
    latent = sample_latent(16, 100, seed=0)
    first = generator(latent[:8], training=training).numpy()[0]
    other = np.concatenate([latent[:1], latent[9:]])
    again = generator(other, training=training).numpy()[0]
    difference = np.abs(first - again).max()
    assert difference > 0.05 if training else difference < 1e-5


# --- the last partial batch


@pytest.mark.parametrize("fixed", [True, False])
def test_labels_of_a_fixed_size_break_on_the_last_batch(fixed, images):
    batches = list(training_batches(images, 48).take(2))
    assert [len(batch) for batch in batches] == [48, 16]
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    discriminator = build_discriminator()

    def real_loss(batch):
        output = discriminator(batch)
        labels = tf.ones((48, 1)) if fixed else tf.ones_like(output)
        return float(cross_entropy(labels, output))

    assert np.isfinite(real_loss(batches[0]))
    if fixed:
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            real_loss(batches[1])
    else:
        assert np.isfinite(real_loss(batches[1]))


@pytest.mark.parametrize("flat", [True, False])
def test_labels_that_silently_do_not_fit(flat):
    """Labels (48,) against outputs (48, 1): 48 x 48 comparisons, and no error."""
    output = tf.constant(np.linspace(-2, 2, 48, dtype=np.float32)[:, np.newaxis])
    labels = tf.cast(output > 0, tf.float32)  # the outputs are right
    errors = tf.square((labels[:, 0] if flat else labels) - tf.sigmoid(output))
    assert errors.shape == ((48, 48) if flat else (48, 1))
    loss = float(tf.reduce_mean(errors))
    assert loss > 0.2 if flat else loss < 0.15


@pytest.mark.parametrize("images_in_batch", [1, 2])
def test_batch_norm_has_no_statistics_of_a_single_image(images_in_batch):
    generator = build_generator()
    first, other = (
        generator(sample_latent(images_in_batch, 100, seed), training=True).numpy()
        for seed in (1, 2)
    )
    difference = np.abs(first - other).max()
    assert difference < 1e-5 if images_in_batch == 1 else difference > 0.05


# --- wrong scaling


def train_on(real):
    """A small dense GAN on images of any range: its drawings, and what the monitor found."""
    recipe = RECIPES["vanilla"].replace(
        generator_widths=(64, 128),
        discriminator_widths=(64, 32),
        g_learning_rate=1e-3,
        d_learning_rate=1e-3,
    )
    gan = build_gan(recipe, len(real))
    monitor = HealthMonitor(real[:32], every=50, classify=np.zeros_like, verbose=False)
    batches = tf.data.Dataset.from_tensor_slices(real).batch(64).repeat()
    # Keras's own `fit`: ours refuses a wrong range.
    keras.Model.fit(gan, batches, steps_per_epoch=600, callbacks=[monitor], verbose=0)
    return gan.generator(sample_latent(64, seed=1)).numpy(), monitor


def test_wrong_scaling_saturates_tanh(digits):
    real = scale(digits.images[:2048])
    sick, monitor = train_on((real + 1.0) * 127.5)
    assert (sick > 0.9).mean() > 0.15  # the generator climbs to a white that it cannot reach
    assert (sick < -0.9).mean() < 0.2
    assert any("tanh draws" in finding for finding in monitor.findings)
    cured, monitor = train_on(real)
    assert (cured > 0.9).mean() < 0.1
    assert (cured < -0.9).mean() > 0.2  # real digits are mostly paper
    assert not any("tanh draws" in finding for finding in monitor.findings)
