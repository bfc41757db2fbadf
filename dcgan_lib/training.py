"""From a recipe to a run folder: data, networks, game and callbacks put together.

Taught in notebook 04.
"""

from __future__ import annotations

import contextlib
import itertools
import platform
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import schedules

from dcgan_lib import callbacks as cb
from dcgan_lib import checkpoints as ck
from dcgan_lib.conditional import (
    ConditionalDCGAN,
    build_conditional_discriminator,
    build_conditional_generator,
)
from dcgan_lib.data import (
    DATASETS,
    ImageData,
    check_batch_size,
    data_hash,
    hold_out_indices,
    load_images,
    scale,
    training_batches,
)
from dcgan_lib.devices import (
    Replicated,
    check_shares,
    connect,
    copy_state,
    from_chief,
    is_chief,
    replicate,
    share_state,
)
from dcgan_lib.errors import UserError, first_line
from dcgan_lib.evaluator import can_judge
from dcgan_lib.gan import DCGAN
from dcgan_lib.health import HealthMonitor
from dcgan_lib.latent import (
    generator_input,
    interpolate,
    latent_dim_of,
    one_hot,
    sample_latent,
    takes_labels,
)
from dcgan_lib.locks import locked
from dcgan_lib.losses import (
    BinaryCrossentropyLoss,
    GANLoss,
    HingeLoss,
    SaturatingLoss,
    WassersteinLoss,
)
from dcgan_lib.networks import ImageShape, build_discriminator, build_generator
from dcgan_lib.plots import image_grid, make_gif, plot_losses, plot_quality, read_log
from dcgan_lib.recipes import Recipe, get_recipe
from dcgan_lib.speed import hasten
from dcgan_lib.variants import GradientPenaltyDCGAN, with_pooling, with_spectral_norm

MAX_WEIGHTS = 2**28  # with Adam's two numbers for each, and the average, about 5 GB


@dataclass(frozen=True)
class TrainingRun:
    """A finished training.

    Attributes:
        folder: where everything is.
        recipe: what it was trained with.
        generator, discriminator: the networks; the generator is the averaged one, if any.
        log: the columns of log.csv.
        found: whether it had been trained before, and was only loaded.
    """

    folder: Path
    recipe: Recipe
    generator: keras.Model
    discriminator: keras.Model
    log: dict[str, np.ndarray]
    found: bool


def train_dcgan_mnist(
    recipe: str | Recipe | None = None,
    output: str | Path | None = None,
    data: str = "auto",
    max_images: int | None = None,
    resume: bool = True,
    checkpoint_every: int | None = None,
    devices: int = 1,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    show: bool = False,
    verbose: bool = True,
    **settings: Any,
) -> TrainingRun:
    """Trains a recipe into a run folder, or goes on where an earlier call was cut off.

    Args:
        recipe: a name from `RECIPES` or a `Recipe`; by default that of the run in `output`
            if there is one, else `fast`.
        output: the run folder; by default `runs/<recipe>-s<seed>-<hash of the settings>`, so
            that the same call finds its own run again.
        data: as in `load_images`.
        max_images: trains on the first so many images only.
        resume: goes on with the run in `output`, or returns it if finished; False starts anew.
        checkpoint_every: steps between checkpoints; by default about 50 seconds.
        devices: how many of this machine's devices share each batch.
        callbacks: further Keras callbacks.
        show: updates one picture in place, in a notebook.
        verbose: prints a line of settings and a progress bar.
        **settings: values that replace the recipe's, such as `epochs=3`.

    Returns:
        A `TrainingRun`.

    Raises:
        UserError: anything impossible in the arguments, data or folder, before training.
        TrainingInterrupted: Ctrl-C, SIGTERM or SIGUSR1; a checkpoint was saved.

    Taught in notebook 04.
    """
    if checkpoint_every is not None and checkpoint_every < 1:
        raise UserError(f"checkpoint_every={checkpoint_every}; accepted: a number above 0")
    if recipe is None and output is not None and resume and (Path(output) / ck.RECORD).exists():
        recipe, data, max_images = _recorded(Path(output), data, max_images)
    recipe = get_recipe(recipe or "fast", **settings)
    images, labels, held_out, source = training_images(recipe, data, max_images)
    shape = (*images.shape[1:], 1)[:3]
    check_buildable(recipe, shape)
    strategy = connect(devices)
    if strategy is not None:
        check_shares(recipe, len(images), strategy)
    if not is_chief():
        _assist(recipe, build_gan(recipe, len(images), shape), strategy, images, labels)
        raise SystemExit(0)
    record = ck.settings_record(recipe, source)
    folder = Path(output) if output else ck.default_folder(recipe, record)
    ck.make_folder(folder)
    with locked(folder):
        ck.open_run(folder, record, versions(), fresh=not resume)
        finished = is_finished(folder)
        if strategy is not None:
            from_chief(strategy, [int(finished)])
        if finished:
            return load_run(folder)
        gan = build_gan(recipe, len(images), shape)
        game = gan if strategy is None else replicate(gan, strategy)
        run = _Run(folder, recipe, game, images, labels, checkpoint_every, verbose)
        watching = [*run.judging(held_out), run.monitor()]
        with _signals(run.saving.handle):
            run.train([*_sampling(recipe, folder, show), *watching, *callbacks])
            if strategy is not None:
                copy_state(game, gan)
                run.gan = gan
            run.finish()
        if strategy is not None:
            from_chief(strategy, [0])
        return load_run(folder, found=False)


def _assist(
    recipe: Recipe,
    gan: DCGAN,
    strategy: tf.distribute.Strategy,
    images: np.ndarray,
    labels: np.ndarray | None,
) -> None:
    """Plays along on a machine that is not the chief's; the chief alone touches the folder."""
    (finished,) = from_chief(strategy, [0])
    if finished:
        return
    game = replicate(gan, strategy)
    share_state(game)
    _play(game, recipe, images, labels)
    from_chief(strategy, [0])  # until the chief has written the results


def training_images(
    recipe: Recipe, data: str, max_images: int | None
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray, dict[str, Any]]:
    """Loads what the recipe may train on.

    Returns:
        uint8 images (N, H, W) or (N, H, W, 3), their one-hot labels if the recipe is
        conditional, images held out (none where the judge knows nothing of such images: it
        learned digits), and a record of where they came from.

    Raises:
        UserError: no images, or fewer than a batch; labels that a conditional recipe cannot use.
    """
    if max_images is not None and max_images < 1:
        raise UserError(f"max_images={max_images} is impossible; accepted: a number above 0")
    loaded: ImageData = load_images(data, "train")
    allowed, held_out = hold_out_indices(len(loaded.images), recipe.hold_out)
    images = loaded.images[allowed[:max_images]]
    check_batch_size(len(images), recipe.batch_size)
    labels = one_hot(loaded.labels[allowed[:max_images]]) if recipe.conditional else None
    source = loaded.name if data in DATASETS else str(Path(data).resolve())
    if not can_judge(loaded, data):
        held_out = held_out[:0]
    return (
        images,
        labels,
        loaded.images[held_out],
        {
            "source": source,
            "name": loaded.name,
            "images": len(images),
            "max_images": max_images,
            "hash": data_hash(images),
        },
    )


def _recorded(folder: Path, data: str, max_images: int | None) -> tuple[Recipe, str, int | None]:
    record = ck.read_record(folder)
    known = record["data"]
    try:
        recipe = Recipe(**record["recipe"])
    except TypeError as error:
        raise UserError(f"{str(folder / ck.RECORD)!r} is damaged: {error}") from None
    data = known["source"] if data == "auto" else data
    return recipe, data, known["max_images"] if max_images is None else max_images


def check_buildable(recipe: Recipe, image_shape: ImageShape) -> None:
    """Raises UserError, before any folder is made, if the networks cannot be built."""
    side, halvings = min(image_shape[:2]), len(recipe.discriminator_widths)
    if recipe.discriminator_pooling and not side >> halvings:
        raise UserError(
            f"discriminator_widths={recipe.discriminator_widths}: pooling halves {side} pixels "
            f"{halvings} times, until none is left; accepted: up to {side.bit_length() - 1} widths"
        )
    with tf.Graph().as_default():  # takes no memory
        networks = build_networks(recipe, image_shape)
    weights = sum(network.count_params() for network in networks)
    if weights > MAX_WEIGHTS:
        raise UserError(
            f"the networks would have {weights:,} weights; accepted: up to {MAX_WEIGHTS:,}: make "
            "the widths, kernels or latent_dim smaller"
        )


def versions() -> dict[str, str]:
    """What a run was made with, for its record."""
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }


def build_gan(recipe: Recipe, num_images: int, image_shape: ImageShape = (28, 28, 1)) -> DCGAN:
    """Builds and compiles the game that a recipe describes; weights depend on its seed alone.

    Args:
        num_images: size of the training set: the learning-rate schedules end with the run.
    """
    keras.utils.set_random_seed(recipe.seed)
    with layer_precision(recipe.precision):
        networks = [hasten(network) for network in build_networks(recipe, image_shape)]
    kind, more = DCGAN, {}
    if recipe.conditional:
        kind = ConditionalDCGAN
    elif recipe.gradient_penalty:
        kind, more = GradientPenaltyDCGAN, {"gradient_penalty": recipe.gradient_penalty}
    gan = kind(
        *networks,
        **more,
        d_steps=recipe.d_steps,
        g_steps=recipe.g_steps,
        simultaneous=recipe.simultaneous,
        real_noise_stddev=recipe.real_noise_stddev,
        ema_decay=recipe.ema_decay,
        seed=recipe.seed,
    )
    rounds = recipe.total_steps(num_images)
    gan.compile(
        g_optimizer=build_optimizer(recipe, "g", rounds * recipe.g_steps),
        d_optimizer=build_optimizer(recipe, "d", rounds * recipe.d_steps),
        loss=build_loss(recipe),
    )
    return gan


def build_networks(recipe: Recipe, image_shape: ImageShape) -> tuple[keras.Model, keras.Model]:
    """Builds the generator and the discriminator that a recipe describes."""
    if recipe.conditional:
        generator = build_conditional_generator(recipe, image_shape)
        discriminator = build_conditional_discriminator(recipe, image_shape)
    else:
        generator = build_generator(recipe, image_shape)
        discriminator = build_discriminator(recipe, image_shape)
    if recipe.spectral_norm:
        discriminator = with_spectral_norm(discriminator)
    if recipe.discriminator_pooling:
        discriminator = with_pooling(discriminator)
    return generator, discriminator


def build_loss(recipe: Recipe) -> GANLoss:
    """Builds the loss that a recipe names."""
    if recipe.loss == "hinge":
        return HingeLoss()
    if recipe.loss == "wasserstein":
        return WassersteinLoss()
    kind = SaturatingLoss if recipe.loss == "saturating" else BinaryCrossentropyLoss
    return kind(
        from_logits=recipe.discriminator_output == "logits",
        real_label_smoothing=recipe.real_label_smoothing,
        fake_label_smoothing=recipe.fake_label_smoothing,
    )


@contextlib.contextmanager
def layer_precision(policy: str) -> Iterator[None]:
    """Layers built meanwhile compute with this Keras dtype policy."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def build_optimizer(recipe: Recipe, player: str, moves: int) -> keras.optimizers.Adam:
    """Builds Adam with the schedule of player `g` or `d`, which makes so many moves in all."""
    rate = getattr(recipe, f"{player}_learning_rate")
    schedule = getattr(recipe, f"{player}_schedule")
    fraction = getattr(recipe, f"{player}_final_fraction")
    if schedule == "cosine":
        rate = schedules.CosineDecay(rate, moves, alpha=fraction)
    elif schedule == "exponential":
        rate = schedules.ExponentialDecay(rate, moves, fraction)
    return keras.optimizers.Adam(rate, beta_1=recipe.beta_1, beta_2=recipe.beta_2)


def _sampling(recipe: Recipe, folder: Path, show: bool) -> list[keras.callbacks.Callback]:
    every, epochs = recipe.sample_every, recipe.sample_epochs
    return [
        cb.GenerateSamplesCallback(
            folder / "samples", None if epochs else every, epochs, recipe.num_samples, show=show
        )
    ]


class _Run:
    """One process's share of a run: restores, trains to the end, writes the results."""

    def __init__(
        self,
        folder: Path,
        recipe: Recipe,
        gan: DCGAN,
        images: np.ndarray,
        labels: np.ndarray | None,
        checkpoint_every: int | None,
        verbose: bool,
    ) -> None:
        self.folder, self.recipe, self.gan = folder, recipe, gan
        self.images, self.labels = images, labels
        self.verbose = verbose
        self.total = recipe.total_steps(len(images))
        self.per_epoch = recipe.steps_per_epoch(len(images))
        checkpoints = ck.Checkpoints(folder / "checkpoints", gan)
        notes = checkpoints.restore_newest() or {"seconds": 0.0}
        self.first_step = int(gan.step.numpy())
        ck.rewind(folder, self.first_step if notes["seconds"] else -1)
        self.log = cb.RunLog(
            folder / ck.LOG, recipe.log_every, self.total, self.images_seen, notes["seconds"]
        )
        self.saving = cb.SaveCheckpoints(
            checkpoints, self.log, checkpoint_every, recipe.snapshot_epochs
        )
        if self.first_step % self.per_epoch:
            self.saving.carry_epoch_means()

    def judging(self, held_out: np.ndarray) -> list[keras.callbacks.Callback]:
        """Returns the callback that measures quality, if enough images were held out."""
        if len(held_out) < 2 * cb.QualityCallback.SAMPLES:
            return []
        path = self.folder / ck.QUALITY
        return [cb.QualityCallback(path, scale(held_out), self.log, self.recipe.quality_every)]

    def monitor(self) -> HealthMonitor:
        """Returns the callback that names what ails the game while it happens."""
        few = slice(HealthMonitor.IMAGES)
        real = scale(self.images[few])
        pair = real if self.labels is None else (real, self.labels[few])
        return HealthMonitor(pair, path=self.folder / ck.HEALTH, verbose=self.verbose)

    def images_seen(self, step: int) -> int:
        epochs, batches = divmod(step, self.per_epoch)
        partial = min(batches * self.recipe.batch_size, len(self.images))
        return epochs * len(self.images) + partial

    def train(self, extra: Sequence[keras.callbacks.Callback]) -> None:
        tf.config.experimental.enable_op_determinism()
        if self.verbose:
            print(self._headline())
        bar = [cb.Progress(self.first_step, self.total)] if self.verbose else []
        # Saving stands last: what the others wrote at this step is then part of the state.
        all_callbacks = [cb.StopOnNonFinite(), self.log, *extra, *bar, self.saving]
        if isinstance(self.gan, Replicated):
            share_state(self.gan)
        _play(self.gan, self.recipe, self.images, self.labels, all_callbacks)
        self.saving.close()

    def _headline(self) -> str:
        begin = f"resumed at step {self.first_step} of" if self.first_step else "training for"
        return (
            f"recipe {self.recipe.name}: {begin} {self.total} steps of {self.recipe.batch_size} "
            f"images, {len(self.images)} images, into {self.folder}"
        )

    def finish(self) -> None:
        """Writes the pictures, the models and, last of all, the numbers."""
        write_pictures(self.folder, self.gan.sampler, self.recipe.num_samples)
        for name, network in (
            ("generator", self.gan.sampler),
            ("discriminator", self.gan.discriminator),
        ):
            with ck.atomic_path(self.folder / f"{name}.keras") as temporary:
                network.save(temporary)
        images = self.images_seen(self.total)
        numbers = {
            "steps": self.total,
            "images": images,
            "training_seconds": round(self.log.seconds, 1),
            "images_per_second": round(images / self.log.seconds),
        }
        ck.write_json(self.folder / ck.FINISHED, numbers)


def _play(
    gan: DCGAN,
    recipe: Recipe,
    images: np.ndarray,
    labels: np.ndarray | None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> None:
    """Trains from the step at which the game is to the run's end."""
    total, per_epoch = recipe.total_steps(len(images)), recipe.steps_per_epoch(len(images))
    for first_epoch, epochs, steps in segments(int(gan.step.numpy()), total, per_epoch):
        step = int(gan.step.numpy())
        gan.fit(
            training_batches(images, recipe.batch_size, recipe.seed, step, labels),
            initial_epoch=first_epoch,
            epochs=first_epoch + epochs,
            steps_per_epoch=steps,
            callbacks=callbacks,
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
    rest = min(-step % per_epoch, total - step)
    if rest:
        parts.append((step // per_epoch, 1, rest))
        step += rest
    whole = (total - step) // per_epoch
    if whole:
        parts.append((step // per_epoch, whole, per_epoch))
        step += whole * per_epoch
    if step < total:
        parts.append((step // per_epoch, 1, total - step))
    return parts


@contextlib.contextmanager
def _signals(handler: Any) -> Iterator[None]:
    """Sends Ctrl-C, SIGTERM and SIGUSR1 to `handler` meanwhile (only the main thread may)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = ("SIGINT", "SIGTERM", "SIGUSR1")  # Windows has no SIGUSR1
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = [signal.signal(number, handler) for number in numbers]
    try:
        yield
    finally:
        for number, old in zip(numbers, before, strict=True):
            signal.signal(number, old)


def write_pictures(folder: Path, generator: keras.Model, num_samples: int) -> None:
    """Writes a run's GIF, loss plot, sample grids and a walk through latent space."""
    latent_dim = latent_dim_of(generator)
    fixed = generator_input(generator, sample_latent(num_samples, latent_dim, seed=0))
    fresh = generator_input(generator, sample_latent(100, latent_dim, seed=1))
    corners = sample_latent(11, latent_dim, seed=2)
    walks = np.concatenate([interpolate(a, b) for a, b in itertools.pairwise(corners)])
    if takes_labels(generator):  # it walks through one digit in each row
        walks = generator_input(generator, walks, np.arange(10).repeat(10))
    for name, latent in (
        ("final_samples", fixed), ("latent_samples", fresh), ("interpolation", walks),
    ):  # fmt: skip
        with ck.atomic_path(folder / f"{name}.png") as temporary:
            images = generator(latent, training=False).numpy()
            iio.imwrite(temporary, image_grid(images), extension=".png")
    with ck.atomic_path(folder / "training.gif") as temporary:
        make_gif(folder / "samples", temporary)
    with ck.atomic_path(folder / "loss_plot.png") as temporary:
        plot_losses(folder / ck.LOG).savefig(temporary, dpi=120)
    if (folder / ck.QUALITY).exists():
        with ck.atomic_path(folder / "quality_plot.png") as temporary:
            plot_quality(folder / ck.QUALITY).savefig(temporary, dpi=120)


def load_run(folder: str | Path, found: bool = True) -> TrainingRun:
    """Loads a finished run.

    Raises:
        UserError: no run there, or one that is not finished.
    """
    folder = Path(folder)
    record = ck.read_record(folder)
    if not is_finished(folder):
        raise unfinished(folder)
    return TrainingRun(
        folder=folder,
        recipe=Recipe(**record["recipe"]),
        generator=load_generator(folder),
        discriminator=load_network(folder / "discriminator.keras"),
        log=read_log(folder / ck.LOG),
        found=found,
    )


def is_finished(folder: Path) -> bool:
    """Whether a run has come to its end, and its networks are still there."""
    needed = (ck.FINISHED, "generator.keras", "discriminator.keras")
    return all((folder / name).exists() for name in needed)


def unfinished(folder: Path) -> UserError:
    """The error for a run that has not come to its end."""
    return UserError(f"run {str(folder)!r} is not finished; go on: dcgan train --resume {folder}")


def load_network(path: str | Path) -> keras.Model:
    """Loads a `.keras` file; code that it may carry is never run.

    Raises:
        UserError: it is missing or not a Keras model.
    """
    if not Path(path).is_file():
        raise UserError(f"{str(path)!r} does not exist; accepted: a run folder or a .keras file")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for a bad file
        raise UserError(f"{str(path)!r} is not a Keras model: {first_line(error)}") from None


def load_generator(path: str | Path) -> keras.Model:
    """Loads the generator of a finished run, or from a `.keras` file.

    Returns:
        A model from (batch, latent_dim), or from that and one-hot labels, to images in [-1, 1].

    Raises:
        UserError: missing, unfinished, or not a generator.
    """
    path = Path(path)
    if path.is_dir():
        ck.read_record(path)
        if not is_finished(path):
            raise unfinished(path)
        path = path / "generator.keras"
    model = load_network(path)
    inputs, outputs = (getattr(model, f"{end}_shape", None) for end in ("input", "output"))
    known = [inputs] if isinstance(inputs, tuple) else inputs  # with labels there are two
    vectors = isinstance(known, list) and len(known) in (1, 2) and all(len(k) == 2 for k in known)
    pictures = isinstance(outputs, tuple) and len(outputs) == 4 and outputs[-1] in (1, 3)
    if not (vectors and pictures):
        raise UserError(
            f"{str(path)!r} is not a generator: it goes from {inputs} to {outputs}; needed: "
            "(None, latent_dim) to (None, height, width, 1 or 3)"
        )
    return model


def save_samples(
    generator: keras.Model,
    output: str | Path,
    count: int,
    seed: int = 0,
    digit: int | None = None,
) -> None:
    """Draws `count` images from a generator into a `.png` grid or an `.npy` array.

    Raises:
        UserError: a digit asked of a generator that cannot choose, or an output that cannot be
            written.
    """
    latent = sample_latent(count, latent_dim_of(generator), seed)
    labels = None if digit is None else np.full(count, digit)
    chosen = generator_input(generator, latent, labels)
    images = generator.predict(chosen, batch_size=256, verbose=0)
    with ck.atomic_path(output) as temporary:
        if Path(output).suffix == ".npy":
            np.save(temporary, images.astype(np.float32))
        else:
            columns = 10 if takes_labels(generator) and digit is None else None
            iio.imwrite(temporary, image_grid(images, columns), extension=".png")
