"""Ends a training whose numbers are no longer numbers."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

from dcgan_lib.errors import UserError

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
        hidden, game = step - self.last_step - 1, self.model
        if not (hidden or game.simultaneous):
            first = "d" if "d" in signs else "g"
            signs = {first: signs[first]}
        when = f"at step {step}" + (f" or in the {hidden} before" if hidden else "")
        return (
            f"{' and '.join(signs.values())} {when}: the "
            f"{' and the '.join(PLAYERS[player] for player in signs)} diverged first. The last "
            "checkpoint is sound, but the same settings lead here again. A smaller learning rate "
            f"usually helps: {', '.join(f'{player}_learning_rate' for player in signs)}"
        )
