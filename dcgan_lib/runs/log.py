"""The numbers of a run, row by row."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dcgan_lib.callbacks import StepCallback
from dcgan_lib.gan import DCGAN, METRICS
from dcgan_lib.recipes import Recipe
from dcgan_lib.runs.files import append_row


class RunLog(StepCallback):
    """Writes a row of means to `log.csv` every `log_every` steps and where the run ends or stops.

    Args:
        path: the CSV file; rows are added to one that exists.
        recipe: says how many steps a row averages, and how long the run is.
        num_images: size of the training set.
        seconds: spent before this process took the run up.
    """

    COLUMNS = ("step", "images", "seconds", *METRICS)

    def __init__(self, path: Path, recipe: Recipe, num_images: int, seconds: float = 0.0) -> None:
        super().__init__()
        self.path = path
        self.recipe = recipe
        self.num_images = num_images
        self.started = time.perf_counter() - seconds

    @property
    def seconds(self) -> float:
        """Seconds of training, without pauses between processes and measurements."""
        return time.perf_counter() - self.started

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """What is done meanwhile does not count as training."""
        begin = time.perf_counter()
        yield
        self.started += time.perf_counter() - begin

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        if not self.path.exists():
            append_row(self.path, self.COLUMNS)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        total = self.recipe.total_steps(self.num_images)
        if self.passed(self.recipe.log_every):
            self.act()
            self.forget()
        elif self.step == total:
            self.act()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Nothing: rows are counted in steps."""

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        total = self.recipe.total_steps(self.num_images)
        if self.model.stop_training and self.step < total and is_partial(self.model):
            self.act()

    def act(self) -> None:
        """Writes one row, of the steps since the last."""
        means = [float(metric.result()) for metric in self.model.interval_metrics]
        images = self.recipe.images_seen(self.step, self.num_images)
        append_row(self.path, [self.step, images, round(self.seconds, 3), *means])

    def forget(self) -> None:
        """Begins the next row. Where the run ends within one, it is left open: it may go on."""
        for metric in self.model.interval_metrics:
            metric.reset_state()


def is_partial(gan: DCGAN) -> bool:
    """Tells whether steps have been made since the log's last whole row."""
    return float(gan.interval_metrics[0].count) > 0
