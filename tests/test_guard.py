"""Mistakes in the wiring of a game are refused by name, before it is played."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import arrays, equal, make_gan, tiny
from keras import layers

from dcgan_lib import (
    DCGAN,
    BinaryCrossentropyLoss,
    ConditionalDCGAN,
    HingeLoss,
    UserError,
    build_discriminator,
    build_generator,
    sample_latent,
    training_batches,
)
from dcgan_lib.gan import seed_generators

SMALL = tiny()
RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (32, 28, 28, 1)).astype(np.float32)
LABELS = np.arange(32) % 10


def players(**changes):
    recipe = SMALL.replace(**changes)
    return build_generator(recipe), build_discriminator(recipe)


def game(**changes) -> DCGAN:
    gan = DCGAN(*players(**changes))
    gan.compile("adam", "adam", BinaryCrossentropyLoss())
    return gan


def half_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        return players()
    finally:
        keras.config.set_dtype_policy(before)


class OwnGenerator(keras.Model):
    """Written as a class: it does not tell its shapes."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(784, activation="tanh")
        self.picture = layers.Reshape((28, 28, 1))

    def call(self, latent):
        return self.picture(self.dense(latent))


# --- networks

UNFIT = {
    "the other way round": (lambda: DCGAN(*players()[::-1]), r"needed: DCGAN\(generator"),
    "two sizes": (
        lambda: DCGAN(players()[0], build_discriminator(SMALL, (32, 32, 1))),
        r"makes \(28, 28, 1\), the discriminator takes \(32, 32, 1\)",
    ),
    "two verdicts": (
        lambda: DCGAN(
            players()[0],
            keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(2)]),
        ),
        r"returns \(2,\)",
    ),
    "no networks": (lambda: DCGAN("g", "d"), "accepted: a keras.Model"),
    "labels": (lambda: ConditionalDCGAN(*players()), "takes 1 inputs"),
    "half precision": (lambda: DCGAN(*half_precision()), "mixed_bfloat16"),
    "unknown length": (lambda: DCGAN(OwnGenerator(), players()[1]), "latent_dim=100"),
    "another length": (lambda: DCGAN(*players(), latent_dim=7), "latent_dim=7"),
    "no average": (
        lambda: DCGAN(OwnGenerator(), players()[1], latent_dim=10, ema_decay=0.9),
        "ema_decay=0",
    ),
}


@pytest.mark.parametrize("mistake", UNFIT)
def test_networks_that_cannot_play_are_refused(mistake):
    build, message = UNFIT[mistake]
    with pytest.raises(UserError, match=message):
        build()


def test_a_generator_written_as_a_class():
    gan = DCGAN(OwnGenerator(), build_discriminator(SMALL), latent_dim=10)
    gan.compile("adam", "adam")
    before = arrays(gan.generator)
    assert np.isfinite(gan.fit(IMAGES, verbose=0).history["d_loss"]).all()
    assert not equal(before, arrays(gan.generator))
    assert gan.predict(sample_latent(3, 10), verbose=0).shape == (3, 28, 28, 1)


def test_networks_that_are_not_built_yet():
    generator = keras.Sequential(
        [layers.Dense(784, activation="tanh"), layers.Reshape((28, 28, 1))]
    )
    discriminator = keras.Sequential([layers.Flatten(), layers.Dense(1)])
    gan = DCGAN(generator, discriminator, latent_dim=10)
    gan.compile("adam", "adam")
    gan.fit(IMAGES, verbose=0)
    assert int(gan.step) == 1


# --- compile

Scaled = keras.optimizers.LossScaleOptimizer
ONE = keras.optimizers.Adam()
SIGMOID = {"discriminator_output": "sigmoid"}

MISWIRED = {
    "one for both": ({}, (ONE, ONE), "one optimizer for both"),
    "scaled": ({}, (Scaled(keras.optimizers.Adam()), "adam"), "LossScaleOptimizer"),
    "one only": ({}, ("adam",), "one for each player"),
    "a class": ({}, (keras.optimizers.Adam, "adam"), "one for each player"),
    "no such name": ({}, ("adamant", "adam"), "one for each player"),
    "sigmoid": (SIGMOID, ("adam", "adam"), "from_logits=False"),
    "sigmoid and hinge": (SIGMOID, ("adam", "adam", HingeLoss()), "wants logits"),
    "linear": ({}, ("adam", "adam", BinaryCrossentropyLoss(False)), "from_logits=True"),
    "Keras's, linear": ({}, ("adam", "adam", "binary_crossentropy"), "from_logits=True"),
    "another loss": ({}, ("adam", "adam", "mse"), "accepted: a GANLoss"),
    "smoothed": (
        {},
        ("adam", "adam", keras.losses.BinaryCrossentropy(True, label_smoothing=0.1)),
        "smooths labels",
    ),
}


@pytest.mark.parametrize("mistake", MISWIRED)
def test_what_does_not_go_together_is_refused(mistake):
    changes, arguments, message = MISWIRED[mistake]
    gan = DCGAN(*players(**changes))
    with pytest.raises(UserError, match=message):
        gan.compile(*arguments)


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_a_frozen_player_is_refused(name):
    gan = game()
    getattr(gan, name).trainable = False
    for play in (lambda: gan.fit(IMAGES, verbose=0), lambda: gan.train_on_batch(IMAGES)):
        with pytest.raises(UserError, match=f"the {name} has no trainable weights"):
            play()


def test_what_kerass_examples_write_is_understood():
    gan = DCGAN(*players())
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    gan.compile(d_optimizer="sgd", g_optimizer="adam", loss_fn=cross_entropy)
    assert isinstance(gan.d_optimizer, keras.optimizers.SGD)
    assert isinstance(gan.g_optimizer, keras.optimizers.Adam)
    assert gan.gan_loss.threshold == 0.0
    gan.compile("adam", "adam", "hinge")
    assert isinstance(gan.gan_loss, HingeLoss)


# --- Dropout inside a network inside a network


def nested_game() -> DCGAN:
    keras.utils.set_random_seed(0)
    inner = keras.Sequential([layers.Dense(8), layers.Dropout(0.5), layers.Dropout(0.5)])
    body = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), inner, layers.Dense(1)])
    gan = DCGAN(build_generator(SMALL), body)
    gan.compile("adam", "adam")
    return gan


def test_nested_dropout_is_a_function_of_seed_and_step():
    unbroken, first, resumed = nested_game(), nested_game(), nested_game()
    assert len(seed_generators(unbroken.discriminator)) == 2
    for _ in range(3):
        unbroken.train_step(tf.constant(IMAGES))
    first.train_step(tf.constant(IMAGES))
    from dcgan_lib.gan import state_variables

    for new, old in zip(state_variables(resumed), state_variables(first), strict=True):
        new.assign(old)
    for _ in range(2):
        resumed.train_step(tf.constant(IMAGES))
    assert equal(arrays(unbroken.weights), arrays(resumed.weights))


def test_dropout_of_flat_networks_is_seeded_in_the_order_of_its_layers():
    discriminator = make_gan(tiny("tutorial")).discriminator
    states = [layer.seed_generator for layer in discriminator.layers if "dropout" in layer.name]
    found = seed_generators(discriminator)
    assert all(a is b for a, b in zip(found, states, strict=True))


# --- what `fit` looks at

BYTES = np.uint8(127.5 * (IMAGES + 1))
WRONG = {
    "0 to 1": (IMAGES / 2 + 0.5, "needed: from -1 to 1"),
    "0 to 255": (127.5 * (IMAGES + 1), "needed: from -1 to 1"),
    "uint8": (BYTES, "needed: from -1 to 1"),
    "NaN": (np.where(IMAGES > 0.9, np.nan, IMAGES), "not finite"),
    "nothing": (IMAGES[:0], "no images"),
    "no channel": (IMAGES[..., 0], r"needed: \(N, 28, 28, 1\)"),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("form", ["array", "stream", "generator"])
def test_the_first_batch_is_looked_at(kind, form):
    images, message = WRONG[kind]
    stream = tf.data.Dataset.from_tensor_slices(images).batch(8)
    batches = {"array": images, "stream": stream, "generator": (batch for batch in stream)}
    with pytest.raises(UserError, match=message):
        UNPLAYED.fit(batches[form], verbose=0)


UNPLAYED = game()


def test_a_generator_that_ends_in_a_sigmoid_wants_0_to_1():
    drawn = keras.Sequential(
        [keras.Input((4,)), layers.Dense(784, activation="sigmoid"), layers.Reshape((28, 28, 1))]
    )
    gan = DCGAN(drawn, build_discriminator(SMALL))
    gan.compile("adam", "adam")
    with pytest.raises(UserError, match="from 0 to 1"):
        gan.fit(IMAGES, verbose=0)
    gan.fit(IMAGES / 2 + 0.5, verbose=0)


# --- an epoch ends


def test_a_stream_of_training_batches_knows_its_epoch():
    gan = game()
    gan.fit(training_batches(BYTES, 10), epochs=2, shuffle=False, verbose=0)
    assert int(gan.step) == 8


@pytest.mark.parametrize("endless", [lambda s: s.map(lambda x: x), lambda s: s.take(1).repeat()])
def test_a_stream_that_never_ends_is_refused(endless):
    with pytest.raises(UserError, match="steps_per_epoch"):
        UNPLAYED.fit(endless(training_batches(BYTES, 10)), verbose=0)


# --- a strategy


def test_a_strategys_scope_is_refused_with_the_right_way():
    script = Path(__file__).parent / "scoped.py"
    told = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert [line.split(":")[0] for line in told.stdout.splitlines()] == ["built", "fitted"]
    assert told.stdout.count("train_dcgan_mnist(devices=2)") == 2


def test_a_scope_of_one_device_adds_nothing_up():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        game().train_on_batch(IMAGES)
