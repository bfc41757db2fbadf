"""The faster forms of layers: same numbers, same layers, from all of the recipes."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import equal, tiny
from keras import layers

from dcgan_lib import RECIPES
from dcgan_lib.building import build_gan, build_networks, layer_precision
from dcgan_lib.engine.cpu_layers import faster_form, hasten, hasten_network
from dcgan_lib.gan import copy_network


def answers(network, inputs, **mode) -> list[np.ndarray]:
    """Outputs, all gradients and, afterwards, the moving statistics."""
    inputs = tf.constant(inputs)
    weights = [weight.value for weight in network.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = network(inputs, **mode)
        uneven = tf.cos(tf.range(tf.size(outputs), dtype=tf.float32))
        loss = tf.reduce_sum(tf.reshape(outputs, [-1]) * uneven)
    gradients = tape.gradient(loss, [inputs, *weights])
    return [np.array(a) for a in (outputs, *gradients, *network.non_trainable_weights)]


def close(first: list[np.ndarray], second: list[np.ndarray], tolerance: float = 1e-4) -> bool:
    """Compares by the size of an array's numbers; a bias before BatchNorm has a gradient of 0."""
    pairs = zip(first, second, strict=True)
    return all(np.abs(a - b).max() <= tolerance * (np.abs(a).max() + 1.0) for a, b in pairs)


def forms(network) -> set[str]:
    found = (faster_form(layer) for layer in network.layers)
    return {form.__name__ for form in found if form}


def test_the_tutorial_uses_all_of_them():
    generator, discriminator = build_networks(RECIPES["tutorial"], (28, 28, 1))
    assert forms(generator) == {"fused_batch_norm", "stamp_by_waves"}
    assert forms(discriminator) == {"look_in_blocks"}


@pytest.mark.parametrize("name", ["fast", "tutorial", "balanced", "vanilla"])
@pytest.mark.parametrize("training", [True, False])
def test_networks_answer_as_before(name, training, real):
    recipe = tiny(name, dropout=0.0)
    keras.utils.set_random_seed(0)
    noise = np.random.default_rng(0).standard_normal((24, recipe.latent_dim), dtype=np.float32)
    for network, inputs in zip(
        build_networks(recipe, (28, 28, 1)), (noise, real[:24]), strict=True
    ):
        twin = copy_network(network)
        assert close(
            answers(twin, inputs, training=training),
            answers(hasten_network(network), inputs, training=training),
        )


LAYERS = [
    *(layers.Conv2D(6, kernel, 2, padding="same") for kernel in (1, 2, 3, 4, 5, 6)),
    layers.Conv2D(6, 5, 2, padding="same", use_bias=False, activation="tanh"),
    *(layers.Conv2DTranspose(6, k, padding="same", use_bias=False) for k in (5, 6, 7)),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: f"{layer.name}-{layer.kernel_size[0]}")
def test_kernels_of_all_sizes(layer):
    pixels = np.random.default_rng(1).standard_normal((5, 8, 8, 3), dtype=np.float32)
    network = keras.Sequential([keras.Input((8, 8, 3)), layer])
    assert forms(network)
    twin = copy_network(network)
    assert close(answers(twin, pixels), answers(hasten_network(network), pixels))


def test_a_frozen_batch_norm_keeps_its_statistics():
    pixels = np.random.default_rng(1).standard_normal((5, 8, 8, 3), dtype=np.float32)
    network = keras.Sequential([keras.Input((8, 8, 3)), layers.BatchNormalization()])
    network.trainable = False
    twin = copy_network(network)
    twin.trainable = False
    before = network.get_weights()
    assert close(
        answers(twin, pixels, training=True),
        answers(hasten_network(network), pixels, training=True),
    )
    assert equal(network.get_weights(), before)


def test_a_machine_with_a_gpu_keeps_keras_own(monkeypatch):
    gan = build_gan(tiny("tutorial"), 64)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [kind])
    assert not any("call" in vars(layer) for layer in hasten(gan).generator.layers)
    monkeypatch.undo()
    assert any("call" in vars(layer) for layer in hasten(gan).generator.layers)


def test_nothing_else_is_touched():
    odd = keras.Sequential(
        [
            keras.Input((15, 15, 1)),
            layers.Conv2D(4, 5, 2, padding="same"),
            layers.Conv2D(4, 5, 2),
            layers.Conv2DTranspose(1, 4, 2, padding="same"),
            layers.BatchNormalization(axis=1),
            layers.BatchNormalization(synchronized=True),
            layers.BatchNormalization(scale=False),
            layers.BatchNormalization(center=False),
        ]
    )
    assert forms(odd) == set()


def test_what_is_saved_and_copied_is_keras_own(tmp_path):
    gan = hasten(build_gan(tiny("tutorial"), 64))
    hurried = [layer for layer in gan.generator.layers if "call" in vars(layer)]
    assert {type(layer) for layer in hurried} == {
        layers.BatchNormalization,
        layers.Conv2DTranspose,
    }
    gan.generator.save(tmp_path / "generator.keras")
    for again in (
        keras.models.load_model(tmp_path / "generator.keras"),
        copy_network(gan.generator),
    ):
        assert equal(again.get_weights(), gan.generator.get_weights())
        assert not any("call" in vars(layer) for layer in again.layers)
        noise = np.ones((2, 10), np.float32)
        assert np.allclose(again(noise), gan.generator(noise), atol=1e-5)


def test_networks_within_networks():
    gan = hasten(build_gan(tiny("conditional"), 64))
    body = next(layer for layer in gan.generator.layers if isinstance(layer, keras.Model))
    assert any("call" in vars(layer) for layer in body.layers)


def test_in_16_bits(real):
    with layer_precision("mixed_bfloat16"):
        networks = build_networks(tiny("tutorial", dropout=0.0), (28, 28, 1))
    assert forms(networks[0]) == {"fused_batch_norm", "stamp_by_waves"}
    noise = np.random.default_rng(0).standard_normal((24, 10), dtype=np.float32)
    for network, inputs in zip(networks, (noise, real[:24]), strict=True):
        twin = copy_network(network)
        (a, *_), (b, *_) = (answers(n, inputs) for n in (twin, hasten_network(network)))
        assert b.dtype == np.float32
        assert np.abs(a - b).max() <= 0.05 * np.abs(a).max()
