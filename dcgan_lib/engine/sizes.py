"""Which sizes of images a recipe's strides can reach."""

from __future__ import annotations

import math

from dcgan_lib.errors import UserError
from dcgan_lib.networks import ImageShape, first_size
from dcgan_lib.recipes import Recipe


def check_size(recipe: Recipe, image_shape: ImageShape) -> None:
    """Raises UserError for sides that the strides cannot reach, with one that they can."""
    if recipe.architecture == "dense":
        return
    try:
        first_size(recipe, image_shape)
    except UserError as error:
        growth = math.prod(recipe.generator_strides)
        good = max(min(image_shape[:2]) // growth, 1) * growth
        raise UserError(f"{error}; --image-size {good} makes them so") from None
