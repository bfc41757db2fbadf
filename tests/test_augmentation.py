"""What the discriminator sees is changed at random: alike for real and drawn, and repeatably."""

import json

import numpy as np
import pytest
import tensorflow as tf
from helpers import arrays, equal, fit, make_gan, tiny

from dcgan_lib import UserError, one_hot, train_dcgan_mnist, training_batches
from dcgan_lib.beyond.augmentation import FEW, SAFE, Augmentation, suited_to
from dcgan_lib.beyond.variants import slope_penalty
from dcgan_lib.recipes import FAST, RECIPES
from dcgan_lib.runs.folder import default_folder, settings_record

KINDS = ("shift", "turn", "scale", "flip", "cutout", "color")


def changed(images, *kinds, step=5):
    layer = Augmentation(kinds)
    layer.seed_generator.state.assign([1, step])
    return layer(images, training=True).numpy()


@pytest.fixture
def blots():
    """One wide, smooth blot, not in the middle, 16 times, in three colors."""
    y, x = np.mgrid[:28, :28]
    blot = 1.8 * np.exp(-((x - 11.0) ** 2 + (y - 16.0) ** 2) / 18)
    shades = np.stack([blot, 0.5 * blot, 0.2 * blot], axis=-1) - 1.0
    return np.tile(shades[np.newaxis], (16, 1, 1, 1)).astype(np.float32)


def middles(images):
    """Where the light of each image has its middle: (N, 2), x and y, in pixels."""
    light = images.mean(axis=3) + 1.0
    total = light.sum(axis=(1, 2))
    places = np.arange(images.shape[1])
    return np.stack([(light.sum(axis=axis) @ places) / total for axis in (1, 2)], axis=1)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_each_image_otherwise_and_repeatably(kind, blots):
    found = changed(blots, kind)
    assert found.shape == blots.shape
    apart = np.abs(found[1:] - found[:1]).max(axis=(1, 2, 3))
    assert np.count_nonzero(apart > 1e-3) >= (4 if kind == "flip" else 15)
    assert np.array_equal(found, changed(blots, kind))
    assert not np.array_equal(found, changed(blots, kind, step=6))
    assert np.array_equal(Augmentation([kind])(blots, training=False), blots)


def test_a_shift_is_at_most_an_eighth_of_the_side(blots):
    many = np.tile(blots, (20, 1, 1, 1))
    moved = middles(changed(many, "shift")) - middles(many)
    assert np.abs(moved).max() <= 3.5 + 0.1
    assert np.abs(moved).max() > 3.0
    assert np.abs(moved.mean(axis=0)).max() < 0.4


def test_a_turn_goes_about_the_middle_of_the_picture(blots):
    start, found = middles(blots)[0] - 13.5, middles(changed(blots, "turn")) - 13.5
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.linalg.norm(start), abs=0.1)
    angles = np.degrees(np.arctan2(*found.T) - np.arctan2(*start))
    assert 5 < np.abs(angles).max() <= 10.3
    mirrored = middles(changed(blots, "flip")) - 13.5
    assert np.abs(mirrored[:, 0]) == pytest.approx(abs(start[0]), abs=0.05)
    assert len(np.unique(np.sign(mirrored[:, 0]))) == 2


def test_the_generator_learns_through_it(blots):
    """What a pixel of a drawn image is told is what it does to what D sees."""
    layer = Augmentation(["shift", "turn", "color", "cutout"])

    def seen(images):
        layer.seed_generator.state.assign([1, 5])
        return layer(images, training=True)

    images, wanted = tf.constant(blots), tf.constant(np.roll(blots, 3, axis=2))
    with tf.GradientTape() as tape:
        tape.watch(images)
        loss = tf.reduce_sum(seen(images) * wanted)
    gradient = tape.gradient(loss, images).numpy()
    move = np.random.default_rng(0).normal(size=blots.shape).cumsum(axis=1).cumsum(axis=2)
    move = (1e-3 * move / np.abs(move).max()).astype(np.float32)
    gain = float(tf.reduce_sum((seen(blots + move) - seen(blots - move)) * wanted)) / 2
    # TensorFlow takes the gradient of a turn to be the turn back: close, and not the very same.
    assert float((gradient * move).sum()) == pytest.approx(gain, rel=0.03)


def test_a_training_is_repeated_bit_for_bit(images):
    recipe = tiny(augmentations=KINDS, batch_size=16)
    gan, again = make_gan(recipe), make_gan(recipe)
    fit(gan, images, recipe)
    fit(again, images, recipe)
    assert equal(arrays(gan), arrays(again))


@pytest.mark.parametrize("name", ["grouped", "wgan_gp", "spectral"])
def test_every_kind_of_game_can_have_it(name, images):
    recipe = tiny(name, augmentations=("shift", "color"), batch_size=16)
    gan = make_gan(recipe)
    labels = one_hot(np.arange(len(images)) % 10) if recipe.conditional else None
    batches = training_batches(images, 16, labels=labels)
    history = gan.fit(batches, steps_per_epoch=2, shuffle=False, verbose=0).history
    assert np.isfinite(history["d_loss"] + history["g_loss"]).all()
    assert gan.discriminator.get_layer("augmentation").kinds == ("shift", "color")
    if name == "wgan_gp":
        assert np.isfinite(slope_penalty(gan.discriminator, tf.zeros((4, 28, 28, 1))))


def test_what_a_recipe_leaves_open_is_chosen_by_the_number_of_images():
    few = suited_to(FAST, FEW - 1, (28, 28, 1))
    assert few.augmentations == ("shift", "turn", "scale")
    assert not few.simultaneous
    assert "color" in suited_to(FAST, 100, (28, 28, 3)).augmentations
    assert suited_to(FAST, FEW, (28, 28, 1)).augmentations == ()
    assert suited_to(FAST, SAFE, (28, 28, 1)).simultaneous
    chosen = FAST.replace(augmentations=("flip",), simultaneous=True)
    assert suited_to(chosen, 100, (28, 28, 1)) == chosen
    assert RECIPES["tutorial"].augmentations == ()  # as its source


def test_a_game_on_few_images_is_built_so():
    open_ones = {"augmentations": None, "simultaneous": None}
    few, many = (make_gan(tiny(**open_ones), number) for number in (500, SAFE))
    assert few.discriminator.get_layer("augmentation").kinds == ("shift", "turn", "scale")
    assert not few.simultaneous
    assert many.simultaneous
    assert "augmentation" not in [layer.name for layer in many.discriminator.layers]


def test_a_run_on_few_images_says_and_records_what_it_chose(digits_file, tmp_path, capsys):
    recipe = tiny(augmentations=None, simultaneous=None, steps=2)
    run = train_dcgan_mnist(recipe, tmp_path / "run", str(digits_file))
    said = capsys.readouterr().out
    assert "images are few" in said
    assert "shift, turn, scale" in said
    record = json.loads((run.folder / "recipe.json").read_text())
    assert record["recipe"]["augmentations"] == ["shift", "turn", "scale"]
    assert record["recipe"]["simultaneous"] is False
    assert train_dcgan_mnist(output=run.folder).found  # the same again
    off = train_dcgan_mnist(tiny(steps=2), tmp_path / "off", str(digits_file))
    assert "images are few" not in capsys.readouterr().out
    assert off.recipe.augmentations == ()


@pytest.mark.parametrize("name", ["fast", "hinge", "conditional", "tutorial"])
def test_a_run_that_is_older_than_this_setting_is_found_again(name):
    record = settings_record(suited_to(RECIPES[name], 50_000, (28, 28, 1)), {"source": "mnist"})
    older = {k: v for k, v in record["recipe"].items() if k != "augmentations"}
    assert default_folder(record) == default_folder(record | {"recipe": older})
    assert default_folder(record).name.startswith(f"{name}-s0-")


def test_an_unknown_kind_is_refused():
    with pytest.raises(UserError, match="augmentations"):
        FAST.replace(augmentations=("blur",))
