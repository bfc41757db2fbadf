"""What each player wants to make small.

Real is 1 and fake is 0, here and everywhere else. Taught in notebook 03.
"""

from __future__ import annotations

import importlib

import keras
import tensorflow as tf

from dcgan_lib.errors import UserError, first_line


class GANLoss:
    """The losses of both players. A loss of your own is a subclass of this.

    Attributes:
        threshold: the discriminator calls an image real when its output is above this.
        accuracy_counts: whether it means anything how often D is right: not so for a critic.
    """

    threshold: float = 0.0
    accuracy_counts: bool = True

    def discriminator_loss(self, real_output: tf.Tensor, fake_output: tf.Tensor) -> tf.Tensor:
        """Returns a scalar from D's outputs, (batch, 1) each, on real and on fake images."""
        raise NotImplementedError

    def generator_loss(self, fake_output: tf.Tensor) -> tf.Tensor:
        """Returns a scalar from D's output, (batch, 1), on the images that G just made."""
        raise NotImplementedError

    def penalty(self, game: keras.Model, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor | float:
        """Returns what is added to D's loss before it moves, and is not logged; by default 0."""
        return 0.0


class BinaryCrossentropyLoss(GANLoss):
    """Cross-entropy for D; for G the non-saturating loss, -log D(G(z)).

    D's loss is the loss on real plus the loss on fake images. Smoothing touches D's labels
    only: G always aims at 1.

    Args:
        from_logits: whether D's last layer is linear; else it is a sigmoid.
        real_label_smoothing: real images get the label 1 minus this, in [0, 0.5).
        fake_label_smoothing: fake images get this label, in [0, 0.5).

    Raises:
        UserError: a smoothing outside [0, 0.5).

    Source: Goodfellow et al., "Generative Adversarial Nets" (2014), section 3; one-sided
    smoothing: Salimans et al., "Improved Techniques for Training GANs" (2016), section 3.4.
    Taught in notebook 03.
    """

    def __init__(
        self,
        from_logits: bool = True,
        real_label_smoothing: float = 0.0,
        fake_label_smoothing: float = 0.0,
    ) -> None:
        for smoothing in (real_label_smoothing, fake_label_smoothing):
            if not 0.0 <= smoothing < 0.5:
                raise UserError(f"label smoothing {smoothing} is impossible; accepted: [0, 0.5)")
        self.threshold = 0.0 if from_logits else 0.5
        self.real_label = 1.0 - real_label_smoothing
        self.fake_label = fake_label_smoothing
        self.cross_entropy = keras.losses.BinaryCrossentropy(from_logits=from_logits)

    def discriminator_loss(self, real_output: tf.Tensor, fake_output: tf.Tensor) -> tf.Tensor:
        real_loss = self.cross_entropy(self.real_label * tf.ones_like(real_output), real_output)
        fake_loss = self.cross_entropy(self.fake_label * tf.ones_like(fake_output), fake_output)
        return real_loss + fake_loss

    def generator_loss(self, fake_output: tf.Tensor) -> tf.Tensor:
        return self.cross_entropy(tf.ones_like(fake_output), fake_output)


class SaturatingLoss(BinaryCrossentropyLoss):
    """Cross-entropy for D; for G what the min-max game says: log(1 - D(G(z))), made small.

    Its gradient is gone where D is sure that an image is fake: just where G has most to learn.
    Source: Goodfellow et al. (2014), equation 1. Taught in notebooks 03 and 08.
    """

    def generator_loss(self, fake_output: tf.Tensor) -> tf.Tensor:
        return -self.cross_entropy(tf.zeros_like(fake_output), fake_output)


class HingeLoss(GANLoss):
    """D wants real images above 1 and fake ones below -1, and no more; G wants a high score.

    Needs logits. Source: Lim, Ye, "Geometric GAN" (2017), section 3. Taught in notebook 09.
    """

    def discriminator_loss(self, real_output: tf.Tensor, fake_output: tf.Tensor) -> tf.Tensor:
        real_loss = tf.reduce_mean(tf.nn.relu(1.0 - real_output))
        return real_loss + tf.reduce_mean(tf.nn.relu(1.0 + fake_output))

    def generator_loss(self, fake_output: tf.Tensor) -> tf.Tensor:
        return -tf.reduce_mean(fake_output)


class WassersteinLoss(GANLoss):
    """D, here called a critic, makes the gap between real and fake scores wide; G closes it.

    Minus D's loss estimates the distance between the two distributions, if the critic's slope
    stays near 1. Needs logits. Source: Arjovsky, Chintala, Bottou, "Wasserstein GAN" (2017),
    equation 2. Taught in notebook 09.
    """

    accuracy_counts = False

    def discriminator_loss(self, real_output: tf.Tensor, fake_output: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(fake_output) - tf.reduce_mean(real_output)

    def generator_loss(self, fake_output: tf.Tensor) -> tf.Tensor:
        return -tf.reduce_mean(fake_output)


LOSSES: dict[str, type[GANLoss]] = {
    "cross_entropy": BinaryCrossentropyLoss,
    "saturating": SaturatingLoss,
    "hinge": HingeLoss,
    "wasserstein": WassersteinLoss,
}


def find_loss(name: str) -> type[GANLoss]:
    """Returns the loss of a name in `LOSSES`, or your own: `my_module:LeastSquaresLoss`.

    Raises:
        UserError: no such loss.
    """
    if name in LOSSES:
        return LOSSES[name]
    module, _, kind = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), kind) if kind else None
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"loss {name!r} cannot be imported: {first_line(error)}") from None
    if not (isinstance(found, type) and issubclass(found, GANLoss)):
        raise UserError(
            f"unknown loss {name!r}; known: {', '.join(LOSSES)}, or module:Class, where Class is a "
            "GANLoss"
        )
    return found
