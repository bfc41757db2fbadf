"""The same training ends with the same bits, whoever trains beside it in the same process."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from helpers import arrays, equal, fit, tiny

from dcgan_lib import Evaluator, build_gan, building, train_dcgan_mnist
from dcgan_lib.building import build_networks
from dcgan_lib.runs.loading import load_network


@pytest.fixture
def slow_building(monkeypatch):
    """Leaves the processor to the other threads in the middle of building."""

    def slow(*arguments):
        time.sleep(0.2)
        networks = build_networks(*arguments)
        time.sleep(0.2)
        return networks

    monkeypatch.setattr(building, "build_networks", slow)


def started(recipe):
    gan = build_gan(recipe, 64)
    return arrays(gan.generator) + arrays(gan.discriminator)


def test_two_games_are_built_at_once(slow_building):
    recipes = [tiny("tutorial", seed=seed) for seed in (0, 1, 2)]
    alone = [started(recipe) for recipe in recipes]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(started, recipes))
    assert all(map(equal, alone, together))


@pytest.mark.parametrize("other", ["evaluator", "network"])
def test_layers_made_elsewhere_leave_the_seed_alone(other, slow_building, finished_run):
    recipe = tiny()
    make = {
        "evaluator": Evaluator,
        "network": lambda: load_network(finished_run.folder / "generator.keras"),
    }[other]
    alone = started(recipe)
    done = threading.Event()

    def disturb():
        while not done.wait(0.01):
            make()

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        assert equal(alone, started(recipe))
    finally:
        done.set()
        thread.join()


@pytest.mark.slow
def test_two_trainings_at_once(digits_file, tmp_path):
    def train(recipe, place):
        run = train_dcgan_mnist(
            recipe, tmp_path / place / recipe.name, str(digits_file), verbose=False
        )
        return arrays(run.generator) + arrays(run.discriminator)

    recipes = [tiny(name, epochs=None, steps=6, sample_every=3) for name in ("fast", "keras")]
    alone = [train(recipe, "alone") for recipe in recipes]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(train, recipes, ["together"] * 2))
    assert all(map(equal, alone, together))


def test_a_policy_of_another_thread_is_not_ours(images):
    weights = []

    def build():
        keras.config.set_dtype_policy("mixed_bfloat16")
        weights.append(build_gan(tiny(), 64))

    thread = threading.Thread(target=build)
    thread.start()
    thread.join()
    assert weights[0].generator.layers[0].compute_dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"
    fit(weights[0], images, tiny())
    assert np.isfinite(arrays(weights[0].generator)[0]).all()
