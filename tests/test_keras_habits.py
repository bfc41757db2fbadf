"""The verbs of a Keras user: each does what it says, or says in one line what to do instead."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import arrays, equal, make_gan, tiny
from keras import layers

from dcgan_lib import RECIPES, GANLoss, UserError, one_hot, sample_latent, training_batches

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (40, 28, 28), dtype=np.uint8)
IMAGES = (BYTES[..., np.newaxis] / 127.5 - 1.0).astype(np.float32)
LABELS = np.arange(40) % 10
METRICS = ["d_loss", "g_loss", "d_accuracy_real", "d_accuracy_fake"]


def game(name="fast", **changes):
    return make_gan(tiny(name, batch_size=10, **changes), 40)


@pytest.fixture(scope="module")
def plain():
    return game()


@pytest.fixture(scope="module")
def conditional():
    return game("conditional")


# --- evaluate, validation, single batches


@pytest.mark.parametrize("kind", ["plain", "conditional"])
def test_evaluate_measures_and_moves_nobody(kind, request):
    gan = request.getfixturevalue(kind)
    before = arrays(gan.weights)
    first, again = (gan.evaluate(IMAGES, LABELS, return_dict=True, verbose=0) for _ in range(2))
    assert sorted(first) == sorted(METRICS)
    assert first == again
    assert equal(before, arrays(gan.weights))
    assert gan.evaluate(IMAGES, LABELS, verbose=0) == [first[name] for name in METRICS]
    on_batch = gan.test_on_batch(IMAGES[:32], LABELS[:32], return_dict=True)
    assert all(np.isfinite(list(on_batch.values())))


def test_evaluate_is_what_the_discriminator_says(plain):
    told = plain.evaluate(IMAGES, batch_size=40, return_dict=True, verbose=0)
    says = plain.discriminator(IMAGES)
    assert told["d_accuracy_real"] == pytest.approx(np.mean(says > 0.0))


@pytest.mark.parametrize(
    "held_out", [IMAGES[:8], (IMAGES[:8], LABELS[:8]), tf.data.Dataset.from_tensors(IMAGES[:8])]
)
def test_validation_data(held_out, plain):
    history = plain.fit(IMAGES, validation_data=held_out, batch_size=20, verbose=0).history
    assert {"d_loss", "val_d_loss", "val_g_loss"} <= history.keys()


def test_validation_split_with_labels(conditional):
    history = conditional.fit(IMAGES, LABELS, validation_split=0.2, batch_size=16, verbose=0)
    assert "val_d_loss" in history.history


def test_train_on_batch_is_a_step_of_fit():
    by_hand, by_fit = game(), game()
    told = by_hand.train_on_batch(IMAGES[:10], return_dict=True)
    shown = by_fit.fit(IMAGES[:10], batch_size=10, shuffle=False, verbose=0).history
    assert equal(arrays(by_hand.weights), arrays(by_fit.weights))
    assert told == pytest.approx({name: values[0] for name, values in shown.items()})
    assert int(by_hand.step) == 1


# --- what may be given to `fit`


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        return IMAGES[10 * i : 10 * i + 10], LABELS[10 * i : 10 * i + 10]


def generated(pairs=True):
    yield from (batch if pairs else batch[0] for batch in map(Batches().__getitem__, range(4)))


STREAM = tf.data.Dataset.from_tensor_slices((IMAGES, LABELS)).batch(10)
FORMS = {
    "arrays": lambda: {"x": IMAGES, "y": LABELS, "batch_size": 10, "shuffle": False},
    "one-hot": lambda: {"x": STREAM.map(lambda images, y: (images, tf.one_hot(y, 10)))},
    "stream": lambda: {"x": STREAM},
    "unknown length": lambda: {"x": STREAM.filter(lambda images, labels: True)},
    "generator": lambda: {"x": generated()},
    "Keras's dataset": lambda: {"x": Batches()},
}


@pytest.mark.slow
def test_the_same_images_in_every_form_train_alike():
    weights = []
    for form in FORMS.values():
        gan = game("conditional")
        gan.fit(**form(), verbose=0)
        assert int(gan.step) == int(gan.d_optimizer.iterations) == 4
        weights.append(arrays(gan.weights))
    in_arrays, stream, *others = weights
    assert all(equal(stream, other) for other in others)
    assert all(np.allclose(a, b, atol=5e-3) for a, b in zip(in_arrays, stream, strict=True))


def test_a_generator_of_images_alone():
    gan, twin = game(), game()
    gan.fit(generated(pairs=False), verbose=0)
    twin.fit(STREAM, verbose=0)
    assert equal(arrays(gan.weights), arrays(twin.weights))


BAD_LABELS = {"none": (None, "pairs"), "too many": (LABELS + 3, "3 to 12; accepted: 0 to 9")}


@pytest.mark.parametrize("kind", BAD_LABELS)
def test_labels_that_a_conditional_game_cannot_use(kind, conditional):
    labels, message = BAD_LABELS[kind]
    with pytest.raises(UserError, match=message):
        conditional.fit(IMAGES, labels, verbose=0)


INSTEAD = {
    "plateau": ({"callbacks": keras.callbacks.ReduceLROnPlateau()}, "give each a schedule"),
    "rate": (
        {"callbacks": [keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3)]},
        "give each a schedule",
    ),
    "no callback": ({"callbacks": [print]}, "accepted: a keras.callbacks.Callback"),
    "weights": ({"sample_weight": np.ones(40)}, "sample_weight"),
    "classes": ({"class_weight": {0: 1.0}}, "class_weight"),
}


@pytest.mark.parametrize("habit", INSTEAD)
def test_one_line_says_what_to_do_instead(habit, plain):
    options, message = INSTEAD[habit]
    with pytest.raises(UserError, match=message):
        plain.fit(IMAGES, verbose=0, **options)


def test_tensorboard_writes_both_losses(plain, tmp_path):
    pytest.importorskip("tensorboard")
    board = keras.callbacks.TensorBoard(tmp_path, write_graph=False)
    plain.fit(IMAGES, callbacks=board, verbose=0)
    events = b"".join(path.read_bytes() for path in tmp_path.rglob("events*"))
    assert b"d_loss" in events
    assert b"g_loss" in events


@pytest.mark.parametrize("kind", ["plain", "conditional"])
def test_what_is_exported_is_the_generator(kind, request, tmp_path):
    gan = request.getfixturevalue(kind)
    latent = sample_latent(2, 10)
    inputs = [latent, one_hot(np.array([3, 4]))] if kind == "conditional" else latent
    gan.export(str(tmp_path / "exported"), verbose=False)
    served = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(served.serve(inputs), gan(inputs), atol=1e-5)


# --- saved games


class Quarrel(GANLoss):
    """A loss of the reader's own."""

    def __init__(self, weight):
        self.weight = weight

    def discriminator_loss(self, real_output, fake_output):
        return self.weight * tf.reduce_mean(fake_output - real_output)

    def generator_loss(self, fake_output):
        return -self.weight * tf.reduce_mean(fake_output)


SAVED = {
    "fast": {},
    "conditional": {},
    "wgan_gp": {},
    "schedule": {"ema_decay": 0.9},
    "a loss of one's own": {},
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name in ("fast", "schedule")))
        for name in SAVED
    ],
)
def test_a_saved_game_goes_on_where_it_was(name, tmp_path):
    own = name not in RECIPES
    recipe = tiny("fast" if own else name, batch_size=20, **SAVED[name])
    gan = make_gan(recipe, 40)
    if own:
        gan.compile("adam", "sgd", Quarrel(0.5))
    labels = one_hot(LABELS) if recipe.conditional else None
    saving = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    gan.fit(training_batches(BYTES, 20, labels=labels), callbacks=[saving], verbose=0)
    loaded = keras.models.load_model(tmp_path / "1.keras")
    assert type(loaded) is type(gan)
    for each in (gan, loaded):
        each.fit(training_batches(BYTES, 20, 0, 2, labels), verbose=0)
    assert int(loaded.step) == 4
    assert equal(arrays(gan.weights), arrays(loaded.weights))
    assert equal(arrays(gan.g_optimizer.variables), arrays(loaded.g_optimizer.variables))


def test_a_saved_loss_that_is_not_known_is_named(tmp_path):
    class Passing(Quarrel):
        pass

    gan = game()
    gan.compile("adam", "adam", Passing(2.0))
    gan.save(tmp_path / "game.keras")
    del gan
    Passing.__name__ = "Renamed"
    with pytest.raises(UserError, match="Passing cannot be built again; import its module first"):
        keras.models.load_model(tmp_path / "game.keras")
    assert int(keras.models.load_model(tmp_path / "game.keras", compile=False).step) == 0


def test_a_game_of_nested_networks_is_saved_too(tmp_path):
    from dcgan_lib import DCGAN

    inner = keras.Sequential([keras.Input((784,)), layers.Dense(4), layers.Dropout(0.5)])
    discriminator = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Flatten(), inner, layers.Dense(1)]
    )
    gan = DCGAN(game().generator, discriminator)
    gan.compile("adam", "adam")
    gan.train_on_batch(IMAGES[:10])
    gan.save(tmp_path / "game.keras")
    loaded = keras.models.load_model(tmp_path / "game.keras")
    for each in (gan, loaded):
        each.train_on_batch(IMAGES[:10])
    assert equal(arrays(gan.weights), arrays(loaded.weights))


def test_a_conditional_game_is_found_by_whoever_imported_ours(conditional, tmp_path):
    conditional.save(tmp_path / "game.keras")
    code = f"""
import keras
from dcgan_lib import DCGAN
print(type(keras.models.load_model({str(tmp_path / "game.keras")!r})).__name__)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["ConditionalDCGAN"]
