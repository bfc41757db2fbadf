"""Recipes: their values, what they refuse, and that each of them trains."""

import dataclasses
import json

import numpy as np
import pytest
from helpers import STEPS, make_gan, tiny

from dcgan_lib import RECIPES, Recipe, UserError
from dcgan_lib.building import build_optimizer
from dcgan_lib.latent import generator_input, one_hot
from dcgan_lib.networks import build_discriminator, build_generator
from dcgan_lib.recipes import get_recipe


def test_the_wasserstein_recipe_is_that_of_its_paper_but_for_its_length():
    recipe = RECIPES["wgan_gp"]
    assert (recipe.loss, recipe.gradient_penalty) == ("wasserstein", 10.0)
    assert not recipe.discriminator_batch_norm


def test_the_default_recipe_is_what_a_recipe_is_by_default():
    assert RECIPES["fast"] == Recipe()


def test_parameter_counts_are_those_of_the_tutorial():
    assert build_generator(RECIPES["tutorial"]).count_params() == 2_330_944
    assert build_discriminator(RECIPES["tutorial"]).count_params() == 212_865


@pytest.mark.parametrize("name", RECIPES)
def test_adam_gets_the_rates_and_betas(name):
    recipe = RECIPES[name]
    for player, rate in (("g", recipe.g_learning_rate), ("d", recipe.d_learning_rate)):
        adam = build_optimizer(recipe, player, 1000)
        assert float(adam.learning_rate) == pytest.approx(rate)
        assert (adam.beta_1, adam.beta_2) == (recipe.beta_1, recipe.beta_2)


def test_schedules_end_with_the_run_each_at_its_own_fraction():
    gan = make_gan(RECIPES["schedule"], num_images=1000)
    rounds = 200 * 4  # epochs x batches
    for optimizer, moves, fraction in (
        (gan.g_optimizer, 3 * rounds, 0.05),
        (gan.d_optimizer, rounds, 0.1),
    ):
        assert float(optimizer.learning_rate) == pytest.approx(2e-4)
        optimizer.iterations.assign(moves // 2)
        assert fraction * 2e-4 < float(optimizer.learning_rate) < 2e-4
        optimizer.iterations.assign(moves)
        assert float(optimizer.learning_rate) == pytest.approx(fraction * 2e-4, rel=1e-3)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_trains_some_steps(name, real):
    recipe = tiny(name, **STEPS)
    gan = make_gan(recipe)
    before = gan.generator.get_weights(), gan.discriminator.get_weights()
    labels = one_hot(np.arange(len(real)) % 10) if recipe.conditional else None
    logs = gan.fit(real, labels, batch_size=32, epochs=1, verbose=0).history
    assert set(logs) == {"d_loss", "g_loss", "d_accuracy_real", "d_accuracy_fake"}
    assert np.isfinite([logs["d_loss"], logs["g_loss"]]).all()
    for old, network in zip(before, (gan.generator, gan.discriminator), strict=True):
        assert all(np.isfinite(w).all() for w in network.get_weights())
        same = [np.array_equal(a, b) for a, b in zip(old, network.get_weights(), strict=True)]
        # A last layer's u is ±1, and what real and fake images do to its bias may cancel.
        learned = [w.name != "shares" and w.shape not in ((1, 1), (1,)) for w in network.weights]
        assert not any(np.logical_and(same, learned))
    latent = np.zeros((3, 10), np.float32)
    assert gan(generator_input(gan.generator, latent)).shape == (3, 28, 28, 1)


IMPOSSIBLE = [
    ("batch_size", 0),
    ("batch_size", -1),
    ("batch_size", 3.5),
    ("batch_size", True),
    ("latent_dim", 0),
    ("d_steps", 0),
    ("g_steps", 0),
    ("g_learning_rate", -1e-3),
    ("d_learning_rate", 0.0),
    ("g_learning_rate", float("nan")),
    ("g_learning_rate", float("inf")),
    ("beta_1", 1.0),
    ("beta_2", -0.1),
    ("dropout", 1),
    ("dropout", 1.0),
    ("dropout", -0.1),
    ("ema_decay", 1.0),
    ("batch_norm_momentum", 1.0),
    ("real_label_smoothing", 0.5),
    ("fake_label_smoothing", -0.1),
    ("real_noise_stddev", -0.1),
    ("generator_negative_slope", -0.1),
    ("generator_hidden", -1),
    ("discriminator_hidden", 1.5),
    ("precision", "float16"),
    ("steps", 0),
    ("epochs", -3),
    ("sample_every", 0),
    ("sample_epochs", (0,)),
    ("snapshot_epochs", 0),
    ("log_every", 0),
    ("num_samples", 0),
    ("hold_out", -1),
    ("seed", -1),
    ("seed", 2**31),
    ("seed", "zero"),
    ("generator_widths", ()),
    ("generator_widths", (64, 0)),
    ("generator_widths", (64, 32.0)),
    ("generator_widths", 64),
    ("discriminator_widths", ()),
    ("generator_strides", (2, 2, 2)),
    ("generator_kernel", 0),
    ("discriminator_kernel", -4),
    ("architecture", "transformer"),
    ("discriminator_output", "tanh"),
    ("g_schedule", "linear"),
    ("g_final_fraction", 0.0),
    ("d_final_fraction", 1.5),
    ("name", "../up"),
    ("name", ""),
    ("generator_batch_norm", 1),
]


@pytest.mark.parametrize(("setting", "value"), IMPOSSIBLE)
def test_impossible_values_are_refused_by_name(setting, value):
    with pytest.raises(UserError, match=setting) as caught:
        RECIPES["fast"].replace(**{setting: value})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "changes", "named"),
    [
        ("fast", {"gradient_penalty": 10.0}, "gradient_penalty"),  # BatchNorm in D
        ("fast", {"loss": "my loss"}, "loss"),
        ("fast", {"gradient_penalty": -1.0}, "gradient_penalty"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(name, changes, named):
    with pytest.raises(UserError, match=named):
        RECIPES[name].replace(**changes)


def test_unknown_names_are_refused_with_the_known_ones():
    with pytest.raises(UserError, match=r"'bach_size'.*batch_size"):
        RECIPES["fast"].replace(bach_size=3)
    with pytest.raises(UserError, match=r"'fats'.*fast"):
        get_recipe("fats")


def test_get_recipe_takes_a_name_or_a_recipe_and_changes():
    assert get_recipe("keras") is not None
    assert get_recipe("keras", dropout=0.1).dropout == 0.1
    assert get_recipe(tiny(), seed=3) == tiny().replace(seed=3)


def test_replacing_leaves_the_original_alone():
    changed = RECIPES["fast"].replace(seed=5)
    assert (changed.seed, RECIPES["fast"].seed) == (5, 0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        changed.seed = 6


def test_steps_and_epochs_replace_each_other():
    assert RECIPES["fast"].replace(epochs=3).steps is None
    assert RECIPES["tutorial"].replace(steps=3).epochs is None
    for both in ({"steps": 3, "epochs": 3}, {"steps": None, "epochs": None}):
        with pytest.raises(UserError, match="exactly one"):
            RECIPES["fast"].replace(**both)


def test_length_counts_the_partial_batch():
    recipe = RECIPES["fast"].replace(batch_size=256, epochs=3)
    assert recipe.steps_per_epoch(60_000) == 235
    assert recipe.total_steps(60_000) == 705
    assert recipe.replace(steps=17).total_steps(60_000) == 17


def test_values_of_numpy_are_made_plain():
    recipe = RECIPES["fast"].replace(
        batch_size=np.int64(32), generator_widths=np.array([64, 32]), conditional=np.bool_(True)
    )
    assert recipe == RECIPES["fast"].replace(batch_size=32, conditional=True)
    assert type(recipe.batch_size) is int
    json.dumps(dataclasses.asdict(recipe))


def test_numbers_of_numpy_may_be_rates():
    sweep = np.logspace(-4, -3, 3)
    recipe = RECIPES["fast"].replace(g_learning_rate=sweep[1])
    assert json.loads(json.dumps(dataclasses.asdict(recipe)))["g_learning_rate"] == sweep[1]


def test_lists_become_tuples_as_a_json_record_needs():
    record = dataclasses.asdict(RECIPES["balanced"])
    record["generator_widths"] = list(record["generator_widths"])
    assert Recipe(**record) == RECIPES["balanced"]
