"""Ctrl-C, SIGTERM and SIGUSR1 end a training after its step, saved."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class TrainingInterrupted(KeyboardInterrupt):
    """A signal ended the training; the same call resumes it.

    Attributes:
        number: of the signal.
        folder: of the run.
    """

    folder: Path | None = None

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"{signal.Signals(number).name} {what}")
        self.number = number


class Signals:
    """The signal, if any, that asked a training to end.

    Attributes:
        number: of that signal.
        in_steps: whether a step is being computed, after whose end its state can be saved.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self.in_steps = False

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Sends the signals to `handle` meanwhile (only the main thread may)."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        names = ("SIGINT", "SIGTERM", "SIGUSR1")  # Windows has no SIGUSR1
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        before = [signal.signal(number, self.handle) for number in numbers]
        try:
            yield
        finally:
            for number, old in zip(numbers, before, strict=True):
                signal.signal(number, old)

    def handle(self, number: int, stack: Any) -> None:
        """Takes a signal: the first ends the training after this step, a second one at once."""
        if self.number is not None or not self.in_steps:
            raise TrainingInterrupted(number, "left at once: what was saved before is unharmed")
        self.number = number
        with contextlib.suppress(OSError):  # the terminal may be gone
            os.write(2, b"\nstopping after this step; once more to leave at once\n")

    def leave_if_asked(self, step: int) -> None:
        """Ends the training, saved at `step`, if a signal asked for it."""
        if self.number is not None:
            raise TrainingInterrupted(self.number, f"at step {step}, saved")
