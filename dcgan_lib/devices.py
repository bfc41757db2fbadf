"""One training on several devices: GPUs of one machine, or machines of a cluster.

Every device plays `train_step` as it is on its share of the batch. The random numbers are those
of the whole batch, of which each device takes its share; BatchNorm sees the whole batch;
gradients are averaged. So the result is that of one device, up to rounding.
"""

from __future__ import annotations

import contextlib
import copy
import faulthandler
import functools
import json
import os
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dcgan_lib.checkpoints import state_variables
from dcgan_lib.errors import UserError
from dcgan_lib.gan import DCGAN, METRICS
from dcgan_lib.losses import GANLoss
from dcgan_lib.recipes import Recipe

DEADLINE = 300.0  # seconds in which all workers must have come


class Replicated:
    """Mixed into a `DCGAN`: its steps are played by all devices of a strategy at once."""

    strategy: tf.distribute.Strategy

    def train_step(self, real_images: Any) -> dict[str, tf.Tensor]:
        """Plays one round, on one device, with this device's share of the whole batch."""
        return super().train_step(share(real_images))

    def latent_noise(self, like: Any, stream: str, move: int = 0) -> Any:
        return share(super().latent_noise(whole(like), stream, move))

    def noisy(self, real_images: tf.Tensor) -> tf.Tensor:
        return share(super().noisy(whole(real_images)))

    def mixing_shares(self, real_images: tf.Tensor) -> tf.Tensor:
        return share(super().mixing_shares(whole(real_images)))

    def update_metrics(self, results: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Leaves the metrics alone: no device knows the results of the others."""
        return results

    @functools.cached_property
    def step_of_all(self) -> Any:
        """One step of all devices, from the whole batch to the results' means."""

        @tf.function
        def step_of_all(real_images: Any) -> dict[str, tf.Tensor]:
            results = self.strategy.run(self.train_step, args=(real_images,))
            return {name: self.strategy.reduce("MEAN", results[name], None) for name in METRICS}

        return step_of_all

    @functools.cached_property
    def count(self) -> Any:
        """Takes the means into the metrics, which only this process has."""
        return tf.function(super().update_metrics)

    def fit(
        self,
        batches: tf.data.Dataset,
        initial_epoch: int,
        epochs: int,
        steps_per_epoch: int,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        **others: Any,
    ) -> None:
        """Does what `keras.Model.fit` does, which cannot train on several machines.

        Raises:
            UserError: a worker was lost.
        """
        listeners = keras.callbacks.CallbackList(
            list(callbacks), model=self, epochs=epochs, steps=steps_per_epoch
        )
        stream = iter(batches)
        listeners.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            for metric in self.epoch_metrics:
                metric.reset_state()
            listeners.on_epoch_begin(epoch)
            for batch in range(steps_per_epoch):
                with lost_workers_named():
                    logs = self.count(self.step_of_all(next(stream)))
                listeners.on_train_batch_end(batch, logs)
            listeners.on_epoch_end(epoch, logs)
        listeners.on_train_end()


class SharedDropout(layers.Dropout):
    """Dropout whose mask is a share of the one that a single device would draw."""

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        return share(super().call(whole(inputs), training=training))


def share(batch: Any) -> Any:
    """Returns this device's rows of a batch, or of each of several."""
    context = tf.distribute.get_replica_context()

    def rows(tensor: tf.Tensor) -> tf.Tensor:
        size = tf.shape(tensor)[0] // context.num_replicas_in_sync
        first = context.replica_id_in_sync_group * size
        return tensor[first : first + size]

    return tf.nest.map_structure(rows, batch)


def whole(batch: Any) -> Any:
    """Returns something as large as the whole batch, in which this device's rows are right."""
    count = tf.distribute.get_replica_context().num_replicas_in_sync
    return tf.nest.map_structure(lambda tensor: tf.concat([tensor] * count, axis=0), batch)


def replicate(gan: DCGAN, strategy: tf.distribute.Strategy) -> DCGAN:
    """Returns the same game, in the same state, to be played by all devices of a strategy."""
    kind = type(f"Replicated{type(gan).__name__}", (Replicated, type(gan)), {})
    settings = gan.get_config()
    del settings["generator"], settings["discriminator"]
    with strategy.scope():
        networks = [replicable(gan.generator), replicable(gan.discriminator)]
        game = kind(*networks, **settings)
        game.compile(same(gan.g_optimizer), same(gan.d_optimizer), undivided(gan.gan_loss))
    game.strategy = strategy
    # Made anew outside the scope: reading a metric must not need the other machines.
    game.epoch_metrics = [keras.metrics.Mean(name=name) for name in METRICS]
    game.interval_metrics = [keras.metrics.Mean(name=name) for name in METRICS]
    for optimizer in (game.g_optimizer, game.d_optimizer):
        # Keras sums the gradients of all devices after dividing them by this.
        optimizer.loss_scale_factor = float(strategy.num_replicas_in_sync)
    copy_state(gan, game)
    return game


def replicable(network: keras.Model) -> keras.Model:
    """Returns a copy whose BatchNorm and Dropout act on the whole batch."""

    def clone(layer: layers.Layer) -> layers.Layer:
        if isinstance(layer, keras.Model):
            return replicable(layer)
        config = layer.get_config()
        if isinstance(layer, layers.BatchNormalization):
            return layers.BatchNormalization.from_config(config | {"synchronized": True})
        kind = SharedDropout if isinstance(layer, layers.Dropout) else type(layer)
        return kind.from_config(config)

    return keras.models.clone_model(network, clone_function=clone)


def undivided(loss: GANLoss) -> GANLoss:
    """Returns the loss without Keras's own division by the number of devices.

    Our losses are means over a device's share; the optimizers average over the devices.
    """
    result = copy.copy(loss)
    for name, part in vars(loss).items():
        if isinstance(part, keras.losses.Loss):
            each = type(part).from_config(part.get_config() | {"reduction": None})
            setattr(result, name, functools.partial(mean_of, each))
    return result


def mean_of(loss: keras.losses.Loss, target: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(loss(target, output))


def same(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Returns a new optimizer with the same settings."""
    return type(optimizer).from_config(optimizer.get_config())


def copy_state(source: DCGAN, target: DCGAN) -> None:
    """Gives `target` the weights, optimizers, step and metrics of `source`."""
    for old, new in zip(state_variables(source), state_variables(target), strict=True):
        new.assign(old.numpy())


# --- several machines: TF_CONFIG, which hpc/multi_node.sbatch sets, says who they are


def workers() -> list[str]:
    """Returns the addresses of all workers; none without TF_CONFIG."""
    return _cluster()[0]


def is_chief() -> bool:
    """Tells whether this process is the one that reads and writes the run's files."""
    return _cluster()[1] == 0


def _cluster() -> tuple[list[str], int]:
    text = os.environ.get("TF_CONFIG")
    if not text:
        return [], 0
    try:
        content = json.loads(text)
        addresses, number = content["cluster"]["worker"], int(content["task"]["index"])
        addresses[number]
    except (ValueError, KeyError, TypeError, IndexError):
        raise UserError(
            f"TF_CONFIG={text!r} is not usable; needed: cluster.worker, a list of host:port, "
            "and task.index, this process's place in it"
        ) from None
    return list(addresses), number


@functools.cache  # a second strategy would collide with the first in TensorFlow's bookkeeping
def connect(devices: int = 1) -> tf.distribute.Strategy | None:
    """Returns what spreads a training over devices, or None if there is but one.

    Raises:
        UserError: this machine has fewer devices; TF_CONFIG cannot be used; a worker has not
            come within `DEADLINE` seconds.
    """
    if len(workers()) > 1:
        wait_for_all()
        if not is_chief():
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # the chief saves and ends the job
        # Should one be lost just now, a watchdog that needs no Python ends the process.
        faulthandler.dump_traceback_later(DEADLINE, exit=True)
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        from_chief(strategy, [0])
        faulthandler.cancel_dump_traceback_later()
        return strategy
    if devices < 1:
        raise UserError(f"devices={devices} is impossible; accepted: a number above 0")
    if devices == 1:
        return None
    names = [d.name for d in tf.config.list_logical_devices("GPU")]
    names = names or [d.name for d in tf.config.list_logical_devices("CPU")]
    if devices > len(names):
        raise UserError(f"devices={devices}: this machine has {len(names)}; accepted: up to that")
    return tf.distribute.MirroredStrategy(names[:devices])


def check_shares(recipe: Recipe, num_images: int, strategy: tf.distribute.Strategy) -> None:
    """Raises UserError unless each batch can be dealt out evenly."""
    count, last = strategy.num_replicas_in_sync, num_images % recipe.batch_size
    needed = f"cannot be dealt out to {count} devices evenly; needed: a multiple of {count}"
    if recipe.batch_size % count:
        raise UserError(f"batch_size={recipe.batch_size} {needed}")
    if last % count:
        raise UserError(
            f"the last batch of an epoch, {last} of {num_images} images, {needed} "
            "(max_images changes the last batch)"
        )


def wait_for_all() -> None:
    """Returns when all workers have come: TensorFlow would wait for ever.

    The chief listens at its address, which TensorFlow uses only afterwards; the others call.

    Raises:
        UserError: somebody has not come within `DEADLINE` seconds.
    """
    addresses, number = _cluster()
    host, port = addresses[0].rsplit(":", 1)
    end = time.monotonic() + DEADLINE
    missing = _call(host, int(port), number, end) if number else _listen(int(port), end)
    if missing:
        names = ", ".join(addresses[i] for i in sorted(missing))
        who = names if number == 0 else f"{names}, or another worker,"
        raise UserError(
            f"{who} did not come within {DEADLINE:g} s; look at its log, then give the same "
            "command again"
        )


def _listen(port: int, end: float) -> set[int]:
    missing = set(range(1, len(workers())))
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("", port)))
        calls = []
        while missing and (left := end - time.monotonic()) > 0:
            server.settimeout(left)
            with contextlib.suppress(OSError):
                calls.append(stack.enter_context(server.accept()[0]))
                calls[-1].settimeout(min(left, 5.0))  # a worker says its number at once
                missing -= set(calls[-1].recv(1))
        for call in calls if not missing else []:
            with contextlib.suppress(OSError):
                call.sendall(b"!")
                call.recv(1)  # the caller hangs up first, so that the port is free at once
    return missing


def _call(host: str, port: int, number: int, end: float) -> set[int]:
    while (left := end - time.monotonic()) > 0:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((host, port), timeout=left) as call,
        ):
            call.sendall(bytes([number]))
            if call.recv(1):
                return set()
        time.sleep(0.2)
    return {0}


@contextlib.contextmanager
def lost_workers_named() -> Iterator[None]:
    """Turns the error that a lost worker causes into one line."""
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError):
        if not workers():
            raise
        raise UserError(
            "a worker was lost: its own output says why. Give the same command again: the run "
            "goes on from its last checkpoint"
        ) from None


def from_chief(strategy: tf.distribute.Strategy, values: Sequence[Any]) -> list[np.ndarray]:
    """Returns, on every worker, the numbers or arrays that the chief gave."""

    def only_the_first(mine: list[tf.Tensor]) -> list[tf.Tensor]:
        first = tf.distribute.get_replica_context().replica_id_in_sync_group == 0
        return [tf.where(first, tensor, tf.zeros_like(tensor)) for tensor in mine]

    @tf.function
    def add_up(mine: list[tf.Tensor]) -> list[tf.Tensor]:
        kept = strategy.run(only_the_first, args=(mine,))
        return [strategy.reduce("SUM", tensor, axis=None) for tensor in kept]

    with lost_workers_named():
        return [tensor.numpy() for tensor in add_up([tf.convert_to_tensor(v) for v in values])]


def share_state(gan: DCGAN) -> None:
    """Gives all workers the chief's weights, optimizers, step and metrics."""
    variables = state_variables(gan)
    for variable, value in zip(
        variables, from_chief(gan.strategy, [v.numpy() for v in variables]), strict=True
    ):
        variable.assign(value)
