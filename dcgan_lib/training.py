"""From a recipe to a run folder: data, game and callbacks put together.

Taught in notebook 04.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from dcgan_lib.building import build_gan
from dcgan_lib.data import TrainingSet, training_batches
from dcgan_lib.distributed.team import gather
from dcgan_lib.engine.cpu_layers import hasten
from dcgan_lib.gan import DCGAN
from dcgan_lib.guard.model import read_callbacks
from dcgan_lib.measuring.divergence import StopOnNonFinite
from dcgan_lib.measuring.health import HealthMonitor
from dcgan_lib.measuring.quality import QualityCallback, check_keep
from dcgan_lib.measuring.starts import FailedStart, StartGuard, start_seed
from dcgan_lib.recipes import CallOptions, Recipe
from dcgan_lib.runs.folder import HEALTH, plan, recorded
from dcgan_lib.runs.loading import TrainingRun, load_run
from dcgan_lib.runs.run import Run, open_run
from dcgan_lib.runs.transfer import find_transfer


def train_dcgan_mnist(
    recipe: str | Recipe | None = None,
    output: str | Path | None = None,
    data: str = "auto",
    resume: bool = True,
    callbacks: Sequence[keras.callbacks.Callback] | keras.callbacks.Callback = (),
    **settings: Any,
) -> TrainingRun:
    """Trains a recipe into a run folder, or resumes where an earlier call was cut off.

    Args:
        recipe: a name from `RECIPES` or a `Recipe`; by default that of the run in `output`
            if there is one, or of `start_from`, else `fast`.
        output: the run folder; by default `runs/<recipe>-s<seed>-<hash of the settings>`, so
            that the same call finds its own run again.
        data: as in `load_images`.
        resume: resumes the run in `output`, or returns it if finished; False starts a new one.
            With another `steps` or `epochs` it is trained to that length.
        callbacks: further Keras callbacks, or one.
        **settings: values that replace the recipe's, such as `epochs=3`; also `max_images`,
            `checkpoint_every`, `keep`, `start_from`, `devices`, `show` and `verbose` (see
            `CallOptions`).

    Returns:
        A `TrainingRun`.

    Raises:
        UserError: anything impossible in the arguments, data or folder, before training.
        TrainingInterrupted: Ctrl-C, SIGTERM or SIGUSR1; a checkpoint was saved.

    Taught in notebook 04.
    """
    options, callbacks = CallOptions.taken_from(settings), read_callbacks(callbacks)
    there = recorded(output) if resume and output else {}
    transfer = find_transfer(recipe, options.start_from, there)
    planned = plan(recipe, there, data, options, settings, transfer)
    recipe, training_set = planned.recipe, planned.training_set
    check_keep(options.keep, training_set)
    team = gather(options.devices, recipe, len(training_set.images))

    def played(failed: int, run: Run | None = None) -> DCGAN | None:
        start = recipe.replace(seed=start_seed(recipe.seed, failed))
        tf.config.experimental.enable_op_determinism()  # not for what only finds a finished run
        gan = hasten(build_gan(start, *training_set.sizes))
        beside = [StartGuard(training_set, team.agree, run)] if recipe.restart else []
        if run:
            run.restore(gan)
            beside += callbacks_of(run, training_set, options, callbacks)
        with contextlib.suppress(FailedStart):
            play(team.share(gan), start, training_set, beside)
            team.bring_home(gan)
            return gan

    team.assist(played)  # returns on the machine that leads
    with open_run(output, planned, fresh=not resume) as run:
        if team.agree(run.finished):
            return load_run(run.folder)
        with run.signals.caught():
            while not (gan := played(team.agree(run.failed_starts), run)):
                pass
            run.write_results(gan)
        team.agree(True)
        return load_run(run.folder, found=False)


def callbacks_of(
    run: Run,
    training_set: TrainingSet,
    options: CallOptions,
    others: Sequence[keras.callbacks.Callback] = (),
) -> list[keras.callbacks.Callback]:
    """Returns all that happens beside a training, in its order."""
    quality = QualityCallback.where_possible(run, training_set)
    health = HealthMonitor.of(training_set, run.folder / HEALTH)
    found = [StopOnNonFinite(), run.log, run.frames(options.show), *quality, health, *others]
    # Saving stands last: what the others wrote at this step is then part of the state.
    shown = run.progress(options.verbose, health.findings)
    return [*found, *shown, run.saving(options.checkpoint_every)]


def play(
    gan: DCGAN,
    recipe: Recipe,
    training_set: TrainingSet,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Trains a game from the step at which it is to the end of its recipe.

    It is `fit` on the batches that belong to each step, as often as an epoch begins or ends in
    the middle.
    """
    images, labels = training_set.images, training_set.labels
    total, per_epoch = recipe.total_steps(len(images)), recipe.steps_per_epoch(len(images))
    for first_epoch, epochs, steps in segments(int(gan.step.numpy()), total, per_epoch):
        gan.fit(
            training_batches(images, recipe.batch_size, recipe.seed, int(gan.step.numpy()), labels),
            initial_epoch=first_epoch,
            epochs=first_epoch + epochs,
            steps_per_epoch=steps,
            callbacks=list(callbacks),
            shuffle=False,
            verbose=0,
        )
        if gan.stop_training:  # a callback has asked for it
            break


def segments(first_step: int, total: int, per_epoch: int) -> list[tuple[int, int, int]]:
    """Cuts a run into calls of `fit`, whose epochs all have the same number of steps.

    Returns:
        (first epoch, number of epochs, steps in each) of: what is left of a half-done epoch,
        the whole epochs, and a last part of one.
    """
    parts, step = [], first_step
    while step < total:
        left = min(per_epoch - step % per_epoch, total - step)
        epochs = (total - step) // per_epoch if left == per_epoch else 1
        parts.append((step // per_epoch, epochs, left))
        step += epochs * left
    return parts
