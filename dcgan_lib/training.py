"""From a recipe to a run folder: data, game and callbacks put together.

Taught in notebook 04.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from dcgan_lib.building import build_gan, check_buildable
from dcgan_lib.callbacks import GenerateSamplesCallback
from dcgan_lib.data import TrainingSet, load_training_set, training_batches
from dcgan_lib.distributed.team import gather
from dcgan_lib.engine.cpu_layers import hasten
from dcgan_lib.gan import DCGAN
from dcgan_lib.measuring.divergence import StopOnNonFinite
from dcgan_lib.measuring.health import HealthMonitor
from dcgan_lib.measuring.quality import QualityCallback
from dcgan_lib.recipes import CallOptions, Recipe, get_recipe
from dcgan_lib.runs.folder import HEALTH, QUALITY, recorded
from dcgan_lib.runs.loading import TrainingRun, load_run
from dcgan_lib.runs.run import Run, open_run


def train_dcgan_mnist(
    recipe: str | Recipe | None = None,
    output: str | Path | None = None,
    data: str = "auto",
    resume: bool = True,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **settings: Any,
) -> TrainingRun:
    """Trains a recipe into a run folder, or resumes where an earlier call was cut off.

    Args:
        recipe: a name from `RECIPES` or a `Recipe`; by default that of the run in `output`
            if there is one, else `fast`.
        output: the run folder; by default `runs/<recipe>-s<seed>-<hash of the settings>`, so
            that the same call finds its own run again.
        data: as in `load_images`.
        resume: resumes the run in `output`, or returns it if finished; False starts a new one.
        callbacks: further Keras callbacks.
        **settings: values that replace the recipe's, such as `epochs=3`; also `max_images`,
            `checkpoint_every`, `devices`, `show` and `verbose` (see `CallOptions`).

    Returns:
        A `TrainingRun`.

    Raises:
        UserError: anything impossible in the arguments, data or folder, before training.
        TrainingInterrupted: Ctrl-C, SIGTERM or SIGUSR1; a checkpoint was saved.

    Taught in notebook 04.
    """
    own = {field.name for field in fields(CallOptions)} & settings.keys()
    options = CallOptions(**{name: settings.pop(name) for name in own})
    there = recorded(output) if resume and output else {}
    known = {} if recipe else there
    recipe = get_recipe(recipe or known.get("recipe", "fast"), **settings)
    data = known.get("source", data) if data == "auto" else data
    training_set = load_training_set(recipe, data, known=there, **options.reading(known))
    num_images, *image_shape = training_set.images.shape
    kind = tuple(image_shape), training_set.num_classes
    check_buildable(recipe, *kind)
    team = gather(options.devices, recipe, num_images)

    def game() -> DCGAN:
        tf.config.experimental.enable_op_determinism()  # not for what only finds a finished run
        return hasten(build_gan(recipe, num_images, *kind))

    if not team.leads:
        team.assist(game(), lambda shared: play(shared, recipe, training_set))
    with open_run(output, recipe, training_set, fresh=not resume) as run:
        if team.agree(run.finished):
            return load_run(run.folder)
        gan = game()
        run.restore(gan)
        with run.signals.caught():
            beside = callbacks_of(run, training_set, options, callbacks)
            play(team.share(gan), recipe, training_set, beside)
            team.bring_home(gan)
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
    recipe, folder = run.recipe, run.folder
    every = None if recipe.sample_epochs else recipe.sample_every
    samples = GenerateSamplesCallback(
        folder / "samples", every, recipe.sample_epochs, recipe.num_samples, show=options.show
    )
    found = [StopOnNonFinite(), run.log, samples]
    found += QualityCallback.suited(training_set, folder / QUALITY, run.log, recipe.quality_every)
    real = training_set.examples(HealthMonitor.IMAGES)
    found += [HealthMonitor(real, path=folder / HEALTH, verbose=options.verbose), *others]
    # Saving stands last: what the others wrote at this step is then part of the state.
    return [*found, *run.progress(options.verbose), run.saving(options.checkpoint_every)]


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
        step = int(gan.step.numpy())
        gan.fit(
            training_batches(images, recipe.batch_size, recipe.seed, step, labels),
            initial_epoch=first_epoch,
            epochs=first_epoch + epochs,
            steps_per_epoch=steps,
            callbacks=list(callbacks),
            shuffle=False,
            verbose=0,
        )


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
