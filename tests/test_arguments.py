"""Arguments in Python: accepted where the meaning is plain, else one line says what is."""

import keras
import numpy as np
import pytest
from helpers import STEPS, make_gan, tiny

from dcgan_lib import (
    DCGAN,
    UserError,
    build_discriminator,
    build_generator,
    load_training_set,
    sample_latent,
    train_dcgan_mnist,
    training_batches,
)

REFUSED = {
    "recipe=7": lambda: train_dcgan_mnist(7),
    "recipe={'steps'": lambda: train_dcgan_mnist({"steps": 3}),
    "callbacks=": lambda: train_dcgan_mnist("fast", callbacks="early"),
    "max_images='100'": lambda: train_dcgan_mnist("fast", max_images="100"),
    "max_images=1.5": lambda: load_training_set(tiny(), "digits", 1.5),
    "max_images='9'": lambda: load_training_set(tiny(), "digits", "9"),
    "output=5": lambda: train_dcgan_mnist(output=5),
    "output=0": lambda: train_dcgan_mnist(tiny(**STEPS), 0, "digits", max_images=64),
    "seed=-1": lambda: train_dcgan_mnist("fast", seed=-1),
    "seed=0.5": lambda: DCGAN(build_generator(tiny()), build_discriminator(tiny()), seed=0.5),
    "seed -1": lambda: sample_latent(3, 10, seed=-1),
}


@pytest.mark.parametrize("argument", REFUSED)
def test_one_line_instead_of_an_error_from_inside(argument):
    with pytest.raises(UserError) as caught:
        REFUSED[argument]()
    assert argument in str(caught.value)
    assert "accepted" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_single_callback_and_a_home(digits_file, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    seen = []
    callback = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(1))
    run = train_dcgan_mnist(
        tiny(**STEPS), "~/run", str(digits_file), callbacks=callback, verbose=False
    )
    assert run.folder == tmp_path / "run"
    assert seen


@pytest.mark.parametrize("seed", [np.int64(3), np.uint8(3), np.array(3)])
def test_a_seed_may_be_a_number_of_numpy(seed, images, tmp_path):
    assert np.array_equal(sample_latent(2, 10, seed), sample_latent(2, 10, 3))
    batches = (next(iter(training_batches(images, 8, s))).numpy() for s in (seed, 3))
    assert np.array_equal(*batches)
    gan = DCGAN(build_generator(tiny()), build_discriminator(tiny()), seed=seed)
    assert np.array_equal(gan.random_seed("d_noise"), make_gan(tiny(seed=3)).random_seed("d_noise"))
    gan.save(tmp_path / "game.keras")
    assert keras.models.load_model(tmp_path / "game.keras", compile=False).seed == 3


def test_a_negative_seed_of_a_stream_is_a_seed(images):
    assert next(iter(training_batches(images, 8, seed=-1))).shape == (8, 28, 28, 1)
