"""When a checkpoint is saved: from time to time, and when a signal asks the process to end."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np

from dcgan_lib.callbacks import StepCallback
from dcgan_lib.runs.checkpoints import Checkpoints
from dcgan_lib.runs.log import RunLog
from dcgan_lib.runs.signals import Signals


class SaveCheckpoints(StepCallback):
    """Saves the state of the run, also when a signal asks the process to end.

    Args:
        checkpoints: where to.
        log: whose seconds are saved too.
        signals: may ask for the end.
        every: steps between two checkpoints; None: whenever `EVERY_SECONDS` have passed.
    """

    EVERY_SECONDS = 50.0

    def __init__(
        self, checkpoints: Checkpoints, log: RunLog, signals: Signals, every: int | None = None
    ) -> None:
        super().__init__()
        self.checkpoints = checkpoints
        self.log = log
        self.signals = signals
        self.every = every
        self.saved_at = time.perf_counter()
        self.due = False
        self.epoch_means: list[tuple[keras.Variable, np.ndarray]] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        self.signals.in_steps = True
        steps_per_epoch = self.log.recipe.steps_per_epoch(self.log.num_images)
        if self.step % steps_per_epoch:  # `fit` will forget the means of a half-done epoch
            self.epoch_means = [(v, v.numpy()) for v in self.model.metrics_variables]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for variable, value in self.epoch_means:
            variable.assign(value)
        self.epoch_means = []

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.every:
            self.due |= self.passed(self.every)
        else:
            self.due |= time.perf_counter() - self.saved_at > self.EVERY_SECONDS
        # After an epoch's last batch its frame is still to come, and belongs to the state.
        if batch + 1 != self.params["steps"]:
            self.save_if_due()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        every = self.log.recipe.snapshot_epochs
        if every and (epoch + 1) % every == 0:
            self.save(snapshot=True)
        self.save_if_due()

    def save_if_due(self) -> None:
        if self.due or self.signals.number is not None:
            self.save()
        self.signals.leave_if_asked(self.step)

    def save(self, snapshot: bool = False) -> None:
        self.checkpoints.save(self.model, {"seconds": self.log.seconds}, snapshot)
        self.saved_at = time.perf_counter()
        self.due = self.due and snapshot
