"""Whether the networks of a recipe can be built at all, told before a run has a folder."""

from __future__ import annotations

import tensorflow as tf

from dcgan_lib.building import build_loss, build_networks
from dcgan_lib.engine.sizes import check_size
from dcgan_lib.errors import UserError
from dcgan_lib.guard.chance import drawing_alone
from dcgan_lib.latent import CLASSES
from dcgan_lib.networks import ImageShape
from dcgan_lib.recipes import Recipe

MAX_WEIGHTS = 2**28  # with Adam's two numbers for each, and the average, about 5 GB


def check_buildable(recipe: Recipe, image_shape: ImageShape, classes: int = CLASSES) -> None:
    """Raises UserError, before any folder is made, if the game cannot be built."""
    build_loss(recipe)
    side, halvings = min(image_shape[:2]), len(recipe.discriminator_widths)
    check_size(recipe, image_shape)
    if recipe.discriminator_pooling and not side >> halvings:
        raise UserError(
            f"discriminator_widths={recipe.discriminator_widths}: pooling halves {side} pixels "
            f"{halvings} times, until none is left; accepted: up to {side.bit_length() - 1} widths"
        )
    with drawing_alone(), tf.Graph().as_default():  # takes no memory
        networks = build_networks(recipe, image_shape, classes)
    weights = sum(network.count_params() for network in networks)
    if weights > MAX_WEIGHTS:
        raise UserError(
            f"the networks would have {weights:,} weights; accepted: up to {MAX_WEIGHTS:,}: make "
            "the widths, kernels or latent_dim smaller"
        )
