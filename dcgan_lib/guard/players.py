"""Whether two networks, two optimizers and a loss make a game: asked before it is played."""

from __future__ import annotations

import operator
from typing import Any

import keras
import tensorflow as tf

from dcgan_lib.errors import UserError, first_line
from dcgan_lib.guard.networks import fits, last_activation, shapes_of
from dcgan_lib.losses import LOSSES, BinaryCrossentropyLoss, GANLoss, HingeLoss, WassersteinLoss

Optimizer = keras.optimizers.Optimizer


def check_players(
    generator: keras.Model, discriminator: keras.Model, latent_dim: int | None, labels: bool
) -> int:
    """Returns the length of the generator's latent vectors, and builds what is not yet built.

    Args:
        latent_dim: needed for a generator that does not tell it, as a subclass of `keras.Model`.
        labels: whether both networks take labels too.

    Raises:
        UserError: networks that cannot play together.
    """
    for name, network in (("generator", generator), ("discriminator", discriminator)):
        if not isinstance(network, keras.Model):
            raise UserError(f"the {name} is a {type(network).__name__}; accepted: a keras.Model")
        if network.compute_dtype == "float16" or any(
            layer.compute_dtype == "float16" for layer in network.layers
        ):
            raise UserError(
                f"the {name} computes in float16, in which small gradients vanish; accepted: the "
                "dtype policies float32 and mixed_bfloat16 (keras.config.set_dtype_policy)"
            )
    inputs = shapes_of(generator, "input")
    if inputs and (len(inputs) == 2) != labels:
        raise UserError(
            f"the generator takes {len(inputs)} inputs; accepted: latent vectors for a DCGAN, "
            "latent vectors and one-hot labels for a ConditionalDCGAN"
        )
    length = inputs[0][-1] if inputs else latent_dim
    if not length or latent_dim not in (None, length):
        raise UserError(
            f"latent_dim={latent_dim}; needed: the length of the generator's latent vectors"
            + (f", {length}" if length else ", which it does not tell: latent_dim=100, say")
        )
    check_meeting(generator, discriminator, length)
    return length


def whole_number(name: str, value: Any) -> int:
    """Returns NumPy's numbers, too, as an int; raises UserError for other things."""
    try:
        return operator.index(value)
    except TypeError:
        raise UserError(f"{name}={value!r} is impossible; accepted: a whole number") from None


def check_meeting(generator: keras.Model, discriminator: keras.Model, latent_dim: int) -> None:
    """Raises UserError unless the second network takes what the first one makes."""
    needed = "needed: DCGAN(generator, discriminator), images of one shape, one number for each"
    made, taken = shapes_of(generator, "output"), shapes_of(discriminator, "input")
    try:
        if not made:
            made = [generator(tf.zeros((1, latent_dim))).shape]
        if not taken:
            verdict = discriminator(tf.zeros((1, *made[0][1:]))).shape
    except Exception as error:  # Keras raises many kinds where shapes do not fit
        raise UserError(f"the networks do not fit ({first_line(error)}); {needed}") from None
    if taken:
        verdict = shapes_of(discriminator, "output")[0]
        if not fits(made[0], taken[0]):
            raise UserError(
                f"the generator makes {made[0][1:]}, the discriminator takes {taken[0][1:]}; "
                f"{needed}"
            )
    if verdict[-1] != 1:
        raise UserError(f"the discriminator returns {tuple(verdict[1:])}; {needed}")


def check_trainable(generator: keras.Model, discriminator: keras.Model) -> None:
    """Raises UserError if training could not move one of the networks."""
    for name, network in (("generator", generator), ("discriminator", discriminator)):
        if not network.trainable_variables:
            raise UserError(
                f"the {name} has no trainable weights (trainable={network.trainable}): it would "
                "never move. Leave it trainable: each step moves one player only"
            )


def read_optimizers(*given: Any) -> list[Optimizer]:
    """Returns the generator's and the discriminator's optimizer; strings are Keras's names.

    Raises:
        UserError: one for both, one that scales its loss, or something else.
    """
    found = []
    for name, optimizer in zip(("g_optimizer", "d_optimizer"), given, strict=True):
        try:
            optimizer = keras.optimizers.get(optimizer)
            known = isinstance(optimizer, Optimizer)
        except (ValueError, TypeError):
            known = False
        if not known:
            raise UserError(
                f"{name}={optimizer!r}; accepted: an optimizer or its name, one for each player: "
                "compile(g_optimizer='adam', d_optimizer='adam')"
            )
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            raise UserError(
                f"{name}: a LossScaleOptimizer needs its loss scaled, which a game does not do; "
                "accepted: the optimizer inside it, and mixed_bfloat16, which needs no scaling"
            )
        found.append(optimizer)
    if found[0] is found[1]:
        raise UserError("one optimizer for both players; needed: two, which remember apart")
    return found


def read_loss(loss: Any, discriminator: keras.Model) -> GANLoss:
    """Returns the loss of both players; Keras's cross-entropy, or a name, is understood.

    Raises:
        UserError: another loss, or one that does not suit the discriminator's last layer.
    """
    if isinstance(loss, str) and loss in LOSSES:
        loss = LOSSES[loss]
    if isinstance(loss, type) and issubclass(loss, GANLoss):
        loss = loss()
    if loss == "binary_crossentropy":
        loss = keras.losses.BinaryCrossentropy()
    if isinstance(loss, keras.losses.BinaryCrossentropy) and not loss.label_smoothing:
        loss = BinaryCrossentropyLoss(loss.from_logits)
    loss = BinaryCrossentropyLoss() if loss is None else loss
    if not isinstance(loss, GANLoss):
        raise UserError(
            f"loss={loss!r}; accepted: a GANLoss such as BinaryCrossentropyLoss() (which smooths "
            f"labels of each kind), {', '.join(LOSSES)}, or keras.losses.BinaryCrossentropy()"
        )
    check_verdict(loss, discriminator)
    return loss


def check_verdict(loss: GANLoss, discriminator: keras.Model) -> None:
    """Raises UserError if a loss wants logits of a sigmoid, or probabilities of a linear layer."""
    inner = getattr(loss, "loss", loss)  # a penalty has one inside
    last, kind = last_activation(discriminator), type(inner).__name__
    known = isinstance(inner, (BinaryCrossentropyLoss, HingeLoss, WassersteinLoss))
    if known and last is keras.activations.sigmoid and inner.threshold == 0.0:
        raise UserError(
            f"the discriminator ends in a sigmoid, and {kind} wants logits; accepted: a linear "
            "last layer, or BinaryCrossentropyLoss(from_logits=False)"
        )
    if known and last is keras.activations.linear and inner.threshold == 0.5:
        raise UserError(
            f"the discriminator's last layer is linear, and {kind}(from_logits=False) wants "
            "probabilities; accepted: a sigmoid there, or from_logits=True"
        )
