"""One progress bar over a whole run."""

from __future__ import annotations

import sys
from typing import Any

import keras

from dcgan_lib.gan import METRICS


class Progress(keras.callbacks.Callback):
    """One bar over the whole run, where Keras would show one for each epoch."""

    def __init__(self, first_step: int, total_steps: int) -> None:
        super().__init__()
        self.first_step = first_step
        self.bar = progress_bar(total_steps - first_step, "step")

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        done = int(self.model.step.numpy()) - self.first_step
        self.bar.update(done, [(name, float(value)) for name, value in (logs or {}).items()])


def progress_bar(total: int, unit: str) -> keras.utils.Progbar:
    """Returns Keras's bar; it moves often in a terminal and seldom in a log file."""
    interval = 0.2 if sys.stdout.isatty() else 10.0
    return keras.utils.Progbar(total, interval=interval, stateful_metrics=METRICS, unit_name=unit)
