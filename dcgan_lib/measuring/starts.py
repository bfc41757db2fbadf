"""Knows early that a start has failed: all samples are alike, or like no real image.

Taught in notebook 08; what it was measured on: benchmarks/LOG.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from dcgan_lib.callbacks import StepCallback
from dcgan_lib.data import TrainingSet, scale
from dcgan_lib.errors import UserError
from dcgan_lib.gan import untouched
from dcgan_lib.latent import generator_input, sample_latent
from dcgan_lib.measuring.health import spread
from dcgan_lib.runs.run import Run

MOST = 3  # starts of one run

ALIKE, FAR = 0.03, 1.25  # Signs beyond which a start has failed


class Signs(NamedTuple):
    """What tells a failed start from another.

    Attributes:
        spread: standard deviation over the samples, averaged over the pixels; real images: 1.
        distance: energy distance of the pixels to those of real images; real images: about 0,
            one grey picture: 1.
    """

    spread: float
    distance: float

    def __str__(self) -> str:
        return (
            f"spread {self.spread:.3f} (real images: 1), distance {self.distance:.2f} (theirs: 0)"
        )

    @property
    def failed(self) -> bool:
        """Whether a training that shows this at step 150 or later ends in nothing."""
        return self.spread < ALIKE or self.distance > FAR


def signs_of(samples: np.ndarray, real: np.ndarray) -> Signs:
    """Measures samples against real images, both (N, ...) in [-1, 1]."""
    fake, real = (images.reshape(len(images), -1) for images in (samples, real))
    distance = energy_distance(fake, real) / max(energy_distance(0.0 * real[:1], real), 1e-12)
    return Signs(spread(fake) / max(spread(real), 1e-12), float(distance))


def energy_distance(a: np.ndarray, b: np.ndarray) -> float:
    """How far the rows of `a` are from those of `b`, as a whole: 0 if they are distributed alike.

    Source: Székely, Rizzo, "Energy statistics" (2013), equation 6.
    """
    return 2 * mean_distance(a, b) - mean_distance(a, a) - mean_distance(b, b)


def mean_distance(a: np.ndarray, b: np.ndarray) -> float:
    """The mean length of the difference between a row of `a` and one of `b`."""
    squares = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1) - 2 * a @ b.T
    return float(np.sqrt(np.maximum(squares, 0.0)).mean())


class FailedStart(Exception):
    """A start has failed, and this has been recorded."""


class StartGuard(StepCallback):
    """Looks at the samples early, four times, and ends a start that has failed.

    Args:
        training_set: whose images the samples are compared with.
        agree: makes one answer of those that several machines give.
        run: whose folder records a failed start; none on a machine that only helps.

    Raises (from `fit`):
        FailedStart: all samples are alike, or like no real image.

    Taught in notebook 08.
    """

    IMAGES = 64
    FIRST, LAST, EVERY = 150, 300, 50  # steps; earlier, a start that lives may be black for a while

    def __init__(
        self, training_set: TrainingSet, agree: Callable[[int], int] = int, run: Run | None = None
    ) -> None:
        super().__init__()
        images = training_set.images
        places = np.linspace(0, len(images) - 1, self.IMAGES).astype(int)  # classes may be in order
        self.real = scale(images[places])
        self.agree = agree
        self.run = run

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.passed(self.EVERY) and self.FIRST <= self.step <= self.LAST:
            signs = self.look()
            if self.agree(signs.failed):
                if self.run:
                    self.run.note_failed(self.model.seed, f"step {self.step}: {signs}")
                raise FailedStart

    def look(self) -> Signs:
        """Measures what the generator draws in training: its average lags behind."""
        gan = self.model
        noise = generator_input(
            gan.generator, sample_latent(len(self.real), gan.latent_dim, seed=1)
        )
        with untouched(gan.generator):
            return signs_of(gan.generator(noise, training=True).numpy(), self.real)


def start_seed(seed: int, failed: int) -> int:
    """Returns the seed of the start that follows `failed` others of a run.

    Raises:
        UserError: `MOST` have failed.
    """
    if failed >= MOST:
        raise UserError(
            f"{failed} starts have failed: all samples were alike, or like no real image. What "
            "helps: smaller g_learning_rate and d_learning_rate, or minibatch_stddev=True. "
            "restart=False (--no-restart) goes on all the same"
        )
    return (seed + 1_000_003 * failed) % 2**31
