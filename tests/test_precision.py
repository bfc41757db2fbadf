"""Mixed precision: a setting of the recipe, off by default."""

import keras
import numpy as np
import pytest
from helpers import fit, make_gan, tiny

from dcgan_lib import RECIPES


@pytest.mark.parametrize("name", ["fast", "tutorial", "vanilla"])
def test_inside_it_computes_in_16_bits_and_outside_in_32(name, images):
    recipe = tiny(name, precision="mixed_bfloat16")
    gan = make_gan(recipe)
    fit(gan, images, recipe)
    assert gan(np.zeros((2, recipe.latent_dim), np.float32)).dtype == "float32"
    assert gan.discriminator(np.zeros((2, 28, 28, 1), np.float32)).dtype == "float32"
    for network in (gan.generator, gan.discriminator, gan.sampler):
        assert network.layers[0].compute_dtype == "bfloat16"
        assert {variable.dtype for variable in network.weights} == {"float32"}
        assert all(np.isfinite(weight).all() for weight in network.get_weights())


def test_the_next_network_is_built_as_before():
    make_gan(tiny(precision="mixed_bfloat16"))
    assert keras.config.dtype_policy().name == "float32"
    assert make_gan(tiny()).generator.layers[0].compute_dtype == "float32"
    assert all(recipe.precision == "float32" for recipe in RECIPES.values())
