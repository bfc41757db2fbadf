"""A generator that is told which digit to draw, and a discriminator that is told too."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import arrays, equal, make_gan, save_data, tiny
from PIL import Image

from dcgan_lib import (
    RECIPES,
    SHAPES,
    UserError,
    load_generator,
    load_training_set,
    sample_latent,
    train_dcgan_mnist,
)
from dcgan_lib.beyond.conditional import (
    build_conditional_discriminator,
    build_conditional_generator,
)
from dcgan_lib.cli import main
from dcgan_lib.latent import generator_input, latent_dim_of, one_hot
from dcgan_lib.runs.loading import find_class, find_generator


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


# --- other classes than ten digits


def own_classes(kind: str, folder) -> str:
    """Writes data with classes of their own; returns what `data` is for them."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 28, 28), np.uint8)
    if kind == "letters":
        labels = np.arange(60) % 26 + 1
        return str(save_data(folder / "letters.npz", images, labels))
    for number, image in enumerate(images):
        place = folder / "own" / ("cat" if number < 30 else "dog")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{number}.png")
    return str(folder / "own")


KINDS = {"folder": ["cat", "dog"], "letters": [str(number) for number in range(1, 27)]}


@pytest.mark.parametrize("kind", KINDS)
def test_classes_come_from_the_data_and_stay_with_the_run(kind, tmp_path):
    data, recipe = own_classes(kind, tmp_path), tiny("conditional", steps=2, batch_size=8)
    run = train_dcgan_mnist(recipe, tmp_path / "run", data, verbose=False)
    assert run.generator.input_shape[1] == (None, len(KINDS[kind]))
    record = json.loads((run.folder / "recipe.json").read_text())
    assert record["data"]["classes"] == KINDS[kind]
    assert not (run.folder / "quality.csv").exists()
    (run.folder / "metrics.json").unlink()
    assert not train_dcgan_mnist(output=run.folder, verbose=False).found  # resumed
    alone = shutil.copy(run.folder / "generator.keras", tmp_path / "alone.keras")
    asked = {"folder": (1, "dog", 1), "letters": (26, "26", 25)}[kind]
    for source in (run.folder, alone):
        generator = load_generator(source)
        assert find_class(generator, source, digit=asked[0]) == asked[2]
        assert find_class(generator, source, label=asked[1]) == asked[2]
        for wrong in ({"digit": 27}, {"label": "cow"}, {"digit": -1}):
            with pytest.raises(UserError, match=f"impossible; accepted: .*{KINDS[kind][-1]}|0 to"):
                find_class(generator, source, **wrong)
    for option in (["--label", asked[1]], ["--digit", str(asked[0])], []):
        output = tmp_path / "x.png"
        assert main(["sample", str(alone), "-n", "3", "--output", str(output), *option]) == 0
    assert keras.saving.load_model(alone, compile=False).count_params() > 0  # plain Keras reads it


def test_an_older_run_of_two_classes_goes_on_with_ten(tmp_path):
    data = own_classes("folder", tmp_path)
    recipe = tiny("conditional", steps=2, batch_size=8)
    known = load_training_set(recipe, data).source
    assert load_training_set(recipe, data).labels.shape[1] == 2
    del known["classes"]
    assert load_training_set(recipe, data, known=known).labels.shape[1] == 10
    assert load_training_set(recipe, data, known=known).source == known


@pytest.mark.parametrize("data", ["mnist10k", "digits", "shapes"])
def test_ten_digits_are_not_recorded(data):
    source = load_training_set(tiny("conditional"), data).source
    assert source.get("classes") == (list(SHAPES) if data == "shapes" else None)


def test_a_digit_asked_of_a_published_generator(capsys):
    generator = find_generator("conditional")
    assert find_class(generator, "conditional", digit=7) == 7
    assert find_class(generator, "conditional", label="7") == 7
    assert find_class(generator, "conditional") is None
    assert main(["sample", "conditional", "--digit", "10"]) == 2
    assert "--digit 10 is impossible; accepted: 0 to 9" in capsys.readouterr().err
    assert main(["sample", "conditional", "--digit", "1", "--label", "1"]) == 2
