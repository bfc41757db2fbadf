"""Who plays a training: one device alone, or several, of this machine or of a cluster."""

from __future__ import annotations

import faulthandler
import functools
import signal
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from dcgan_lib.distributed import rendezvous
from dcgan_lib.distributed.replicas import replicate, set_state, state_of
from dcgan_lib.errors import UserError
from dcgan_lib.gan import DCGAN
from dcgan_lib.recipes import Recipe


class Solo:
    """One device. Nothing is shared, and nobody has to be asked."""

    leads = True

    def agree(self, value: int) -> int:
        """Returns the leader's number, on every machine; waits until all have come here."""
        return value

    def assist(self, play: Callable[[int], Any]) -> None:
        """Plays along on a machine that does not lead, and ends its process.

        The leader alone touches the run's folder, and goes on with what follows.

        Args:
            play: plays the start that follows so many failed ones; returns nothing if it fails too.
        """
        if self.leads:
            return
        if not self.agree(0):
            while play(self.agree(0)) is None:
                pass
            self.agree(1)  # when the leader has written the results
        raise SystemExit(0)

    def share(self, gan: DCGAN) -> DCGAN:
        """Returns the game as it is played: by all devices at once, in the leader's state."""
        return gan

    def bring_home(self, gan: DCGAN) -> None:
        """Gives the game that was shared the state in which it ended."""


class Team(Solo):
    """Several devices that share each batch."""

    def __init__(self, strategy: tf.distribute.Strategy) -> None:
        self.strategy = strategy
        self.leads = rendezvous.is_chief()

    def agree(self, value: int) -> int:
        (said,) = from_chief(self.strategy, [int(value)])
        return int(said)

    def share(self, gan: DCGAN) -> DCGAN:
        self.game = replicate(gan, self.strategy)
        set_state(self.game, from_chief(self.strategy, state_of(self.game)))
        return self.game

    def bring_home(self, gan: DCGAN) -> None:
        set_state(gan, state_of(self.game))


def gather(devices: int, recipe: Recipe, num_images: int) -> Solo:
    """Returns who plays: `devices` of this machine, or all machines that TF_CONFIG names.

    Raises:
        UserError: as `connect`; or a batch that cannot be dealt out evenly.
    """
    strategy = connect(devices)
    if strategy is None:
        return Solo()
    check_shares(recipe, num_images, strategy.num_replicas_in_sync)
    return Team(strategy)


@functools.cache  # a second strategy would collide with the first in TensorFlow's bookkeeping
def connect(devices: int = 1) -> tf.distribute.Strategy | None:
    """Returns what spreads a training over devices, or None if there is but one.

    Raises:
        UserError: this machine has fewer devices; TF_CONFIG cannot be used; a worker has not
            come within `DEADLINE` seconds.
    """
    if len(rendezvous.workers()) > 1:
        rendezvous.wait_for_all()
        if not rendezvous.is_chief() and hasattr(signal, "SIGUSR1"):
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # the chief saves and ends the job
        # Should one be lost just now, a watchdog that needs no Python ends the process.
        faulthandler.dump_traceback_later(rendezvous.DEADLINE, exit=True)
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        from_chief(strategy, [0])
        faulthandler.cancel_dump_traceback_later()
        return strategy
    if devices == 1:
        return None
    found = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
    if devices > len(found):
        raise UserError(f"devices={devices}: this machine has {len(found)}; accepted: up to that")
    return tf.distribute.MirroredStrategy([device.name for device in found[:devices]])


def check_shares(recipe: Recipe, num_images: int, count: int) -> None:
    """Raises UserError unless each batch can be dealt out evenly."""
    last = num_images % recipe.batch_size
    needed = f"cannot be dealt out to {count} devices evenly; needed: a multiple of {count}"
    if recipe.batch_size % count:
        raise UserError(f"batch_size={recipe.batch_size} {needed}")
    if last % count:
        raise UserError(
            f"the last batch of an epoch, {last} of {num_images} images, {needed} "
            "(max_images changes the last batch)"
        )


def from_chief(strategy: tf.distribute.Strategy, values: Sequence[Any]) -> list[np.ndarray]:
    """Returns, on every worker, the numbers or arrays that the chief gave."""
    mine = [tf.convert_to_tensor(value) for value in values]
    with rendezvous.lost_workers_named():
        return [tensor.numpy() for tensor in of_the_first(strategy, mine)]


@tf.function
def of_the_first(strategy: tf.distribute.Strategy, mine: list[tf.Tensor]) -> list[tf.Tensor]:
    """Adds up what all replicas give, where all but the first give zeros."""

    def given(mine: list[tf.Tensor]) -> list[tf.Tensor]:
        first = tf.distribute.get_replica_context().replica_id_in_sync_group == 0
        return [tf.where(first, tensor, tf.zeros_like(tensor)) for tensor in mine]

    kept = strategy.run(given, args=(mine,))
    return [strategy.reduce("SUM", tensor, axis=None) for tensor in kept]
