"""Measures samples against held-out images while the training goes on.

Taught in notebook 07.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from dcgan_lib.callbacks import StepCallback
from dcgan_lib.data import TrainingSet, scale
from dcgan_lib.datasets.sources import PART
from dcgan_lib.errors import UserError
from dcgan_lib.latent import generator_input, sample_latent
from dcgan_lib.measuring.evaluator import Evaluator, check_images, knows, true_test
from dcgan_lib.measuring.metrics import class_balance, frechet_distance
from dcgan_lib.runs.best import Best
from dcgan_lib.runs.files import append_row
from dcgan_lib.runs.folder import QUALITY
from dcgan_lib.runs.log import RunLog
from dcgan_lib.runs.run import Run


class QualityCallback(StepCallback):
    """Measures samples against held-out images while the training goes on.

    The Fréchet distance at 1,000 samples: good for comparing the steps of one run; the
    table of `dcgan evaluate` uses 10,000. The column `floor` is what real images reach.

    Args:
        path: the CSV file; rows are added to one that exists.
        images: held-out float images (at least 2,000, 28, 28, 1) in [-1, 1].
        log: whose clock stands still meanwhile.
        every: steps between two measurements; None: one at each epoch's end.
        against_test: compare with the statistics of MNIST's test images, which come with the
            package; then 1,000 held-out images are enough, for the floor.
        best: is offered the generator of each look, if the best is to be kept.

    Raises:
        UserError: too few images, or images of another shape.

    Taught in notebook 07.
    """

    SAMPLES = 1000
    COLUMNS = ("step", "seconds", "frechet_distance", "floor", "modes", "distance_from_uniform")

    def __init__(
        self,
        path: Path,
        images: np.ndarray,
        log: RunLog,
        every: int | None = None,
        against_test: bool = False,
        best: Best | None = None,
    ) -> None:
        super().__init__()
        needed = self.SAMPLES if against_test else 2 * self.SAMPLES
        if len(images) < needed:
            raise UserError(f"{len(images)} held-out images; needed: {needed}")
        check_images(images)
        self.path = path
        self.images = images
        self.log = log
        self.every = every
        self.against_test = against_test
        self.best = best

    @classmethod
    def can_measure(cls, training_set: TrainingSet) -> bool:
        """Tells whether enough images were held out, of a kind that the evaluator knows."""
        held_out, source = training_set.held_out, training_set.source
        enough = len(held_out) >= (1 if is_part(training_set) else 2) * cls.SAMPLES
        digits = "classes" not in source  # which is there for others
        return enough and digits and knows(source["name"], source["source"], held_out.shape)

    @classmethod
    def where_possible(cls, run: Run, training_set: TrainingSet) -> list[QualityCallback]:
        """Returns a run's callback; none where nothing can be measured."""
        if not cls.can_measure(training_set):
            return []
        path, every = run.folder / QUALITY, run.recipe.quality_every
        images, best = scale(training_set.held_out), run.checkpoints.best
        return [cls(path, images, run.log, every, is_part(training_set), best)]

    @functools.cached_property
    def evaluator(self) -> Evaluator:
        return Evaluator()

    @functools.cached_property
    def real(self) -> np.ndarray:
        """Features of the images that samples are compared with."""
        if self.against_test:
            return true_test(self.evaluator)
        return self.evaluator(self.images[: self.SAMPLES])[0]

    @functools.cached_property
    def floor(self) -> float:
        """The distance between as many real images and those."""
        first = 0 if self.against_test else self.SAMPLES
        others, _ = self.evaluator(self.images[first : first + self.SAMPLES])
        return frechet_distance(self.real, others)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        if not self.path.exists():
            append_row(self.path, self.COLUMNS)
        latent = sample_latent(self.SAMPLES, self.model.latent_dim, seed=1)
        self.fixed_noise = generator_input(self.model.generator, latent)
        if self.step == 0:
            self.act()

    def act(self) -> None:
        """Measures, and writes one row."""
        seconds = round(self.log.seconds, 3)
        with self.log.paused():
            images = self.model.sampler.predict(self.fixed_noise, batch_size=500, verbose=0)
            features, probabilities = self.evaluator.features_of(images)
            distance = frechet_distance(self.real, features)
            classes = class_balance(probabilities)
            balance = (classes.modes, classes.distance_from_uniform)
            append_row(self.path, (self.step, seconds, distance, self.floor, *balance))
            if self.best:
                self.best.offer(self.step, distance, self.model.sampler)


def is_part(training_set: TrainingSet) -> bool:
    """Tells whether it is the part of MNIST that comes with the package."""
    return training_set.source["source"] == PART.stem


def check_keep(keep: str, training_set: TrainingSet) -> None:
    """Raises UserError if the best generator is to be kept where no quality is measured."""
    if keep == "best" and not QualityCallback.can_measure(training_set):
        raise UserError(
            "keep='best' is impossible: no quality is measured here; accepted: keep='last', or "
            f"digits of 28x28 pixels, {2 * QualityCallback.SAMPLES} of them held out (hold_out); "
            f"here {len(training_set.held_out)} images are"
        )
