"""One training on several devices: GPUs of one machine, or machines of a cluster.

Every device plays `train_step` as it is on its share of the batch. The random numbers are those
of the whole batch, of which each device takes its share; BatchNorm sees the whole batch;
gradients are averaged. So the result is that of one device, up to rounding.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dcgan_lib.beyond.augmentation import Augmentation
from dcgan_lib.distributed.rendezvous import lost_workers_named, workers
from dcgan_lib.errors import UserError
from dcgan_lib.gan import DCGAN, METRICS, state_variables
from dcgan_lib.guard.chance import drawing_alone
from dcgan_lib.losses import GANLoss
from dcgan_lib.networks import MinibatchStddev


class Replicated:
    """Mixed into a `DCGAN`: its steps are played by all devices of a strategy at once."""

    many_devices = True

    def train_step(self, real: Any) -> dict[str, tf.Tensor]:
        """Plays one round, on one device, with this device's share of the whole batch."""
        return super().train_step(own_rows(real))

    def random(self, like: tf.Tensor, *others: Any) -> tf.Tensor:
        return own_rows(super().random(whole(like), *others))

    def update_metrics(self, results: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Leaves the metrics alone: no device knows the results of the others."""
        return results

    @tf.function
    def step_of_all(self, real: Any) -> dict[str, tf.Tensor]:
        """Plays one step on all devices; returns the means of their results."""
        results = self.distribute_strategy.run(self.train_step, args=(real,))
        mean = functools.partial(self.distribute_strategy.reduce, "MEAN", axis=None)
        return {name: mean(results[name]) for name in METRICS}

    @tf.function
    def count(self, means: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Takes the means into the metrics, which only this process has."""
        return super().update_metrics(means)

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
            UserError: a worker was lost, or a callback stopped a training of several machines.
        """
        listeners = keras.callbacks.CallbackList(
            list(callbacks), model=self, epochs=epochs, steps=steps_per_epoch
        )
        stream = iter(batches)
        self.stop_training = False
        listeners.on_train_begin()
        for epoch in range(initial_epoch, epochs):
            self.reset_metrics()
            listeners.on_epoch_begin(epoch)
            for batch in range(steps_per_epoch):
                with lost_workers_named():
                    logs = self.count(self.step_of_all(next(stream)))
                listeners.on_train_batch_end(batch, logs)
                if self.stop_training:
                    break
            listeners.on_epoch_end(epoch, logs)
            if self.stop_training:
                break
        listeners.on_train_end()
        if self.stop_training and len(workers()) > 1:  # the other machines were not asked
            raise UserError("a callback cannot stop a training that several machines share")


class SharedDropout(layers.Dropout):
    """Dropout whose mask is a share of the one that a single device would draw."""

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        return own_rows(super().call(whole(inputs), training=training))


class SharedAugmentation(Augmentation):
    """Changes of which a single device would draw all."""

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape  # told: a network is put together where there is no device to ask

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        return own_rows(super().call(whole(images), training=training))


class SharedStddev(MinibatchStddev):
    """The standard deviation over the images of all devices."""

    synchronized = True


def own_rows(batch: Any) -> Any:
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
    with drawing_alone(), strategy.scope():
        networks = [replicable(gan.generator), replicable(gan.discriminator)]
        game = kind(*networks, **settings)
        game.compile(unused(gan.g_optimizer), unused(gan.d_optimizer), undivided(gan.gan_loss))
    # Made again outside the scope: reading a metric must not need the other machines.
    game.epoch_metrics = [keras.metrics.Mean(name=name) for name in METRICS]
    game.interval_metrics = [keras.metrics.Mean(name=name) for name in METRICS]
    for optimizer in (game.g_optimizer, game.d_optimizer):
        # Keras sums the gradients of all devices after dividing them by this.
        optimizer.loss_scale_factor = float(strategy.num_replicas_in_sync)
    set_state(game, state_of(gan))
    return game


def replicable(network: keras.Model) -> keras.Model:
    """Returns a copy whose BatchNorm and Dropout act on the whole batch."""

    def clone(layer: layers.Layer) -> layers.Layer:
        config = layer.get_config()
        if isinstance(layer, layers.BatchNormalization):
            return layers.BatchNormalization.from_config(config | {"synchronized": True})
        kinds = {layers.Dropout: SharedDropout, MinibatchStddev: SharedStddev}
        kinds[Augmentation] = SharedAugmentation
        return kinds.get(type(layer), type(layer)).from_config(config)

    return keras.models.clone_model(network, clone_function=clone, recursive=True)


def undivided(loss: GANLoss) -> GANLoss:
    """Returns the loss without Keras's own division by the number of devices.

    Our losses are means over a device's share; the optimizers average over the devices.
    """
    result = copy.copy(loss)
    for name, part in vars(loss).items():
        if isinstance(part, GANLoss):
            setattr(result, name, undivided(part))
        if isinstance(part, keras.losses.Loss):
            each = type(part).from_config(part.get_config() | {"reduction": None})
            setattr(result, name, functools.partial(mean_of, each))
    return result


def mean_of(loss: keras.losses.Loss, target: tf.Tensor, output: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(loss(target, output))


def unused(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Returns a new optimizer with the same settings."""
    return type(optimizer).from_config(optimizer.get_config())


def state_of(gan: DCGAN) -> list[np.ndarray]:
    """Returns the weights, optimizers, step and metrics of a game."""
    return [variable.numpy() for variable in state_variables(gan)]


def set_state(gan: DCGAN, state: list[np.ndarray]) -> None:
    for variable, value in zip(state_variables(gan), state, strict=True):
        variable.assign(value)
