"""What happens beside the training: pictures, log, checkpoints, progress.

All count by the model's own step, which survives a resume. Taught in notebook 04.
"""

from __future__ import annotations

import contextlib
import csv
import math
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import keras
import numpy as np
import tensorflow as tf

from dcgan_lib.checkpoints import Checkpoints, atomic_path, writing
from dcgan_lib.errors import UserError
from dcgan_lib.evaluator import Evaluator
from dcgan_lib.gan import METRICS
from dcgan_lib.latent import generator_input, sample_latent
from dcgan_lib.metrics import class_balance, frechet_distance
from dcgan_lib.plots import add_caption, image_grid


class TrainingInterrupted(KeyboardInterrupt):
    """A signal ended the training; the same call goes on with it.

    Attributes:
        number: of the signal.
    """

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"{signal.Signals(number).name} {what}")
        self.number = number


class StepCallback(keras.callbacks.Callback):
    """Base of the callbacks that act every so many steps, or else at each epoch's end.

    Several steps may pass between two calls (`steps_per_execution`), so it asks whether a
    multiple was passed, not whether it was hit.
    """

    every: int | None = None
    last_step: int | None = None

    @property
    def step(self) -> int:
        return int(self.model.step.numpy())

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if self.last_step is None:
            self.last_step = self.step

    def passed(self, every: int) -> bool:
        """Tells whether a multiple of `every` lies between the last call's step and now."""
        before, self.last_step = self.last_step, self.step
        return before // every < self.step // every

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.every and self.passed(self.every):
            self.act()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self.every:
            self.act()

    def act(self) -> None:
        """What a subclass does then."""


class GenerateSamplesCallback(StepCallback):
    """Draws the same fixed noise again and again: the progress of a training in pictures.

    Args:
        folder: where numbered frames go; None keeps none.
        every: steps between two frames; None: one at each epoch's end.
        epochs: with `every=None`, only after these epochs (counted from 1).
        num_images: how many images a frame shows.
        seed: of the fixed noise.
        show: updates one picture in place, in a notebook.

    Raises:
        UserError: an `every` or `num_images` below 1.

    Taught in notebook 04.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        every: int | None = None,
        epochs: tuple[int, ...] = (),
        num_images: int = 64,
        seed: int = 0,
        show: bool = False,
    ) -> None:
        super().__init__()
        if num_images < 1 or (every is not None and every < 1):
            raise UserError(f"every={every}, num_images={num_images}: both must be at least 1")
        self.folder = Path(folder) if folder else None
        self.every = every
        self.epochs = epochs
        self.num_images = num_images
        self.seed = seed
        self.show = show
        self.display = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        latent = sample_latent(self.num_images, self.model.latent_dim, self.seed)
        self.fixed_noise = generator_input(self.model.generator, latent)
        if self.step == 0:
            self.draw()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self.epochs or epoch + 1 in self.epochs:
            super().on_epoch_end(epoch, logs)

    def act(self) -> None:
        self.draw()

    def draw(self) -> np.ndarray:
        """Draws, saves and shows one frame; returns it as uint8 (height, width[, 3])."""
        images = self.model(self.fixed_noise, training=False).numpy()
        frame = add_caption(image_grid(images), f"step {self.step}")
        if self.folder:
            with writing(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_path(self.folder / f"step_{self.step:08d}.png") as temporary:
                iio.imwrite(temporary, frame, extension=".png")
        if self.show:
            self.display = show_in_place(frame, self.display)
        return frame


def show_in_place(frame: np.ndarray, handle: Any = None) -> Any:
    """Shows a uint8 image in a notebook; given the handle that it returned, replaces it."""
    from IPython import display

    picture = display.Image(iio.imwrite("<bytes>", frame, extension=".png"), format="png")
    if handle is None:
        return display.display(picture, display_id=True)
    handle.update(picture)
    return handle


class RunLog(StepCallback):
    """Writes a row of means to `log.csv` every `every` steps and at the end of the run.

    Args:
        path: the CSV file; rows are added to one that exists.
        every: steps in a row.
        total_steps: at which the run ends.
        images_seen: turns a step into the number of real images seen until then.
        seconds: spent before this process took the run up.
    """

    COLUMNS = ("step", "images", "seconds", *METRICS)

    def __init__(
        self, path: Path, every: int, total_steps: int, images_seen: Any, seconds: float = 0.0
    ) -> None:
        super().__init__()
        self.path = path
        self.every = every
        self.total_steps = total_steps
        self.images_seen = images_seen
        self.started = time.perf_counter() - seconds
        if not path.exists():
            self.write(self.COLUMNS)

    @property
    def seconds(self) -> float:
        """Seconds of training: pauses between processes, and judging, left out."""
        return time.perf_counter() - self.started

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """What is done meanwhile does not count as training."""
        begin = time.perf_counter()
        yield
        self.started += time.perf_counter() - begin

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.passed(self.every) or self.step == self.total_steps:
            means = [float(metric.result()) for metric in self.model.interval_metrics]
            for metric in self.model.interval_metrics:
                metric.reset_state()
            self.write([self.step, self.images_seen(self.step), round(self.seconds, 3), *means])

    def write(self, row: Iterable[Any]) -> None:
        append_row(self.path, row)


def append_row(path: Path, row: Iterable[Any]) -> None:
    """Adds a row to a CSV file; raises UserError if it cannot be written."""
    with writing(path), open(path, "a", newline="") as file:
        csv.writer(file).writerow(row)


class QualityCallback(StepCallback):
    """Measures samples against held-out images while the training goes on.

    The Fréchet distance at 1,000 samples: good for comparing the steps of one run; the
    table of `dcgan evaluate` uses 10,000. The column `floor` is what real images reach.

    Args:
        path: the CSV file; rows are added to one that exists.
        images: held-out float images (at least 2,000, 28, 28, 1) in [-1, 1].
        log: whose clock stands still meanwhile.
        every: steps between two measurements; None: one at each epoch's end.

    Raises:
        UserError: too few images, or images of another shape.

    Taught in notebook 07.
    """

    SAMPLES = 1000
    COLUMNS = ("step", "seconds", "frechet_distance", "floor", "modes", "distance_from_uniform")

    def __init__(
        self, path: Path, images: np.ndarray, log: RunLog, every: int | None = None
    ) -> None:
        super().__init__()
        if len(images) < 2 * self.SAMPLES:
            raise UserError(f"{len(images)} held-out images; needed: {2 * self.SAMPLES}")
        self.path = path
        self.log = log
        self.every = every
        self.judge = Evaluator()
        self.real, _ = self.judge(images[: self.SAMPLES])
        others, _ = self.judge(images[self.SAMPLES : 2 * self.SAMPLES])
        self.floor = frechet_distance(self.real, others)
        if not path.exists():
            append_row(path, self.COLUMNS)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        latent = sample_latent(self.SAMPLES, self.model.latent_dim, seed=1)
        self.fixed_noise = generator_input(self.model.generator, latent)
        if self.step == 0:
            self.act()

    def act(self) -> None:
        """Measures, and writes one row."""
        seconds = round(self.log.seconds, 3)
        with self.log.paused():
            images = self.model.sampler.predict(self.fixed_noise, batch_size=500, verbose=0)
            features, probabilities = self.judge(images)
            distance = frechet_distance(self.real, features)
            classes = class_balance(probabilities)
            balance = (classes.modes, classes.distance_from_uniform)
            append_row(self.path, (self.step, seconds, distance, self.floor, *balance))


PLAYERS = {"d": "discriminator", "g": "generator"}  # in the order of their moves


class StopOnNonFinite(keras.callbacks.Callback):
    """Ends the training when a loss is no longer a number, or weights grow beyond all bounds.

    Keras's `TerminateOnNaN` looks only at a log named `loss`, which a GAN does not have.

    Raises (from `fit`):
        UserError: says which network was the first, at which step, and what usually helps.
    """

    BOUND = 1e18  # of half the sum of a network's squared weights; those of `fast` end below 1e4

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.last_step = int(self.model.step.numpy())
        weights = {p: getattr(self.model, name).trainable_weights for p, name in PLAYERS.items()}

        @tf.function
        def sums() -> dict[str, tf.Tensor]:
            return {p: tf.add_n([tf.nn.l2_loss(w) for w in weights[p]]) for p in weights}

        self.sums = sums

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        step, signs = int(self.model.step.numpy()), {}
        for player, total in self.sums().items():
            loss = float((logs or {}).get(f"{player}_loss", 0.0))
            if not math.isfinite(loss):
                signs[player] = f"{player}_loss is {loss}"
            elif not float(total) < self.BOUND:  # nor is NaN below it
                signs[player] = f"the {PLAYERS[player]}'s weights are beyond all bounds"
        if signs:
            raise UserError(self.what_happened(signs, step))
        self.last_step = step

    def what_happened(self, signs: dict[str, str], step: int) -> str:
        """What is said of the network that fell ill first: in a step, D moves before G."""
        hidden = step - self.last_step - 1
        if not (hidden or self.model.simultaneous):
            first = "d" if "d" in signs else "g"
            signs = {first: signs[first]}
        when = f"at step {step}" + (f" or in the {hidden} before" if hidden else "")
        return (
            f"{' and '.join(signs.values())} {when}: the "
            f"{' and the '.join(PLAYERS[player] for player in signs)} diverged first. The last "
            "checkpoint is sound, but the same settings lead here again. A smaller learning rate "
            f"usually helps: {', '.join(f'{player}_learning_rate' for player in signs)}"
        )


class SaveCheckpoints(StepCallback):
    """Saves the state of the run, also when a signal asks the process to end.

    Args:
        checkpoints: where to.
        log: whose seconds are saved too.
        every: steps between two; None: whenever `EVERY_SECONDS` have passed.
        snapshot_epochs: besides, keep one for good every so many epochs.
    """

    EVERY_SECONDS = 50.0

    def __init__(
        self,
        checkpoints: Checkpoints,
        log: RunLog,
        every: int | None = None,
        snapshot_epochs: int | None = None,
    ) -> None:
        super().__init__()
        self.checkpoints = checkpoints
        self.log = log
        self.every = every
        self.snapshot_epochs = snapshot_epochs
        self.saved_at = time.perf_counter()
        self.due = False
        self.signal: int | None = None
        self.in_steps = False
        self.epoch_means: list[np.ndarray] | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        super().on_train_begin(logs)
        self.in_steps = True

    def save(self, snapshot: bool = False) -> None:
        self.checkpoints.save({"seconds": self.log.seconds}, snapshot)
        self.saved_at = time.perf_counter()

    def carry_epoch_means(self) -> None:
        """Remembers the metrics of a half-done epoch: `fit` sets them back as it begins."""
        self.epoch_means = [v.numpy() for v in self._epoch_variables()]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.epoch_means is not None:
            for variable, value in zip(self._epoch_variables(), self.epoch_means, strict=True):
                variable.assign(value)
            self.epoch_means = None

    def _epoch_variables(self) -> list[keras.Variable]:
        return [v for metric in self.checkpoints.gan.epoch_metrics for v in metric.variables]

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self.every:
            self.due |= self.passed(self.every)
        else:
            self.due |= time.perf_counter() - self.saved_at > self.EVERY_SECONDS
        # After an epoch's last batch its frame is still to come, and belongs to the state.
        if batch + 1 != self.params["steps"]:
            self.save_if_due()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.snapshot_epochs and (epoch + 1) % self.snapshot_epochs == 0:
            self.save(snapshot=True)
        self.save_if_due()

    def save_if_due(self) -> None:
        if self.due or self.signal is not None:
            self.save()
            self.due = False
        self.leave_if_asked()

    def leave_if_asked(self) -> None:
        if self.signal is not None:
            step = int(self.checkpoints.gan.step.numpy())
            raise TrainingInterrupted(self.signal, f"at step {step}, saved")

    def close(self) -> None:
        """Saves the last step; from now on a signal has nothing to wait for."""
        self.save()
        self.in_steps = False
        self.leave_if_asked()

    def handle(self, number: int, stack: Any) -> None:
        """A signal handler: the first signal ends after this step, a second one at once."""
        if self.signal is not None or not self.in_steps:
            raise TrainingInterrupted(number, "left at once: what was saved before is unharmed")
        self.signal = number
        with contextlib.suppress(OSError):  # the terminal may be gone
            os.write(2, b"\nstopping after this step; once more to leave at once\n")


class Progress(keras.callbacks.Callback):
    """One bar over the whole run, where Keras would show one for each epoch."""

    def __init__(self, first_step: int, total_steps: int) -> None:
        super().__init__()
        self.first_step = first_step
        self.bar = progress_bar(total_steps - first_step, "step", METRICS)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        done = int(self.model.step.numpy()) - self.first_step
        self.bar.update(done, [(name, float(value)) for name, value in (logs or {}).items()])


def progress_bar(
    total: int, unit: str, stateful_metrics: Sequence[str] = ()
) -> keras.utils.Progbar:
    """Returns Keras's bar; it moves often in a terminal and seldom in a log file."""
    return keras.utils.Progbar(
        total,
        stateful_metrics=stateful_metrics,
        unit_name=unit,
        interval=0.2 if sys.stdout.isatty() else 10.0,
    )
