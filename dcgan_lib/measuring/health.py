"""A monitor that watches a training and names what ails it, in plain words.

Taught in notebook 08.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from dcgan_lib.callbacks import StepCallback
from dcgan_lib.data import TrainingSet, scale
from dcgan_lib.errors import UserError
from dcgan_lib.guard.networks import last_activation
from dcgan_lib.latent import sample_latent
from dcgan_lib.measuring.evaluator import Evaluator
from dcgan_lib.runs.files import append_row, atomic_path

Row = dict[str, float]

Classify = Callable[[np.ndarray], np.ndarray]

COLUMNS = tuple(
    "step d_accuracy_real d_accuracy_fake d_loss g_loss d_gradient g_gradient spread classes "
    "largest_share largest_class known_real unknown_real".split()
)
LATER = 2  # of these columns: an older log lacks them
LOOKS = 3  # an illness must be seen so often in a row: one look may be chance

WANDERING_LOOKS = 5

ALIKE = 0.02  # a spread so small is no chance: one look is enough

ADVICE = {
    "not a number": (
        "a loss or a gradient is not a finite number: the training has diverged",
        "start again with smaller learning rates",
    ),
    "discriminator won": (
        "the discriminator has won: it is sure of every image, and the generator cannot keep up",
        "slow the discriminator down (its rate, its steps, its width) or penalise its slope",
    ),
    "gradient gone": (
        "the generator's gradient is gone: nothing tells it where to move",
        "use the non-saturating loss, and a discriminator that is not so far ahead",
    ),
    "one image": (
        "the samples have collapsed to one: whatever the noise, the same comes out",
        "lower the learning rates, look at BatchNorm and at the range of the images",
    ),
    "few classes": (
        "the samples have collapsed to few classes: the generator leaves out most of the data",
        "bring both learning rates closer together or penalise the discriminator's slope",
    ),
    "oscillation": (
        "oscillation: the samples wander together from class to class, chased by the discriminator",
        "speed the discriminator up (its rate, its steps); no large beta_1",
    ),
    "by heart": (
        "the discriminator learns its images by heart: it calls them real, and others of the kind "
        "fake",
        "change what it sees (the recipe's `augmentations`), or train on more images",
    ),
    "labels swapped": (
        "the discriminator's loss is low although it calls real fake and fake real: its labels "
        "are the other way round than the generator's",
        "real is 1 and fake is 0, in both losses",
    ),
    "wrong scale": (
        "the real images leave the range from -1 to 1, or use half of it, but tanh draws all of it",
        "scale the real images to [-1, 1] (see `scale`)",
    ),
}


class HealthMonitor(StepCallback):
    """Looks at the game from time to time and says when it is ill. It never stops or changes it.

    Every `every` steps it plays a round on a few real images and on fixed noise without moving
    anyone. An illness is reported when it has been seen `LOOKS` times in a row (samples that
    are all alike: once), and once more when it has passed.

    Args:
        real: some 32 real images (N, ...) as the discriminator sees them; for a conditional game
            a pair of images and labels.
        every: steps between two looks.
        path: of a CSV file; one that exists is read, and goes on.
        classify: from images (N, ...) to class numbers (N,), below 0 for none. By default the
            evaluator classifies 28x28 grey images, and nothing classifies others.
        seed: of the fixed noise.
        verbose: prints findings.
        held_out: as many real images that are not trained on. Only with them, and without labels,
            is it seen that the discriminator learns the others by heart.

    Attributes:
        rows: one dict for each look, see `COLUMNS`; what was not measured is NaN.
        findings: one line for each illness that began or passed.

    Raises:
        UserError: fewer than two real images, an `every` below 1, or a CSV of other columns.

    Taught in notebook 08.
    """

    IMAGES = 32

    def __init__(
        self,
        real: Any,
        every: int = 200,
        path: str | Path | None = None,
        classify: Classify | None = None,
        seed: int = 0,
        verbose: bool = True,
        held_out: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        parts = real if isinstance(real, (tuple, list)) else (real,)
        if len(parts[0]) < 2 or every < 1:
            raise UserError(f"{len(parts[0])} real images, every={every}: needed: 2 and 1, or more")
        self.images, *self.labels = (tf.convert_to_tensor(part, tf.float32) for part in parts)
        self.held_out = held_out
        self.every = every
        self.path = Path(path) if path else None
        self.given_classify = classify
        self.seed = seed
        self.verbose = verbose
        self.wrong_scale = False
        self.rows: list[Row] = []
        self.findings: list[str] = []
        self.ill: set[str] = set()

    @classmethod
    def of(cls, training_set: TrainingSet, path: Path) -> HealthMonitor:
        """Returns the silent monitor of a run on these images."""
        held_out = (
            scale(training_set.held_out[: cls.IMAGES]) if len(training_set.held_out) else None
        )
        real = training_set.examples(cls.IMAGES)
        return cls(real, path=path, verbose=False, held_out=held_out)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        if self.path and not self.path.exists():
            append_row(self.path, COLUMNS)
        elif self.path and not self.rows:
            for row in read_health(self.path):
                self.take(row, aloud=False)
            add_later_columns(self.path)

    @functools.cached_property
    def classify(self) -> Classify | None:
        """What tells the classes apart, loaded at the first look: many trainings are shorter."""
        if self.given_classify is None and self.images.shape[1:] == (28, 28, 1):
            classifier = Evaluator().classifier
            return lambda images: np.argmax(classifier(images, training=False), axis=1)
        return self.given_classify

    @functools.cached_property
    def real_classes(self) -> int:
        """How many classes the real images have."""
        return self.classes(self.images).get("classes", 0)

    def act(self) -> None:
        """Takes one look."""
        low, high = float(tf.reduce_min(self.images)), float(tf.reduce_max(self.images))
        misfit = low < -1.01 or high > 1.01 or low >= 0.0
        self.wrong_scale = misfit and ends_in_tanh(self.model.generator)
        row = {name: np.nan for name in COLUMNS} | {"step": self.step} | self.examine()
        if self.path:
            append_row(self.path, [row[name] for name in COLUMNS])
        self.take(row, aloud=self.verbose)

    def take(self, row: Row, aloud: bool) -> None:
        """Remembers a row, and reports what has begun or passed."""
        self.rows.append(row)
        now = diagnose(self.rows, self.real_classes)
        if self.wrong_scale:
            now.add("wrong scale")
        for name, (what, cure) in ADVICE.items():
            if name in now ^ self.ill:
                begun = f"{what}. What helps: {cure}."
                line = begun if name in now else f"passed: {what.partition(':')[0]}."
                self.findings.append(f"step {row['step']:.0f}: {line}")
                if aloud:
                    print(self.findings[-1])
        self.ill = now

    def examine(self) -> Row:
        """Plays a round without moving anyone, and measures."""
        gan = self.model
        latent = tf.constant(sample_latent(len(self.images), gan.latent_dim, self.seed))
        moving = gan.generator.non_trainable_variables + gan.discriminator.non_trainable_variables
        before = [tf.identity(variable.value) for variable in moving]
        with tf.GradientTape(persistent=True) as tape:
            fake = gan.generator(self.given(latent), training=True)
            real_output = gan.discriminator(self.given(self.images), training=True)
            fake_output = gan.discriminator(self.given(fake), training=True)
            d_loss = gan.gan_loss.discriminator_loss(real_output, fake_output)
            g_loss = gan.gan_loss.generator_loss(fake_output)
        for variable, value in zip(moving, before, strict=True):  # of BatchNorm and Dropout
            variable.assign(value)
        d_gradient = tape.gradient(d_loss, gan.discriminator.trainable_variables)
        g_gradient = tape.gradient(g_loss, gan.generator.trainable_variables)
        measured = {
            "d_loss": d_loss,
            "g_loss": g_loss,
            "d_gradient": tf.linalg.global_norm(d_gradient),
            "g_gradient": tf.linalg.global_norm(g_gradient),
            "spread": spread(fake) / max(spread(self.images), 1e-12),
        }
        if gan.gan_loss.accuracy_counts:
            measured |= gan.verdicts(real_output, fake_output)
            if self.held_out is not None and not self.labels:
                known, unknown = map(gan.discriminator, (self.images, self.held_out))
                both = gan.verdicts(known, unknown)
                measured["known_real"] = both["d_accuracy_real"]
                measured["unknown_real"] = 1.0 - both["d_accuracy_fake"]
        return {name: float(value) for name, value in measured.items()} | self.classes(fake)

    def given(self, batch: tf.Tensor) -> Any:
        """What a network takes: noise or images, in a conditional game with their labels."""
        return [batch, *self.labels] if self.labels else batch

    def classes(self, images: tf.Tensor) -> Row:
        """Counts the classes among `images`, if somebody can tell them."""
        if self.classify is None or not np.isfinite(images).all():
            return {}
        numbers = np.asarray(self.classify(np.asarray(images)), int)
        counts = np.bincount(numbers[numbers >= 0], minlength=1)
        return {
            "classes": int(np.count_nonzero(counts)),
            "largest_share": float(counts.max() / len(images)),
            "largest_class": int(counts.argmax()) if counts.any() else -1,
        }


def diagnose(rows: Sequence[Row], real_classes: int = 0) -> set[str]:
    """Names the illnesses that the last rows show, by their keys in `ADVICE`."""
    losses_and_gradients = ("d_loss", "g_loss", "d_gradient", "g_gradient")
    if not all(np.isfinite(rows[-1][name]) for name in losses_and_gradients):
        return {"not a number"}
    seen = as_columns(rows[-LOOKS:])
    real, fake = seen["d_accuracy_real"], seen["d_accuracy_fake"]
    alike = seen["spread"] < 0.5  # noise, too, may be one class to a classifier, but is spread out
    had_many = any(row["classes"] >= 0.6 * real_classes for row in rows[:-LOOKS])
    # A comparison with NaN, "not measured", is false: nothing is said of what is not known.
    signs = {
        "discriminator won": (seen["d_loss"] < 0.1) & (real > 0.98) & (fake > 0.98),
        "gradient gone": seen["g_gradient"] < 1e-3,
        "one image": seen["spread"] < 0.1,
        "few classes": (seen["classes"] <= 0.4 * real_classes) & (alike | had_many),
        "by heart": seen["known_real"] - seen["unknown_real"] > 0.4,
        "labels swapped": (seen["d_loss"] < 0.3) & (real < 0.05) & (fake < 0.05),
    }
    found = {name for name, sick in signs.items() if len(sick) == LOOKS and sick.all()}
    if seen["spread"][-1] < ALIKE:
        found.add("one image")
    return found | ({"oscillation"} if wanders(rows[-WANDERING_LOOKS:]) else set())


def wanders(rows: Sequence[Row]) -> bool:
    """Tells whether most samples were of one class, and of another one at most looks."""
    heaps = [row["largest_class"] for row in rows if row["largest_share"] >= 0.4]
    moves = np.count_nonzero(np.diff(heaps))
    return len(heaps) == WANDERING_LOOKS and moves >= WANDERING_LOOKS - 2


def ends_in_tanh(network: keras.Model) -> bool:
    """Tells whether a network's last activation is tanh, which draws from -1 to 1."""
    return last_activation(network) is keras.activations.tanh


def spread(images: tf.Tensor) -> float:
    """The standard deviation over a batch, averaged over the pixels."""
    return float(tf.reduce_mean(tf.math.reduce_std(images, axis=0)))


def read_health(path: str | Path) -> list[Row]:
    """Reads the rows of a `health.csv`.

    Raises:
        UserError: another file.
    """
    with open(path, newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) not in (COLUMNS, COLUMNS[:-LATER]):
            raise UserError(f"{str(path)!r} is no health log; needed: the columns {COLUMNS}")
        return [{name: float(row.get(name, "nan")) for name in COLUMNS} for row in reader]


def add_later_columns(path: Path) -> None:
    """Gives the log of an older run the columns that it lacks."""
    header, *rows = path.read_text().splitlines()
    if header != ",".join(COLUMNS):
        with atomic_path(path) as anew:
            append_row(anew, COLUMNS)
            for row in rows:
                append_row(anew, [*row.split(","), *["nan"] * LATER])


def as_columns(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    """Returns an array for each column."""
    return {name: np.array([row[name] for row in rows]) for name in COLUMNS}


def plot_health(rows: Sequence[Row], title: str = ""):
    """Draws a monitor's rows: accuracies, gradients, spread, and the classes drawn.

    Args:
        rows: of a `HealthMonitor`, or from `read_health`.

    Returns:
        A matplotlib figure.

    Raises:
        UserError: no rows.

    Taught in notebook 08.
    """
    import matplotlib.pyplot as plt

    if not rows:
        raise UserError("no rows yet: the monitor has not taken a look")
    columns = as_columns(rows)
    figure, axes = plt.subplots(1, 4, figsize=(11, 2.5), layout="constrained")
    panels = {
        "D is right on": {"real": "d_accuracy_real", "fake": "d_accuracy_fake"},
        "norm of the gradient": {"D's": "d_gradient", "G's": "g_gradient"},
        "spread of the samples\n(real images: 1)": {"spread": "spread"},
        "classes drawn": {"classes": "classes"},
    }
    for axis, (name, lines) in zip(axes, panels.items(), strict=True):
        for label, column in lines.items():
            axis.plot(columns["step"], columns[column], marker=".", label=label)
        axis.set_xlabel("step")
        axis.set_title(name, fontsize=10)
        axis.grid(alpha=0.25)
        if len(lines) > 1:
            axis.legend(fontsize=9)
        else:
            axis.set_ylim(0, 1.1 * np.nanmax([1.0, *columns[column]]))
    axes[0].set_ylim(-0.02, 1.05)
    axes[1].set_yscale("log")
    figure.suptitle(title)
    plt.close(figure)
    return figure
