"""From a recipe to a game: networks, loss and optimizers. Knows no folder and no device.

Taught in notebook 04.
"""

from __future__ import annotations

import inspect

import keras
import numpy as np
from keras.optimizers import schedules

from dcgan_lib.beyond.augmentation import suited_to, with_augmentation
from dcgan_lib.beyond.conditional import (
    ConditionalDCGAN,
    build_conditional_discriminator,
    build_conditional_generator,
    with_shares,
)
from dcgan_lib.beyond.variants import GradientPenalty, with_pooling, with_spectral_norm
from dcgan_lib.errors import UserError
from dcgan_lib.gan import DCGAN
from dcgan_lib.guard.chance import drawing_alone, layer_precision
from dcgan_lib.latent import CLASSES
from dcgan_lib.losses import GANLoss, find_loss
from dcgan_lib.networks import MNIST_SHAPE, ImageShape, build_discriminator, build_generator
from dcgan_lib.recipes import Recipe


def build_gan(
    recipe: Recipe,
    num_images: int,
    image_shape: ImageShape = MNIST_SHAPE,
    classes: int = CLASSES,
    shares: np.ndarray | None = None,
) -> DCGAN:
    """Builds and compiles the game that a recipe describes; weights depend on its seed alone.

    Args:
        num_images: size of the training set: the learning-rate schedules end with the run.
        image_shape: (height, width, channels) of its images.
        classes: how many labels a conditional recipe tells apart.
        shares: (groups,) of the training images, of a recipe with groups, which are its classes.

    Raises:
        UserError: networks that cannot be built, or a loss that does not suit the recipe.
    """
    recipe = suited_to(recipe, num_images, image_shape)
    kind = ConditionalDCGAN if recipe.conditional else DCGAN
    with drawing_alone(recipe.seed), layer_precision("float32"):
        with layer_precision(recipe.precision):
            networks = build_networks(recipe, image_shape, classes, shares)
        gan = kind(
            *networks,
            d_steps=recipe.d_steps,
            g_steps=recipe.g_steps,
            simultaneous=recipe.simultaneous,
            real_noise_stddev=recipe.real_noise_stddev,
            ema_decay=recipe.ema_decay,
            seed=recipe.seed,
        )
    rounds = recipe.total_steps(num_images)
    gan.compile(
        g_optimizer=build_optimizer(recipe, "g", rounds * recipe.g_steps),
        d_optimizer=build_optimizer(recipe, "d", rounds * recipe.d_steps),
        loss=build_loss(recipe),
    )
    return gan


def build_networks(
    recipe: Recipe,
    image_shape: ImageShape = MNIST_SHAPE,
    classes: int = CLASSES,
    shares: np.ndarray | None = None,
) -> tuple[keras.Model, keras.Model]:
    """Builds the generator and the discriminator that a recipe describes."""
    classes = recipe.groups or classes
    if recipe.conditional:
        generator = build_conditional_generator(recipe, image_shape, classes)
        discriminator = build_conditional_discriminator(recipe, image_shape, classes)
    else:
        generator = build_generator(recipe, image_shape)
        discriminator = build_discriminator(recipe, image_shape)
    if recipe.groups:
        generator = with_shares(generator, shares)
    if recipe.spectral_norm:
        discriminator = with_spectral_norm(discriminator)
    if recipe.discriminator_pooling:
        discriminator = with_pooling(discriminator)
    if recipe.augmentations:
        discriminator = with_augmentation(discriminator, recipe.augmentations)
    return generator, discriminator


def build_loss(recipe: Recipe) -> GANLoss:
    """Builds the loss that a recipe names, from those of these values that it takes.

    Raises:
        UserError: no such loss, or one that does not know a value which the recipe sets.
    """
    kind, taken = find_loss(recipe.loss), {}
    known = inspect.signature(kind).parameters
    for name, value, usual in (
        ("from_logits", recipe.discriminator_output == "logits", True),
        ("real_label_smoothing", recipe.real_label_smoothing, 0.0),
        ("fake_label_smoothing", recipe.fake_label_smoothing, 0.0),
    ):
        if name in known:
            taken[name] = value
        elif value != usual:
            raise UserError(
                f"loss={recipe.loss!r} does not know {name}={value}; accepted: {name}={usual}, or "
                "the loss 'cross_entropy'"
            )
    loss = kind(**taken)
    return GradientPenalty(loss, recipe.gradient_penalty) if recipe.gradient_penalty else loss


def build_optimizer(recipe: Recipe, player: str, moves: int) -> keras.optimizers.Adam:
    """Builds Adam with the schedule of player `g` or `d`, which makes `moves` moves in all."""
    rate = getattr(recipe, f"{player}_learning_rate")
    schedule = getattr(recipe, f"{player}_schedule")
    fraction = getattr(recipe, f"{player}_final_fraction")
    if schedule == "cosine":
        rate = schedules.CosineDecay(rate, moves, alpha=fraction)
    elif schedule == "exponential":
        rate = schedules.ExponentialDecay(rate, moves, fraction)
    return keras.optimizers.Adam(rate, beta_1=recipe.beta_1, beta_2=recipe.beta_2)
