"""Networks: shapes, layers and ranges of both players."""

import keras
import numpy as np
import pytest
from helpers import tiny
from keras import layers

from dcgan_lib import RECIPES, MinibatchStddev, UserError, build_discriminator, build_generator


def names(network) -> list[str]:
    """The kinds of its layers, shortened: `Conv2DTranspose 5/2 128` has kernel 5, stride 2."""
    computing = [x for x in network.layers if not isinstance(x, layers.InputLayer)]
    return [describe(layer) for layer in computing]


def describe(layer) -> str:
    kind = type(layer).__name__
    if isinstance(layer, layers.Dense):
        return f"{kind} {layer.units}"
    if isinstance(layer, (layers.Conv2D, layers.Conv2DTranspose)):
        return f"{kind} {layer.kernel_size[0]}/{layer.strides[0]} {layer.filters}"
    if isinstance(layer, layers.Dropout):
        return f"{kind} {layer.rate}"
    if isinstance(layer, (layers.ReLU, layers.LeakyReLU)):
        return f"ReLU {float(layer.negative_slope):.1f}"
    return kind


def of_kind(network, kind) -> list:
    return [layer for layer in network.layers if isinstance(layer, kind)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_generator_begins_with_hidden_layers(count):
    recipe = RECIPES["fast"].replace(generator_hidden_layers=count)
    hidden = ["Dense 256", "BatchNormalization", "ReLU 0.0"] * count
    assert names(build_generator(recipe))[: 3 * count + 1] == [*hidden, f"Dense {7 * 7 * 64}"]


def test_without_hidden_layers_they_are_left_out():
    plain = RECIPES["fast"].replace(generator_hidden=0, discriminator_hidden=0)
    assert len(of_kind(build_generator(plain), layers.Dense)) == 1
    assert len(of_kind(build_discriminator(plain), layers.Dense)) == 1


def test_the_tutorial_generator_layer_by_layer():
    assert names(build_generator(RECIPES["tutorial"])) == [
        f"Dense {7 * 7 * 256}",
        "BatchNormalization",
        "ReLU 0.3",
        "Reshape",
        "Conv2DTranspose 5/1 128",
        "BatchNormalization",
        "ReLU 0.3",
        "Conv2DTranspose 5/2 64",
        "BatchNormalization",
        "ReLU 0.3",
        "Conv2DTranspose 5/2 1",
        "Activation",
    ]


def test_the_tutorial_discriminator_layer_by_layer():
    assert names(build_discriminator(RECIPES["tutorial"])) == [
        "Conv2D 5/2 64",
        "ReLU 0.3",
        "Dropout 0.3",
        "Conv2D 5/2 128",
        "ReLU 0.3",
        "Dropout 0.3",
        "Flatten",
        "Dense 1",
    ]


def test_the_default_discriminator_has_batch_norm_but_not_first():
    assert names(build_discriminator()) == [
        "Conv2D 4/2 24",
        "ReLU 0.2",
        "Conv2D 4/2 48",
        "BatchNormalization",
        "ReLU 0.2",
        "Flatten",
        "Dense 128",
        "BatchNormalization",
        "ReLU 0.2",
        "MinibatchStddev",
        "Concatenate",
        "Dense 1",
    ]


def test_the_verdict_hears_how_far_the_images_of_a_batch_differ():
    features = np.float32([[1.0, 5.0], [3.0, 5.0]])  # standard deviations 1 and 0
    assert np.allclose(MinibatchStddev()(features), [[0.5], [0.5]], atol=1e-3)
    network = build_discriminator(tiny())
    collapsed = np.repeat(np.random.default_rng(0).normal(size=(1, 28, 28, 1)), 4, axis=0)
    told = keras.Model(network.input, of_kind(network, MinibatchStddev)[0].output)
    assert np.allclose(told(collapsed), 1e-4, atol=1e-5)
    assert told(np.random.default_rng(0).normal(size=(4, 28, 28, 1))).numpy().min() > 0.01


def test_tanh_draws_a_share_of_what_the_last_layer_gives():
    whole, half = (build_generator(tiny(generator_output_scale=s)) for s in (1.0, 0.5))
    half.set_weights(whole.get_weights())
    noise = np.random.default_rng(0).normal(size=(4, 10)).astype("float32")
    assert np.allclose(np.arctanh(whole(noise)), 2 * np.arctanh(half(noise)), atol=1e-4)


def test_the_fully_connected_pair_layer_by_layer():
    generator, discriminator = (
        build(RECIPES["vanilla"]) for build in (build_generator, build_discriminator)
    )
    block = ["BatchNormalization", "ReLU 0.2"]
    assert names(generator) == [
        *("Dense 256", *block),
        *("Dense 512", *block),
        *("Dense 1024", *block),
        "Dense 784",
        "Reshape",
    ]
    assert names(discriminator) == [
        "Flatten",
        *("Dense 512", "ReLU 0.2"),
        *("Dense 256", "ReLU 0.2"),
        "Dense 1",
    ]


@pytest.mark.parametrize("name", RECIPES)
def test_shapes_and_ranges(name):
    recipe = tiny(name)
    generator, discriminator = build_generator(recipe), build_discriminator(recipe)
    assert generator.input_shape == (None, 10)
    assert generator.output_shape == discriminator.input_shape == (None, 28, 28, 1)
    loud = 100 * np.random.default_rng(0).standard_normal((6, 10), dtype=np.float32)
    drawn = generator(loud, training=False).numpy()
    assert np.abs(drawn).max() <= 1.0
    assert drawn.min() < 0 < drawn.max()
    verdicts = discriminator(50 * drawn, training=False).numpy()
    assert verdicts.shape == (6, 1)
    if recipe.discriminator_output == "sigmoid":
        assert ((verdicts >= 0) & (verdicts <= 1)).all()


@pytest.mark.parametrize("name", RECIPES)
def test_the_output_is_logits_or_sigmoid_as_the_recipe_says(name):
    activation = build_discriminator(tiny(name)).layers[-1].activation
    sigmoid = RECIPES[name].discriminator_output == "sigmoid"
    assert activation is (keras.activations.sigmoid if sigmoid else keras.activations.linear)


@pytest.mark.parametrize("name", ["fast", "tutorial", "vanilla"])
def test_no_bias_stands_before_batch_norm(name):
    generator = build_generator(tiny(name))
    for layer, after in zip(generator.layers, generator.layers[1:], strict=False):
        if isinstance(after, layers.BatchNormalization):
            assert not layer.use_bias


def test_biases_of_the_tutorial():
    generator, discriminator = (
        build(tiny("tutorial")) for build in (build_generator, build_discriminator)
    )
    assert not any(layer.use_bias for layer in of_kind(generator, layers.Conv2DTranspose))
    assert all(layer.use_bias for layer in of_kind(discriminator, layers.Conv2D))


def test_padding_is_same():
    for layer in of_kind(build_generator(), layers.Conv2DTranspose):
        assert layer.padding == "same"
    for layer in of_kind(build_discriminator(), layers.Conv2D):
        assert layer.padding == "same"


def test_batch_norm_can_be_left_out_and_its_momentum_set():
    without = tiny(generator_batch_norm=False, discriminator_batch_norm=False)
    for build in (build_generator, build_discriminator):
        assert not of_kind(build(without), layers.BatchNormalization)
        found = of_kind(build(tiny(batch_norm_momentum=0.77)), layers.BatchNormalization)
        assert {layer.momentum for layer in found} == {0.77}


@pytest.mark.parametrize(("name", "count"), [("fast", 3), ("vanilla", 2)])
def test_dropout_is_a_setting(name, count):
    assert not of_kind(build_discriminator(tiny(name)), layers.Dropout)
    dropped = of_kind(build_discriminator(tiny(name, dropout=0.4)), layers.Dropout)
    assert [layer.rate for layer in dropped] == [0.4] * count


def test_depth_is_a_setting_too():
    recipe = tiny(
        generator_widths=(8, 6, 5, 4), generator_strides=(1, 2, 1, 2), discriminator_widths=(4,)
    )
    assert len(of_kind(build_generator(recipe), layers.Conv2DTranspose)) == 4
    assert build_generator(recipe).output_shape == (None, 28, 28, 1)
    assert len(of_kind(build_discriminator(recipe), layers.Conv2D)) == 1


@pytest.mark.parametrize("name", ["fast", "vanilla"])
def test_other_image_shapes(name):
    shape = (32, 48, 3)
    assert build_generator(tiny(name), shape).output_shape == (None, *shape)
    assert build_discriminator(tiny(name), shape).input_shape == (None, *shape)


def test_strides_that_do_not_divide_the_image_are_refused():
    recipe = tiny(generator_widths=(8, 4, 4), generator_strides=(2, 2, 2))
    with pytest.raises(UserError, match=r"generator_strides=\(2, 2, 2\).*28x28.*multiples of 8"):
        build_generator(recipe)
