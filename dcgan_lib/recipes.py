"""Recipes: every way of training that this project knows, each a set of named values.

A recipe and a dataset determine a run completely, on one kind of processor. Taught in
notebook 04.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_type_hints

from dcgan_lib.errors import UserError

Schedule = Literal["constant", "exponential", "cosine"]
Loss = Literal["cross_entropy", "saturating", "hinge", "wasserstein"]


@dataclass(frozen=True)
class Recipe:
    """All settings of one training. The defaults are those of `fast`."""

    name: str = "fast"
    """The run folder is called after it."""
    seed: int = 0
    """Weights, noise, Dropout and the order of the data are all drawn from it."""

    # --- the two networks
    architecture: Literal["dcgan", "dense"] = "dcgan"
    """`dcgan` is built of convolutions, `dense` (recipe `vanilla`) of fully connected layers."""
    latent_dim: int = 100
    """Length of the generator's input vector z; 100 since the DCGAN paper."""
    generator_hidden: int = 256
    """Units of a Dense layer before the first small picture, so that strokes far apart agree; 0
    leaves it out."""
    generator_widths: tuple[int, ...] = (64, 32)
    """Channels before each transposed convolution (units of each layer if `dense`)."""
    generator_strides: tuple[int, ...] = (2, 2)
    """Stride of each transposed convolution; their product is how much the picture grows."""
    generator_kernel: int = 4
    """Kernel size; a multiple of the stride stamps evenly and leaves no checkerboard."""
    generator_negative_slope: float = 0.0
    """Slope of LeakyReLU below zero; 0 is ReLU."""
    generator_batch_norm: bool = True
    """BatchNorm after every layer but the last keeps the signal's size through the depth."""
    discriminator_widths: tuple[int, ...] = (32, 64)
    """Channels after each convolution of stride 2 (units of each layer if `dense`)."""
    discriminator_hidden: int = 128
    """Units of a Dense layer that sees the whole picture before the verdict; 0 leaves it out."""
    discriminator_kernel: int = 4
    """Kernel size of the discriminator's convolutions."""
    discriminator_negative_slope: float = 0.2
    """A slope below zero lets gradients through where ReLU would block them."""
    discriminator_batch_norm: bool = True
    """BatchNorm after every convolution but the first, as in the DCGAN paper."""
    batch_norm_momentum: float = 0.9
    """How slowly BatchNorm's moving statistics follow; a short run needs quick ones."""
    dropout: float = 0.0
    """Share of the discriminator's activations switched off at random in training."""
    discriminator_output: Literal["logits", "sigmoid"] = "logits"
    """Logits are safer in float32: the sigmoid is then part of the loss."""
    discriminator_pooling: bool = False
    """Halve the picture by max pooling, where a DCGAN lets the convolution take two-pixel steps."""
    spectral_norm: bool = False
    """Divide each of the discriminator's kernels by its largest singular value."""
    conditional: bool = False
    """Tell both players the label, so that the digit can be chosen."""

    # --- the game
    loss: Loss = "cross_entropy"
    """`cross_entropy` is the non-saturating one, `saturating` that of the min-max game."""
    gradient_penalty: float = 0.0
    """Weight of the pull that keeps the discriminator's slope at 1; the paper has 10."""
    d_steps: int = 1
    """Discriminator steps per batch (p)."""
    g_steps: int = 1
    """Generator steps per batch (k). In Goodfellow's paper k counts the discriminator's."""
    simultaneous: bool = False
    """Update both players from one forward pass; right only for one step each."""
    real_label_smoothing: float = 0.0
    """Real images get the label 1 minus this, so that D is never fully sure."""
    fake_label_smoothing: float = 0.0
    """Fake images get this label instead of 0."""
    real_noise_stddev: float = 0.0
    """Standard deviation of Gaussian noise on real images, in units of [-1, 1]."""

    # --- the optimizers (Adam)
    batch_size: int = 64
    """Images per step; small batches give more steps in a minute."""
    g_learning_rate: float = 4e-3
    """Adam's rate for the generator."""
    d_learning_rate: float = 1.6e-3
    """Adam's rate for the discriminator; slower than G's, which has more to learn."""
    beta_1: float = 0.5
    """Adam's memory of gradients; 0.9 makes the two players swing, says the DCGAN paper."""
    beta_2: float = 0.999
    """Adam's memory of squared gradients; Keras's default."""
    g_schedule: Schedule = "constant"
    """How the generator's rate falls over the whole run."""
    g_final_fraction: float = 0.1
    """What is left of the generator's rate at the end, if it falls."""
    d_schedule: Schedule = "constant"
    """How the discriminator's rate falls over the whole run."""
    d_final_fraction: float = 0.1
    """What is left of the discriminator's rate at the end, if it falls."""
    ema_decay: float = 0.99
    """Samples come from an average of the generator's weights, which swings less; 0 is off."""

    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """`mixed_bfloat16` computes in 16 bits, weights stay in 32; faster on some processors."""

    # --- length and what is kept
    steps: int | None = 1000
    """Length in batches; give either this or epochs."""
    epochs: int | None = None
    """Length in passes over the data; give either this or steps."""
    hold_out: int = 10_000
    """Training images never trained on: they judge the run (of fewer than 60,000, a sixth)."""
    num_samples: int = 64
    """Images drawn, always from the same fixed noise, to show progress."""
    sample_every: int | None = 100
    """Draw them every so many steps; none: after each epoch."""
    sample_epochs: tuple[int, ...] = ()
    """Draw them after these epochs only; empty: as `sample_every` says."""
    snapshot_epochs: int | None = None
    """Keep a checkpoint for good every so many epochs."""
    log_every: int = 50
    """A row of log.csv averages this many steps."""
    quality_every: int | None = 200
    """Measure the quality on held-out images every so many steps; none: after each epoch."""

    def __post_init__(self) -> None:
        for name, value in list(vars(self).items()):
            if isinstance(value, list):
                object.__setattr__(self, name, tuple(value))
        _check_types(self)
        _check_values(self)

    def replace(self, **changes: Any) -> Recipe:
        """Returns a copy with other values: `RECIPES["fast"].replace(batch_size=32)`.

        `epochs` replaces `steps` and the other way round.

        Raises:
            UserError: an unknown name or an impossible value.
        """
        known = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in known:
                raise UserError(f"unknown setting {name!r}; known: {', '.join(known)}")
        if changes.get("epochs") is not None:
            changes.setdefault("steps", None)
        elif changes.get("steps") is not None:
            changes.setdefault("epochs", None)
        return dataclasses.replace(self, **changes)

    def steps_per_epoch(self, num_images: int) -> int:
        """Batches in one pass over `num_images`, the last partial one included."""
        return math.ceil(num_images / self.batch_size)

    def total_steps(self, num_images: int) -> int:
        """Batches in the whole training on `num_images`."""
        return self.steps or (self.epochs or 0) * self.steps_per_epoch(num_images)


def _check_types(recipe: Recipe) -> None:
    for name, hint in get_type_hints(Recipe).items():
        value = getattr(recipe, name)
        if not _fits(value, hint):
            raise UserError(f"{name}={value!r} is not of the type {_type_name(hint)}")


def _fits(value: Any, hint: Any) -> bool:
    choices = get_args(hint)
    if hint is float:
        largest = sys.float_info.max  # compared, not converted: an int may be too large for that
        plain = isinstance(value, float) or type(value) is int  # NumPy's float64 is a float
        return plain and -largest <= value <= largest
    if hint is int:
        return type(value) is int and abs(value) < 2**31
    if not choices:
        return type(value) is hint
    if type(None) in choices:
        return value is None or _fits(value, choices[0])
    if Ellipsis in choices:
        return type(value) is tuple and all(_fits(item, int) for item in value)
    return type(value) is str and value in choices


def _type_name(hint: Any) -> str:
    choices = get_args(hint)
    if hint is float:
        return "finite number"
    if hint is int:
        return "whole number below 2147483648"
    if choices and all(isinstance(choice, str) for choice in choices):
        return " or ".join(map(repr, choices))
    return getattr(hint, "__name__", str(hint)) if not choices else str(hint)


POSITIVE = (
    "latent_dim generator_kernel discriminator_kernel d_steps g_steps batch_size num_samples "
    "steps epochs log_every sample_every quality_every snapshot_epochs "
    "g_learning_rate d_learning_rate"
).split()
FRACTIONS = "dropout ema_decay beta_1 beta_2 batch_norm_momentum".split()
NOT_NEGATIVE = (
    "generator_negative_slope discriminator_negative_slope real_noise_stddev gradient_penalty "
    "generator_hidden discriminator_hidden hold_out"
).split()
SMOOTHING = "real_label_smoothing fake_label_smoothing".split()
TUPLES = "generator_widths generator_strides discriminator_widths sample_epochs".split()


def _check_values(recipe: Recipe) -> None:
    def require(name: str, good: bool, accepted: str) -> None:
        if not good:
            raise UserError(f"{name}={getattr(recipe, name)!r} is impossible; accepted: {accepted}")

    for name in POSITIVE:
        value = getattr(recipe, name)
        require(name, value is None or value > 0, "a number above 0")
    for name in FRACTIONS:
        require(name, 0 <= getattr(recipe, name) < 1, "from 0 up to, but not including, 1")
    for name in NOT_NEGATIVE:
        require(name, getattr(recipe, name) >= 0, "0 or above")
    for name in SMOOTHING:
        require(name, 0 <= getattr(recipe, name) < 0.5, "from 0 up to, but not including, 0.5")
    for name in TUPLES:
        require(name, all(item > 0 for item in getattr(recipe, name)), "whole numbers above 0")
    for name in ("g_final_fraction", "d_final_fraction"):
        require(name, 0 < getattr(recipe, name) <= 1, "above 0, up to 1")
    for name in ("generator_widths", "discriminator_widths"):
        require(name, len(getattr(recipe, name)) > 0, "at least one width")
    require("seed", 0 <= recipe.seed < 2**31, "from 0 to 2147483647")
    require("name", _is_plain(recipe.name), "letters, digits, '-' and '_'")
    if (recipe.steps is None) == (recipe.epochs is None):
        raise UserError(f"steps={recipe.steps} and epochs={recipe.epochs}: give exactly one")
    if recipe.architecture == "dcgan":
        same = len(recipe.generator_widths) == len(recipe.generator_strides)
        require("generator_strides", same, "one stride for each of generator_widths")
    _check_combinations(recipe, require)


def _check_combinations(recipe: Recipe, require: Callable[[str, bool, str], None]) -> None:
    norm = recipe.discriminator_batch_norm and recipe.architecture == "dcgan"
    if recipe.loss in ("hinge", "wasserstein"):
        require("discriminator_output", recipe.discriminator_output == "logits", "logits")
        smoothed = recipe.real_label_smoothing or recipe.fake_label_smoothing
        require("loss", not smoothed, "a cross-entropy loss, where labels are smoothed")
    if recipe.gradient_penalty:
        require("gradient_penalty", not norm, "a discriminator without BatchNorm")
        require("gradient_penalty", not recipe.conditional, "0 in a conditional recipe")
    if recipe.conditional:
        require("architecture", recipe.architecture == "dcgan", "dcgan in a conditional recipe")
    if recipe.simultaneous:
        plain = not (recipe.gradient_penalty or recipe.conditional)
        require("simultaneous", plain, "recipes without gradient penalty and labels")
        require("simultaneous", recipe.d_steps == recipe.g_steps == 1, "d_steps=1 and g_steps=1")
        require(
            "simultaneous", not recipe.discriminator_batch_norm, "a discriminator without BatchNorm"
        )


def _is_plain(name: str) -> bool:
    return bool(name) and all(c.isascii() and (c.isalnum() or c in "-_") for c in name)


FAST = Recipe()

TUTORIAL = Recipe(  # the network and settings of TensorFlow's own DCGAN tutorial, for twice as long
    name="tutorial",
    generator_hidden=0,
    discriminator_hidden=0,
    generator_widths=(256, 128, 64),
    generator_strides=(1, 2, 2),
    generator_kernel=5,
    generator_negative_slope=0.3,
    discriminator_widths=(64, 128),
    discriminator_kernel=5,
    discriminator_negative_slope=0.3,
    discriminator_batch_norm=False,
    batch_norm_momentum=0.99,
    dropout=0.3,
    simultaneous=True,
    g_learning_rate=1e-4,
    d_learning_rate=1e-4,
    beta_1=0.9,
    batch_size=256,
    ema_decay=0.0,
    steps=None,
    epochs=100,
    sample_every=None,
    quality_every=None,
    snapshot_epochs=15,
)

SMOOTH = TUTORIAL.replace(
    name="smooth",
    discriminator_output="sigmoid",
    simultaneous=False,
    real_label_smoothing=0.1,
    fake_label_smoothing=0.1,
    real_noise_stddev=0.05,
    g_learning_rate=2e-4,
    d_learning_rate=2e-4,
    batch_size=128,
    steps=2000,
    sample_every=200,
    quality_every=200,
    snapshot_epochs=None,
)

BALANCED = Recipe(
    name="balanced",
    generator_hidden=0,
    discriminator_hidden=0,
    generator_widths=(128, 64),
    discriminator_widths=(64, 128),
    discriminator_output="sigmoid",
    batch_norm_momentum=0.99,
    g_steps=3,
    g_learning_rate=2e-4,
    d_learning_rate=2e-4,
    batch_size=128,
    ema_decay=0.0,
    steps=None,
    epochs=50,
    sample_every=None,
    quality_every=None,
    sample_epochs=(1, 10, 20, 30, 40, 50),
)

SCHEDULE = BALANCED.replace(
    name="schedule",
    discriminator_output="logits",
    batch_size=256,
    g_schedule="cosine",
    g_final_fraction=0.05,
    d_schedule="exponential",
    d_final_fraction=0.1,
    epochs=200,
    sample_epochs=(),
)

KERAS = BALANCED.replace(
    name="keras",
    generator_negative_slope=0.2,
    discriminator_batch_norm=False,
    dropout=0.3,
    discriminator_output="logits",
    g_steps=1,
    batch_size=32,
    sample_epochs=(),
)

VANILLA = Recipe(
    name="vanilla",
    generator_hidden=0,
    discriminator_hidden=0,
    architecture="dense",
    generator_widths=(256, 512, 1024),
    generator_strides=(),
    generator_negative_slope=0.2,
    discriminator_widths=(512, 256),
    discriminator_batch_norm=False,
    g_learning_rate=2e-4,
    d_learning_rate=2e-4,
    batch_size=128,
    ema_decay=0.0,
    steps=None,
    epochs=60,
    sample_every=None,
    quality_every=None,
)

HINGE = FAST.replace(name="hinge", loss="hinge")

SPECTRAL = FAST.replace(
    name="spectral",
    loss="hinge",
    spectral_norm=True,
    discriminator_batch_norm=False,
)

WGAN_GP = FAST.replace(
    name="wgan_gp",
    loss="wasserstein",
    gradient_penalty=10.0,
    discriminator_batch_norm=False,
    d_steps=3,
    g_learning_rate=1e-3,
    d_learning_rate=1e-3,
    beta_1=0.0,
    beta_2=0.9,
)

CONDITIONAL = FAST.replace(name="conditional", conditional=True, num_samples=100, steps=2000)

BEST = CONDITIONAL.replace(  # how it was found: benchmarks/LOG.md
    name="best",
    d_learning_rate=1e-3,
    g_schedule="cosine",
    g_final_fraction=0.1,
    d_schedule="cosine",
    d_final_fraction=0.1,
    steps=4000,
    sample_every=200,
    quality_every=200,
)

EXPLORER = CONDITIONAL.replace(name="explorer", generator_hidden=64)  # small enough for a web page

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        FAST, TUTORIAL, SMOOTH, BALANCED, SCHEDULE, KERAS, VANILLA,
        HINGE, SPECTRAL, WGAN_GP, CONDITIONAL, EXPLORER, BEST,
    )
}  # fmt: skip


def get_recipe(recipe: str | Recipe, **changes: Any) -> Recipe:
    """Returns the recipe of that name (or the given one), with `changes` applied.

    Raises:
        UserError: an unknown recipe or setting, or an impossible value.
    """
    if isinstance(recipe, str):
        if recipe not in RECIPES:
            raise UserError(f"unknown recipe {recipe!r}; known: {', '.join(RECIPES)}")
        recipe = RECIPES[recipe]
    return recipe.replace(**changes)
