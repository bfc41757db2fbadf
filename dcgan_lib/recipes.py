"""Recipes: every way of training that this project knows, each a set of named values.

A recipe and a dataset determine a run completely, on one kind of processor. Taught in
notebook 04.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from dcgan_lib.checks.settings import refuse, spelled, validate
from dcgan_lib.errors import UserError

Whole = Annotated[int, Field(ge=0, lt=2**31)]
Count = Annotated[int, Field(gt=0, lt=2**31)]
Counts = tuple[Count, ...]
Widths = Annotated[Counts, Field(min_length=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Smoothing = Annotated[float, Field(ge=0, lt=0.5)]
Remainder = Annotated[float, Field(gt=0, le=1)]
Schedule = Literal["constant", "exponential", "cosine"]
Augmentations = tuple[Literal["shift", "turn", "scale", "flip", "cutout", "color"], ...]
Name = Annotated[str, spelled(r"[\w-]+", "letters, digits, '-' and '_'")]
LossName = Annotated[str, spelled(r"\w+(\.\w+)*(:\w+)?", "a name such as hinge, or module:Class")]


@dataclass(frozen=True)
class Recipe:
    """All settings of one training. The defaults are those of `fast`."""

    name: Name = "fast"
    """The run folder is called after it."""
    seed: Whole = 0
    """Weights, noise, Dropout and the order of the data are all drawn from it."""

    # --- the two networks
    architecture: Literal["dcgan", "dense"] = "dcgan"
    """`dcgan` is built of convolutions, `dense` (recipe `vanilla`) of fully connected layers."""
    latent_dim: Count = 100
    """Length of the generator's input vector z; 100 since the DCGAN paper."""
    generator_hidden: Whole = 256
    """Units of a Dense layer before the first small picture, so that strokes far apart agree; 0
    leaves it out."""
    generator_hidden_layers: Count = 2
    """How many such layers: each lets a small step of z change the digit more sharply."""
    generator_widths: Widths = (64, 32)
    """Channels before each transposed convolution (units of each layer if `dense`)."""
    generator_strides: Counts = (2, 2)
    """Stride of each transposed convolution; their product is how much the picture grows."""
    generator_kernel: Count = 4
    """Kernel size; a multiple of the stride stamps evenly and leaves no checkerboard."""
    generator_negative_slope: NotNegative = 0.0
    """Slope of LeakyReLU below zero; 0 is ReLU."""
    generator_batch_norm: bool = True
    """BatchNorm after every layer but the last keeps the signal's size through the depth."""
    generator_output_scale: Rate = 0.5
    """tanh draws this times the last layer; below 1, fewer steps push it to where it is flat."""
    discriminator_widths: Widths = (24, 48)
    """Channels after each convolution of stride 2 (units of each layer if `dense`)."""
    discriminator_hidden: Whole = 128
    """Units of a Dense layer that sees the whole picture before the verdict; 0 leaves it out."""
    discriminator_kernel: Count = 4
    """Kernel size of the discriminator's convolutions."""
    discriminator_negative_slope: NotNegative = 0.2
    """A slope below zero lets gradients through where ReLU would block them."""
    discriminator_batch_norm: bool = True
    """BatchNorm after every convolution but the first, as in the DCGAN paper."""
    minibatch_stddev: bool = True
    """Tell the verdict how far the images of a batch differ, which BatchNorm hides from it."""
    batch_norm_momentum: Fraction = 0.9
    """How slowly BatchNorm's moving statistics follow; a short run needs fast ones."""
    dropout: Fraction = 0.0
    """Share of the discriminator's activations switched off at random in training."""
    discriminator_output: Literal["logits", "sigmoid"] = "logits"
    """Logits are safer in float32: the sigmoid is then part of the loss."""
    discriminator_pooling: bool = False
    """Halve the picture by max pooling, where a DCGAN lets the convolution take two-pixel steps."""
    spectral_norm: bool = False
    """Divide each of the discriminator's kernels by its largest singular value."""
    conditional: bool = False
    """Tell both players the label, so that the digit can be chosen."""
    groups: Whole = 0
    """In place of the label, tell them which of so many groups an image is in: groups of similar
    images, found without labels; 0 is off."""

    # --- the game
    loss: LossName = "cross_entropy"
    """`cross_entropy` is the non-saturating one, `saturating` that of the min-max game; also hinge,
    wasserstein, or your own as `my_module:MyLoss`."""
    gradient_penalty: NotNegative = 0.0
    """Weight of the pull that keeps the discriminator's slope at 1; the paper has 10."""
    d_steps: Count = 1
    """Discriminator steps per batch (p)."""
    g_steps: Count = 1
    """Generator steps per batch (k). In Goodfellow's paper k counts the discriminator's."""
    simultaneous: bool | None = None
    """Update both players from one forward pass, where each moves once a batch: shorter steps.
    False: they take turns, which fails less often on few images; none: chosen by their number."""
    augmentations: Augmentations | None = None
    """Change what D sees, real and drawn, at random, so that it cannot learn few images by heart;
    none: chosen by their number."""
    real_label_smoothing: Smoothing = 0.0
    """Real images get the label 1 minus this, so that D is never fully sure."""
    fake_label_smoothing: Smoothing = 0.0
    """Fake images get this label instead of 0."""
    real_noise_stddev: NotNegative = 0.0
    """Standard deviation of Gaussian noise on real images, in units of [-1, 1]."""

    # --- the optimizers (Adam)
    batch_size: Count = 64
    """Images per step; small batches give more steps in a minute."""
    g_learning_rate: Rate = 4e-3
    """Adam's rate for the generator."""
    d_learning_rate: Rate = 1.6e-3
    """Adam's rate for the discriminator; slower than G's, which has more to learn."""
    beta_1: Fraction = 0.5
    """Adam's memory of gradients; 0.9 makes the two players swing, says the DCGAN paper."""
    beta_2: Fraction = 0.999
    """Adam's memory of squared gradients; Keras's default."""
    g_schedule: Schedule = "constant"
    """How the generator's rate falls over the whole run."""
    g_final_fraction: Remainder = 0.1
    """What is left of the generator's rate at the end, if it falls."""
    d_schedule: Schedule = "constant"
    """How the discriminator's rate falls over the whole run."""
    d_final_fraction: Remainder = 0.1
    """What is left of the discriminator's rate at the end, if it falls."""
    ema_decay: Fraction = 0.99
    """Samples come from an average of the generator's weights, which swings less; 0 is off."""

    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """`mixed_bfloat16` computes in 16 bits, weights stay in 32; faster on some processors."""

    # --- length and what is kept
    restart: bool = True
    """Begin again with another seed if the start has failed by step 150."""
    steps: Count | None = 2000
    """Length in batches; give either this or epochs."""
    epochs: Count | None = None
    """Length in passes over the data; give either this or steps."""
    hold_out: Whole = 10_000
    """Training images never trained on: they measure the run (of fewer than 60,000, a sixth; of
    fewer than 500 own images none, unless you ask for some)."""
    num_samples: Count = 64
    """Images drawn, always from the same fixed noise, to show progress."""
    sample_every: Count | None = 100
    """Steps between two frames; none: after each epoch."""
    sample_epochs: Counts = ()
    """Draw them after these epochs only; empty: as `sample_every` says."""
    snapshot_epochs: Count | None = None
    """Epochs between two checkpoints that are kept for good."""
    log_every: Count = 50
    """A row of log.csv averages this many steps."""
    quality_every: Count | None = 200
    """Steps between two measurements of quality on held-out images; none: after each epoch."""

    def __post_init__(self) -> None:
        validate(self)
        _check_combinations(self)

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

    def images_seen(self, step: int, num_images: int) -> int:
        """Real images that the discriminator has seen by `step`, repeated ones included."""
        epochs, batches = divmod(step, self.steps_per_epoch(num_images))
        return epochs * num_images + min(batches * self.batch_size, num_images)


@dataclass(frozen=True)
class CallOptions:
    """What concerns one call of a training, and not what comes out of it."""

    max_images: Count | None = None
    """Use only the first N images."""
    image_size: Count | None = None
    """Crop images to squares, and shrink or pad them to this side; none: what they can fill."""
    transpose: bool = False
    """Exchange rows and columns, as EMNIST's files need it."""
    checkpoint_every: Count | None = None
    """Steps between checkpoints; none: about 50 seconds."""
    keep: Literal["last", "best"] = "last"
    """`best` keeps the best generator as well: that of the lowest Fréchet distance while training.
    A run that has begun so goes on so."""
    start_from: str | None = None
    """Begin with the networks of this run, published generator or .keras file and, unless you name
    one, with its recipe."""
    devices: Count = 1
    """How many GPUs of this machine share each batch."""
    show: bool = False
    """Update one picture in place, in a notebook."""
    verbose: bool = True
    """Print a line of settings and a progress bar."""

    @classmethod
    def taken_from(cls, settings: dict[str, Any]) -> CallOptions:
        """Takes its own among settings of both kinds out of them."""
        own = {field.name for field in dataclasses.fields(cls)} & settings.keys()
        return cls(**{name: settings.pop(name) for name in own})

    def __post_init__(self) -> None:
        validate(self)

    def reading(self, known: dict[str, Any]) -> dict[str, Any]:
        """What of it concerns the data; what is not given is as in the record `known`."""
        names = ("max_images", "image_size", "transpose")
        return {name: getattr(self, name) or known.get(name) for name in names}


def _check_combinations(recipe: Recipe) -> None:
    def require(name: str, good: bool, accepted: str) -> None:
        if not good:
            refuse(name, getattr(recipe, name), accepted)

    if (recipe.steps is None) == (recipe.epochs is None):
        raise UserError(f"steps={recipe.steps} and epochs={recipe.epochs}: give exactly one")
    dense = recipe.architecture == "dense"
    matched = dense or len(recipe.generator_widths) == len(recipe.generator_strides)
    require("generator_strides", matched, "one stride for each of generator_widths")
    free = dense or not (recipe.gradient_penalty and recipe.discriminator_batch_norm)
    require("gradient_penalty", free, "0 where the discriminator has BatchNorm")
    require("groups", recipe.conditional or not recipe.groups, "0 where conditional is false")


EARLIER = {"generator_output_scale": 1.0, "minibatch_stddev": False, "restart": True, "groups": 0}
EARLIER |= {"generator_hidden_layers": 1, "augmentations": []}
"""What holds for a run whose record is older than these settings."""

# One line for each player, one for the game, one for length and what is kept.
# fmt: off
FAST = Recipe()

FIRST_FAST = FAST.replace(  # `fast` as it was when all the others were found and measured
    generator_hidden_layers=1, discriminator_widths=(32, 64), simultaneous=False, steps=1000,
)

AS_PUBLISHED = FIRST_FAST.replace(  # what those have in common that follow another project
    generator_hidden=0, generator_output_scale=1.0, discriminator_hidden=0, minibatch_stddev=False,
    ema_decay=0.0, epochs=1, sample_every=None, quality_every=None, augmentations=(),
)

TUTORIAL = AS_PUBLISHED.replace(  # TensorFlow's own DCGAN tutorial, for twice as long
    name="tutorial",
    generator_widths=(256, 128, 64), generator_strides=(1, 2, 2), generator_kernel=5,
    generator_negative_slope=0.3, batch_norm_momentum=0.99,
    discriminator_widths=(64, 128), discriminator_kernel=5, discriminator_negative_slope=0.3,
    discriminator_batch_norm=False, dropout=0.3,
    simultaneous=True, g_learning_rate=1e-4, d_learning_rate=1e-4, beta_1=0.9, batch_size=256,
    epochs=100, snapshot_epochs=15,
)

SMOOTH = TUTORIAL.replace(
    name="smooth",
    discriminator_output="sigmoid", real_label_smoothing=0.1, fake_label_smoothing=0.1,
    simultaneous=False, real_noise_stddev=0.05, g_learning_rate=2e-4, d_learning_rate=2e-4,
    batch_size=128, steps=2000, sample_every=200, quality_every=200, snapshot_epochs=None,
)

BALANCED = AS_PUBLISHED.replace(
    name="balanced",
    generator_widths=(128, 64), batch_norm_momentum=0.99,
    discriminator_widths=(64, 128), discriminator_output="sigmoid",
    g_steps=3, g_learning_rate=2e-4, d_learning_rate=2e-4, batch_size=128,
    epochs=50, sample_epochs=(1, 10, 20, 30, 40, 50),
)

SCHEDULE = BALANCED.replace(
    name="schedule", discriminator_output="logits", batch_size=256, epochs=200, sample_epochs=(),
    g_schedule="cosine", g_final_fraction=0.05, d_schedule="exponential", d_final_fraction=0.1,
)

KERAS = BALANCED.replace(
    name="keras", generator_negative_slope=0.2,
    discriminator_batch_norm=False, dropout=0.3, discriminator_output="logits",
    g_steps=1, batch_size=32, sample_epochs=(),
)

VANILLA = AS_PUBLISHED.replace(  # the fully connected GAN
    name="vanilla", architecture="dense",
    generator_widths=(256, 512, 1024), generator_strides=(), generator_negative_slope=0.2,
    discriminator_widths=(512, 256), discriminator_batch_norm=False,
    g_learning_rate=2e-4, d_learning_rate=2e-4, batch_size=128, epochs=60,
)

HINGE = FIRST_FAST.replace(name="hinge", loss="hinge")

SPECTRAL = HINGE.replace(name="spectral", spectral_norm=True, discriminator_batch_norm=False)

WGAN_GP = FIRST_FAST.replace(
    name="wgan_gp", generator_output_scale=1.0, minibatch_stddev=False,
    loss="wasserstein", gradient_penalty=10.0, discriminator_batch_norm=False,
    d_steps=3, g_learning_rate=1e-3, d_learning_rate=1e-3, beta_1=0.0, beta_2=0.9,
)

CONDITIONAL = FIRST_FAST.replace(name="conditional", conditional=True, num_samples=100, steps=2000)

BEST = CONDITIONAL.replace(  # how it was found: benchmarks/LOG.md
    name="best", d_learning_rate=1e-3, steps=4000, sample_every=200,
    g_schedule="cosine", g_final_fraction=0.1, d_schedule="cosine", d_final_fraction=0.1,
)

GROUPED = BEST.replace(name="grouped", groups=200)

EXPLORER = CONDITIONAL.replace(name="explorer", generator_hidden=64)  # small enough for a web page

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for recipe in (
        FAST, TUTORIAL, SMOOTH, BALANCED, SCHEDULE, KERAS, VANILLA,
        HINGE, SPECTRAL, WGAN_GP, CONDITIONAL, GROUPED, EXPLORER, BEST,
    )
}
# fmt: on


def get_recipe(recipe: str | Recipe, **changes: Any) -> Recipe:
    """Returns the recipe of that name (or the given one), with `changes` applied.

    Raises:
        UserError: an unknown recipe or setting, or an impossible value.
    """
    if isinstance(recipe, str):
        if recipe not in RECIPES:
            raise UserError(f"unknown recipe {recipe!r}; known: {', '.join(RECIPES)}")
        recipe = RECIPES[recipe]
    if not isinstance(recipe, Recipe):
        raise UserError(f"recipe={recipe!r}; accepted: a Recipe, or one of {', '.join(RECIPES)}")
    return recipe.replace(**changes)
