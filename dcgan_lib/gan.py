"""The game: a Keras model whose training step lets two networks play against each other.

Taught in notebook 04.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from dcgan_lib.guard.model import GameModel
from dcgan_lib.guard.networks import copy_network, seed_generators
from dcgan_lib.guard.players import check_players, read_loss, read_optimizers, whole_number
from dcgan_lib.losses import GANLoss

METRICS = ("d_loss", "g_loss", "d_accuracy_real", "d_accuracy_fake")

STREAMS = {"d_noise": 0, "g_noise": 1, "image_noise": 2}

NORMAL = tf.random.stateless_normal
DROPOUT_DRAWS = 1024  # more than one training step ever makes


@keras.saving.register_keras_serializable("dcgan_lib")
class DCGAN(GameModel):
    """A generator and a discriminator, trained against each other by `fit`.

    `compile` it with two optimizers and a loss, then `fit` it on batches of real images.
    All random numbers are drawn from (seed, step): a run can be repeated, and resumed, bit
    for bit. Called on latent vectors (batch, latent_dim), it returns images (batch,
    height, width, channels) in [-1, 1].

    Args:
        generator: from (batch, latent_dim) to images in [-1, 1].
        discriminator: from images to (batch, 1).
        d_steps, g_steps: how often each player moves per batch.
        simultaneous: both move after one forward pass, if each moves once per batch.
        real_noise_stddev: Gaussian noise added to real images, in units of [-1, 1].
        ema_decay: of the average of the generator's weights that samples are drawn with;
            0 is off.
        seed: for noise and Dropout.
        latent_dim: of a generator that does not tell it, such as a subclass of `keras.Model`.

    Raises:
        UserError: networks that cannot play together.

    Source: Goodfellow et al., "Generative Adversarial Nets" (2014), algorithm 1. Taught in
    notebook 04.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        d_steps: int = 1,
        g_steps: int = 1,
        simultaneous: bool = False,
        real_noise_stddev: float = 0.0,
        ema_decay: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.latent_dim = check_players(
            generator, discriminator, self.latent_dim, self.takes_labels
        )
        self.generator = generator
        self.discriminator = discriminator
        self.d_steps = d_steps
        self.g_steps = g_steps
        self.simultaneous = simultaneous and d_steps == g_steps == 1
        self.real_noise_stddev = real_noise_stddev
        self.ema_decay = ema_decay
        self.seed = whole_number("seed", seed)
        self.sampler = copy_network(generator) if ema_decay else generator
        self.step = self.add_weight(
            name="step", dtype="int64", initializer="zeros", trainable=False
        )
        self.epoch_metrics = [keras.metrics.Mean(name=name) for name in METRICS]
        self.interval_metrics = [keras.metrics.Mean(name=name) for name in METRICS]
        self.built = True

    def compile(
        self,
        g_optimizer: keras.optimizers.Optimizer | str | None = None,
        d_optimizer: keras.optimizers.Optimizer | str | None = None,
        loss: GANLoss | None = None,
        **kwargs: Any,
    ) -> None:
        """Sets both optimizers and the loss (by default the non-saturating cross-entropy).

        Other arguments go to `keras.Model.compile`, for example `run_eagerly`. Keras's names
        (`"adam"`), its `BinaryCrossentropy` and its examples' `loss_fn` are understood.

        Raises:
            UserError: what cannot work together.
        """
        g_optimizer, d_optimizer = read_optimizers(g_optimizer, d_optimizer)
        loss = read_loss(kwargs.pop("loss_fn", loss), self.discriminator)
        kwargs.setdefault("jit_compile", False)  # "auto" would mean another program on a GPU
        super().compile(optimizer=None, **kwargs)
        self.g_optimizer = g_optimizer
        self.d_optimizer = d_optimizer
        self.gan_loss = loss
        # Built now: an optimizer without variables is skipped when a checkpoint is read.
        g_optimizer.build(self.generator.trainable_variables)
        d_optimizer.build(self.discriminator.trainable_variables)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """What Keras shows, and sets back at the beginning of each epoch."""
        return self.epoch_metrics

    def call(self, latent: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.sampler(latent, training=training)

    def train_step(self, real: tf.Tensor) -> dict[str, tf.Tensor]:
        """Plays one round on a batch of real images: p moves of D, then k moves of G."""
        self.set_dropout_seeds()
        if self.simultaneous:
            results = self.joint_step(real)
        else:
            results = {}
            for i in range(self.d_steps):
                results |= self.d_step(real, self.latent_noise(real, "d_noise", i))
            for i in range(self.g_steps):
                results |= self.g_step(self.latent_noise(real, "g_noise", i))
        self.average_generator()
        self.step.assign_add(1)
        return self.update_metrics(results)

    def d_step(self, real: tf.Tensor, noise: tf.Tensor) -> dict[str, tf.Tensor]:
        """Moves the discriminator: up on real images, down on fake ones."""
        with untouched(self.generator):
            fake = self.draw(noise)
        with tf.GradientTape() as tape:
            # Two batches, not one mixed: BatchNorm must see what it will see later.
            real_output = self.discriminator(self.noisy(real), training=True)
            fake_output = self.discriminator(fake, training=True)
            loss = self.gan_loss.discriminator_loss(real_output, fake_output)
            total = loss + self.gan_loss.penalty(self, real, fake)
        apply_gradients(tape, total, self.discriminator, self.d_optimizer)
        return self.verdicts(real_output, fake_output) | {"d_loss": loss}

    def g_step(self, noise: tf.Tensor) -> dict[str, tf.Tensor]:
        """Moves the generator to where the discriminator would have said "real"."""
        with tf.GradientTape() as tape, untouched(self.discriminator):
            fake_output = self.discriminator(self.draw(noise), training=True)
            loss = self.gan_loss.generator_loss(fake_output)
        apply_gradients(tape, loss, self.generator, self.g_optimizer)
        return {"g_loss": loss}

    def joint_step(self, real: tf.Tensor) -> dict[str, tf.Tensor]:
        """Moves both players after one look at the same images."""
        noise = self.latent_noise(real, "g_noise")
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            fake = self.draw(noise)
            real_output = self.discriminator(self.noisy(real), training=True)
            fake_output = self.discriminator(fake, training=True)
            g_loss = self.gan_loss.generator_loss(fake_output)
            d_loss = self.gan_loss.discriminator_loss(real_output, fake_output)
            total = d_loss + self.gan_loss.penalty(self, real, fake)
        apply_gradients(g_tape, g_loss, self.generator, self.g_optimizer)
        apply_gradients(d_tape, total, self.discriminator, self.d_optimizer)
        return self.verdicts(real_output, fake_output) | {"g_loss": g_loss, "d_loss": d_loss}

    def draw(self, noise: tf.Tensor) -> tf.Tensor:
        """Returns what the generator makes of noise, as the discriminator takes it."""
        return self.generator(noise, training=True)

    def latent_noise(self, like: tf.Tensor, stream: str, move: int = 0) -> tf.Tensor:
        """Draws as many latent vectors as the batch `like` has images."""
        return self.random(like, (self.latent_dim,), self.random_seed(stream, move))

    def noisy(self, real: tf.Tensor) -> tf.Tensor:
        """Adds the recipe's noise, if any, to real images: the same in each move of a step."""
        if not self.real_noise_stddev:
            return real
        noise = self.random(real, real.shape[1:], self.random_seed("image_noise"))
        return real + self.real_noise_stddev * noise

    def random(
        self, like: tf.Tensor, shape: Sequence[int], seed: tf.Tensor, draw: Any = NORMAL
    ) -> tf.Tensor:
        """Draws numbers of a shape for each image of the batch `like`, decided by the seed."""
        return draw((tf.shape(like)[0], *shape), seed)

    def random_seed(self, stream: str, move: int = 0) -> tf.Tensor:
        """Returns the seed of one draw: another for each run, step, use and move."""
        run_and_step = tf.stack([tf.constant(self.seed, tf.int64), self.step.value])
        return tf.random.fold_in(run_and_step, len(STREAMS) * move + STREAMS[stream])

    def set_dropout_seeds(self) -> None:
        """Sets Dropout's counters from (seed, step), because a layer cannot see the step."""
        networks = self.discriminator, self.generator
        for i, generator in enumerate(itertools.chain(*map(seed_generators, networks))):
            state = tf.stack([tf.constant(self.seed + i, tf.int64), self.step * DROPOUT_DRAWS])
            generator.state.assign(tf.cast(state, generator.state.dtype))

    def average_generator(self) -> None:
        """Moves the averaged generator a little towards the present one.

        BatchNorm's moving statistics are averaged too: they belong to the weights. The first
        steps decay faster, so that the random beginning is soon forgotten.
        """
        if self.sampler is not self.generator:
            step = tf.cast(self.step.value, tf.float32)
            decay = tf.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
            for average, weight in zip(self.sampler.weights, self.generator.weights, strict=True):
                average.assign_add((1.0 - decay) * (weight - average))

    def verdicts(self, real_output: tf.Tensor, fake_output: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns the shares of real and of fake images that D got right."""
        real = real_output > self.gan_loss.threshold
        fake = fake_output > self.gan_loss.threshold
        return {
            "d_accuracy_real": tf.reduce_mean(tf.cast(real, tf.float32)),
            "d_accuracy_fake": 1.0 - tf.reduce_mean(tf.cast(fake, tf.float32)),
        }

    def update_metrics(self, results: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Takes one step's results into the means over the epoch and over the log's interval."""
        for metric in (*self.epoch_metrics, *self.interval_metrics):
            metric.update_state(results[metric.name])
        return {metric.name: metric.result() for metric in self.epoch_metrics}


def apply_gradients(
    tape: tf.GradientTape,
    loss: tf.Tensor,
    network: keras.Model,
    optimizer: keras.optimizers.Optimizer,
) -> None:
    """Moves the weights of `network`, and of nothing else, downhill on `loss`."""
    variables = network.trainable_variables
    gradients = tape.gradient(loss, variables)
    optimizer.apply(gradients, variables)


@contextlib.contextmanager
def untouched(network: keras.Model) -> Iterator[None]:
    """Puts BatchNorm's moving statistics back as they were.

    The other player's step runs this network in training mode, but must not change it.
    """
    before = [tf.identity(variable.value) for variable in network.non_trainable_weights]
    yield
    for variable, value in zip(network.non_trainable_weights, before, strict=True):
        variable.assign(value)


def state_variables(gan: DCGAN) -> list[keras.Variable]:
    """Returns every variable that the next step depends on, or that the log is made of."""
    networks = [gan.generator, gan.discriminator]
    if gan.sampler is not gan.generator:
        networks.append(gan.sampler)
    variables = [variable for network in networks for variable in network.weights]
    variables += gan.g_optimizer.variables + gan.d_optimizer.variables + [gan.step]
    for metric in gan.epoch_metrics + gan.interval_metrics:
        variables += metric.variables
    return variables
