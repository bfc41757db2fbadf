"""How far a run is, in one line that a person reads."""

from __future__ import annotations

import csv
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from dcgan_lib.runs.words import duration

SETTLED = 3.0  # seconds after the first step: before, an estimate of what is left is a guess


class Progress(keras.callbacks.Callback):
    """One line over the whole run, where Keras would show a bar for each epoch.

    A terminal or a notebook shows it in place. Anything else, such as a log file, gets a plain
    line at each tenth of the way.

    Args:
        first_step: where this process takes the run up.
        total_steps: where the run ends.
        quality: the run's `quality.csv`, whose newest distance is shown.
        findings: of a health monitor that prints nothing itself, so that no two lines mix; those
            that are new are shown.
    """

    def __init__(
        self,
        first_step: int,
        total_steps: int,
        quality: Path | None = None,
        findings: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.first_step = first_step
        self.total = total_steps
        self.quality = quality
        self.findings = findings
        self.started: tuple[float, int] | None = None
        self.shown_at, self.tenth = 0.0, 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.told = len(self.findings)  # what an earlier process found was told then

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        for finding in self.findings[self.told :]:
            show_line(finding)
        self.told = len(self.findings)
        now, step = time.perf_counter(), int(self.model.step.numpy())
        # The first step builds the graph, which takes as long as hundreds of others.
        self.started = self.started or (now, step)
        tenth = 10 * (step - self.first_step) // max(1, self.total - self.first_step)
        due = now - self.shown_at > 0.2 if in_place() else tenth > self.tenth
        if due or step == self.total:
            self.shown_at, self.tenth = now, tenth
            last = step == self.total or not in_place()
            show_line(self.line(step, now, logs or {}), last)

    def line(self, step: int, now: float, logs: dict[str, Any]) -> str:
        """Says how far it is, how long it still takes, and how the game stands."""
        begin, first = self.started
        parts = [f"step {step}/{self.total}"]
        if step > first and now - begin > SETTLED and step < self.total:
            parts.append(f"{duration((now - begin) / (step - first) * (self.total - step))} left")
        if logs and self.model.gan_loss.accuracy_counts:
            real, drawn = (float(logs[f"d_accuracy_{kind}"]) for kind in ("real", "fake"))
            parts.append(f"D right on real {100 * real:.0f} %, drawn {100 * drawn:.0f} %")
        distance = newest_distance(self.quality)
        if distance is not None:
            parts.append(
                f"distance {distance:.1f}" if distance < 10 else f"distance {distance:.0f}"
            )
        return " · ".join(parts)


def newest_distance(quality: Path | None) -> float | None:
    """Returns the Fréchet distance in the last row of a `quality.csv`; None before the first."""
    if not quality or not quality.exists():
        return None
    with open(quality, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return float(rows[-1]["frechet_distance"]) if rows else None


def in_place() -> bool:
    """Whether a line can be replaced where it stands: in a terminal, and in a notebook."""
    return sys.stdout.isatty() or type(sys.stdout).__module__.startswith("ipykernel")


_width = 0  # letters of the line that stands open


def show_line(line: str, last: bool = True) -> None:
    """Prints a line in place of the one that stands open; the next takes its place unless `last`.

    What replaces nothing, as in a log file, is plain text.
    """
    global _width
    room = shutil.get_terminal_size().columns - 1
    text = line.ljust(_width) if last else line[:room].ljust(_width)
    print(text.rstrip() if not _width else text, end="\n" if last else "\r", flush=True)
    _width = 0 if last else len(line[:room])


def progress_bar(total: int, unit: str) -> keras.utils.Progbar:
    """Returns Keras's bar; it moves often in a terminal and seldom in a log file."""
    return keras.utils.Progbar(total, interval=0.2 if in_place() else 10.0, unit_name=unit)
