"""Ctrl-C, SIGTERM, SIGUSR1 and Ctrl-Break end a training after its step, saved."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGBREAK")  # only Windows has the last, and no SIGUSR1
ENDING = {getattr(signal, name) for name in NAMES if hasattr(signal, name)}


class TrainingInterrupted(KeyboardInterrupt):
    """A signal ended the training; the same call resumes it.

    Attributes:
        number: of the signal.
        folder: of the run.
    """

    def __init__(self, number: int, what: str, folder: Path | None = None) -> None:
        super().__init__(f"{signal.Signals(number).name} {what}")
        self.number = number
        self.folder = folder


class Signals:
    """The signal, if any, that asked a training to end.

    Args:
        folder: of the run.

    Attributes:
        number: of that signal.
        in_steps: whether a step is being computed, after whose end its state can be saved.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.number: int | None = None
        self.in_steps = False

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Sends the signals to `handle` meanwhile (only the main thread may)."""
        before = {}
        if threading.current_thread() is threading.main_thread():
            before = {number: signal.signal(number, self.handle) for number in ENDING}
        try:
            yield
        finally:
            for number, old in before.items():
                signal.signal(number, old)

    def handle(self, number: int, stack: Any) -> None:
        """Takes a signal: the first ends the training after this step, a second one at once."""
        if self.number is not None or not self.in_steps:
            what = "left at once: what was saved before is unharmed"
            raise TrainingInterrupted(number, what, self.folder)
        self.number = number
        with contextlib.suppress(OSError):  # the terminal may be gone
            os.write(2, b"\nstopping after this step; once more to leave at once\n")

    def leave_if_asked(self, step: int) -> None:
        """Ends the training, saved at `step`, if a signal asked for it."""
        if self.number is not None:
            raise TrainingInterrupted(self.number, f"at step {step}, saved", self.folder)
