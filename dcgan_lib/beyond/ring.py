"""A toy game in the plane: eight clusters of points on a ring, where every failure can be seen.

Two tiny networks play thousands of steps in seconds. Taught in notebook 08.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from keras.optimizers import SGD, Adam

from dcgan_lib.beyond.variants import GradientPenalty
from dcgan_lib.gan import DCGAN
from dcgan_lib.guard.chance import drawing_alone
from dcgan_lib.latent import sample_latent
from dcgan_lib.losses import BinaryCrossentropyLoss, GANLoss, SaturatingLoss

MODES, RADIUS, SPREAD = 8, 2.0, 0.15

ANGLES = 2 * np.pi * np.arange(MODES) / MODES

CENTRES = np.float32(RADIUS * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1))

LATENT_DIM = 8


def sample_ring(count: int, seed: int = 0) -> np.ndarray:
    """Draws real points, float32 (count, 2): a random centre each, and a random step from it."""
    draw = np.random.Generator(np.random.Philox(key=seed))
    which = draw.integers(0, MODES, count)
    return CENTRES[which] + SPREAD * draw.standard_normal((count, 2), dtype=np.float32)


def ring_network(inputs: int, outputs: int, slope: float = 0.2) -> keras.Sequential:
    """Builds two hidden Dense layers of 64, from (batch, inputs) to (batch, outputs)."""
    hidden = [layers.Dense(64), layers.LeakyReLU(slope), layers.Dense(64), layers.LeakyReLU(slope)]
    return keras.Sequential([keras.Input((inputs,)), *hidden, layers.Dense(outputs)])


class SwappedLoss(BinaryCrossentropyLoss):
    """A mistake: to the discriminator real is 0 and fake 1; the generator still aims at 1."""

    def discriminator_loss(self, real_output: tf.Tensor, fake_output: tf.Tensor) -> tf.Tensor:
        return super().discriminator_loss(fake_output, real_output)


class FrozenNoiseDCGAN(DCGAN):
    """A mistake: NumPy draws once, while the graph is traced, and never again."""

    def latent_noise(self, like: tf.Tensor, stream: str, move: int = 0) -> tf.Tensor:
        draw = np.random.default_rng(self.seed)
        return tf.constant(draw.standard_normal((like.shape[0], self.latent_dim), np.float32))


RATES = {"g_rate": 3e-3, "d_rate": 3e-3}

SICK: dict[str, dict[str, Any]] = {
    "discriminator wins": {"g_rate": 1e-5, "d_rate": 1e-2},
    "vanishing gradient": {"g_sgd": 0.02, "d_rate": 1e-2, "start": 5.0, "loss": SaturatingLoss},
    "mode collapse": {"g_rate": 1e-4, "d_rate": 1e-2},
    "oscillation": {"g_rate": 3e-3, "d_rate": 3e-4},
    "rates too high": {"g_rate": 0.1, "d_rate": 0.1},
    "labels swapped": {**RATES, "loss": SwappedLoss},
    "the same noise": {**RATES, "kind": FrozenNoiseDCGAN},
}

CURED = {name: dict(RATES) for name in SICK} | {
    "vanishing gradient": {**SICK["vanishing gradient"], "loss": BinaryCrossentropyLoss},
    "mode collapse": {**SICK["mode collapse"], "gradient_penalty": 1.0},
}


def build_ring_gan(
    g_rate: float = 3e-3,
    d_rate: float = 3e-3,
    loss: type[GANLoss] = BinaryCrossentropyLoss,
    seed: int = 0,
    kind: type[DCGAN] = DCGAN,
    gradient_penalty: float = 0.0,
    g_sgd: float = 0.0,
    start: float = 0.0,
) -> DCGAN:
    """Builds and compiles the game on the ring; by default it goes well.

    Args:
        g_rate, d_rate: of Adam.
        kind: another class than `DCGAN`.
        gradient_penalty: the weight of a penalty that is added to the loss.
        g_sgd: above 0, the generator moves by plain gradient descent at this rate.
        start: how far to the right of the ring's middle the generator's points begin.
    """
    with drawing_alone(seed):
        gan = kind(ring_network(LATENT_DIM, 2, 0.0), ring_network(2, 1), seed=seed)
    gan.generator.layers[-1].bias.assign([start, 0.0])
    gan.compile(
        g_optimizer=SGD(g_sgd) if g_sgd else Adam(g_rate, beta_1=0.5),
        d_optimizer=Adam(d_rate, beta_1=0.5),
        loss=GradientPenalty(loss(), gradient_penalty) if gradient_penalty else loss(),
        steps_per_execution=25,  # Keras leaves TensorFlow's graph only so often: much faster
    )
    return gan


def train_ring(
    gan: DCGAN,
    steps: int = 1000,
    looks: int = 4,
    batch_size: int = 128,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> tuple[dict[int, np.ndarray], dict[str, list[float]]]:
    """Trains, and looks `looks` times, at equal distances, at 1,000 points from fixed noise.

    Returns:
        The points (1000, 2) by their steps, step 0 included, and Keras's history, whose values
        are means over the steps between two looks.
    """
    points = sample_ring(64 * batch_size).reshape(64, batch_size, 2)
    noise = sample_latent(1000, LATENT_DIM, seed=1)
    seen = {int(gan.step): gan.generator(noise).numpy()}

    def remember(epoch: int, logs: Any) -> None:
        seen[int(gan.step)] = gan.generator(noise).numpy()

    history = gan.fit(
        tf.data.Dataset.from_tensor_slices(points).repeat(),
        epochs=looks,
        steps_per_epoch=steps // looks,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=remember), *callbacks],
        shuffle=False,
        verbose=0,
    )
    return seen, history.history


class RingScore(NamedTuple):
    """How many of the eight modes are covered, and which share of the points is good."""

    modes: int
    good: float


def nearest_centre(points: np.ndarray) -> np.ndarray:
    """Returns the number of the mode that each point, (N, 2), is nearest to."""
    return np.linalg.norm(points[:, np.newaxis] - CENTRES, axis=-1).argmin(axis=1)


def ring_score(points: np.ndarray) -> RingScore:
    """Scores points (N, 2): good is what lies within three spreads of a centre.

    A mode counts as covered when one point in a hundred is good and belongs to it.
    """
    modes = nearest_centre(points)
    good = np.linalg.norm(points - CENTRES[modes], axis=-1) < 3 * SPREAD
    counts = np.bincount(modes[good], minlength=MODES)
    return RingScore(int((counts >= len(points) / 100).sum()), float(good.mean()))


def plot_ring(
    panels: Mapping[Any, np.ndarray], title: str = "", limit: float = 3.5, columns: int = 5
):
    """Draws sets of points (green) on real ones (black), a panel for each.

    Args:
        panels: points (N, 2) by their titles; a number is taken for a step.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    rows = math.ceil(len(panels) / columns)
    columns = min(columns, len(panels))
    size = (2.2 * columns, 2.45 * rows + 0.3 * bool(title))
    figure = plt.figure(figsize=size, layout="constrained")
    real = sample_ring(300, seed=1)
    for place, (name, points) in enumerate(panels.items(), start=1):
        axis = figure.add_subplot(rows, columns, place)
        axis.scatter(*real.T, s=4, color="black", linewidths=0)
        axis.scatter(*points[:300].T, s=5, color="limegreen", linewidths=0)
        axis.set(xticks=[], yticks=[], xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal")
        axis.set_title(f"step {name}" if isinstance(name, int) else name, fontsize=10)
    figure.suptitle(title)
    plt.close(figure)
    return figure


def dirac_path(simultaneous: bool = True, penalty: float = 0.0) -> np.ndarray:
    """Plays the smallest GAN: the only real value is 0, G is a number, D is a slope.

    Both play for the min-max loss, by 500 steps of plain gradient descent.

    Args:
        simultaneous: both move after one look; else D moves first, and G sees it.
        penalty: pulls D's slope towards 0 at the real value.

    Returns:
        (501, 2): G and D, which begin at (1, 0).

    Source: Mescheder, Geiger, Nowozin, "Which Training Methods for GANs do actually
    Converge?" (2018), section 2.
    """
    path, rate = [(1.0, 0.0)], 0.1
    for _ in range(500):
        g, d = path[-1]
        moved = d - rate * (g / (1 + np.exp(-g * d)) + penalty * d)
        seen = d if simultaneous else moved
        path.append((g + rate * seen / (1 + np.exp(-g * seen)), moved))
    return np.array(path)
