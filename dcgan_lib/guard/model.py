"""The Keras side of a game: what `fit`, `evaluate`, `save` and `export` mean for two networks."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import tensorflow as tf

from dcgan_lib.errors import UserError
from dcgan_lib.guard.batches import as_form, look, prepare, steps_of
from dcgan_lib.guard.loss_config import loss_config, loss_from
from dcgan_lib.guard.players import check_trainable

SETTINGS = "d_steps g_steps simultaneous real_noise_stddev ema_decay seed latent_dim".split()

ONE_OPTIMIZER = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)


class GameModel(keras.Model):
    """A `keras.Model` of a generator and a discriminator; `DCGAN` adds how they play."""

    takes_labels = False
    may_end = False  # whether nobody knows how many batches `fit` was given
    many_devices = False  # whether the steps are made for a strategy's devices

    def __init__(self, latent_dim: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.latent_dim = latent_dim
        check_alone(self)

    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """Does what `keras.Model.fit` does, once the data were looked at.

        They are batches of real images in [-1, 1] (of a conditional game: pairs of these and
        labels, whole numbers or one-hot), or such arrays. A game without labels leaves labels
        aside. A stream of `training_batches` tells how long an epoch is.

        Raises:
            UserError: data, callbacks or arguments that a game cannot use.
        """
        given = arguments_of(keras.Model.fit, self, *args, **kwargs)
        check_alone(self)
        check_trainable(self.generator, self.discriminator)
        for name in ("sample_weight", "class_weight"):
            if given.get(name) is not None:
                raise UserError(f"{name}: a game weighs all images alike; leave it out")
        read_callbacks(given.get("callbacks"))
        if given.get("steps_per_epoch") is None:
            given["steps_per_epoch"] = steps_of(given.get("x"))
        given["x"], given["y"] = prepare(self, given.get("x"), given.get("y"))
        if isinstance(given["x"], tf.data.Dataset):
            given["shuffle"] = False  # Keras cannot, and would say so
            if int(given["x"].cardinality()) == tf.data.UNKNOWN_CARDINALITY:
                self.may_end, self.train_function = True, None
        if (held_out := given.get("validation_data")) is not None:
            pair = held_out if isinstance(held_out, (tuple, list)) else (held_out,)
            given["validation_data"] = packed(prepare(self, *pair[:2]))
        return super().fit(**given)

    def _make_function(self, step_function: Any) -> Any:
        """Makes all parts of a step wait for its batch, where a stream may end unforeseen.

        TensorFlow would count steps, in our counters and in the optimizers', that have no batch.
        """

        def with_batch(batch: Any) -> Any:
            with tf.control_dependencies(keras.tree.flatten(batch)):
                return step_function(batch)

        return super()._make_function(with_batch if self.may_end else step_function)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Returns both losses and D's accuracies on other real images; nobody moves.

        How good the images are, `dcgan_lib.evaluate` tells.

        Raises:
            UserError: data that a game cannot use.
        """
        given = arguments_of(keras.Model.evaluate, self, *args, **kwargs)
        others = given.pop("kwargs", {})
        if not others:  # else it is `fit` that asks, which has looked at them already
            given["x"], given["y"] = prepare(self, given.get("x"), given.get("y"))
        return super().evaluate(**given, **others)

    def test_step(self, real: Any) -> dict[str, tf.Tensor]:
        """Measures both players on a batch of real images, as they are and without moving them."""
        noise = self.latent_noise(real, "image_noise")
        fake = self(noise)
        fake = (fake, real[1]) if self.takes_labels else fake
        real_output, fake_output = self.discriminator(real), self.discriminator(fake)
        results = self.verdicts(real_output, fake_output) | {
            "d_loss": self.gan_loss.discriminator_loss(real_output, fake_output),
            "g_loss": self.gan_loss.generator_loss(fake_output),
        }
        for metric in self.epoch_metrics:
            metric.update_state(results[metric.name])
        return {metric.name: metric.result() for metric in self.epoch_metrics}

    def train_on_batch(self, x: Any, y: Any = None, return_dict: bool = False) -> Any:
        """Plays one round on a batch; returns the four metrics, as a list or a dict."""
        check_alone(self)
        check_trainable(self.generator, self.discriminator)
        self.make_train_function()
        return self._on_batch(self.train_function, x, y, return_dict)

    def test_on_batch(self, x: Any, y: Any = None, return_dict: bool = False) -> Any:
        """Measures both players on a batch, without moving them."""
        self.make_test_function()
        return self._on_batch(self.test_function, x, y, return_dict)

    def _on_batch(self, function: Any, x: Any, y: Any, return_dict: bool) -> Any:
        look(self, (x, y))
        formed = keras.tree.map_structure(tf.convert_to_tensor, as_form(self, (x, y)))
        self.reset_metrics()
        logs = {name: float(value) for name, value in function(iter([formed])).items()}
        return logs if return_dict else [logs[metric.name] for metric in self.epoch_metrics]

    def export(self, *args: Any, **kwargs: Any) -> None:
        """Exports the generator that samples are drawn with: it is what a game leaves."""
        self.sampler.export(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        networks = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("generator", "discriminator")
        }
        return super().get_config() | networks | {name: getattr(self, name) for name in SETTINGS}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> GameModel:
        for name in ("generator", "discriminator"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)

    def get_compile_config(self) -> dict[str, Any]:
        if not self.compiled:
            return {}
        optimizers = {
            name: keras.saving.serialize_keras_object(getattr(self, name))
            for name in ("g_optimizer", "d_optimizer")
        }
        steps = {"steps_per_execution": self.steps_per_execution}
        return optimizers | steps | {"loss": loss_config(self.gan_loss)}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        config = dict(config)
        loss = loss_from(config.pop("loss"))
        for name in ("g_optimizer", "d_optimizer"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        self.compile(loss=loss, **config)


def arguments_of(function: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """Returns a call's arguments by name, as `function` would take them."""
    given = inspect.signature(function).bind(*args, **kwargs).arguments
    given.pop("self")
    return given


def read_callbacks(callbacks: Any) -> list[keras.callbacks.Callback]:
    """Returns a list of callbacks, given one, several or none.

    Raises:
        UserError: something else, or what needs a model of one optimizer.
    """
    found = keras.tree.flatten([] if callbacks is None else callbacks)
    for callback in found:
        if not isinstance(callback, keras.callbacks.Callback):
            raise UserError(
                f"callbacks={callback!r}; accepted: a keras.callbacks.Callback, or some"
            )
        if isinstance(callback, ONE_OPTIMIZER):
            raise UserError(
                f"{type(callback).__name__} sets the rate of one optimizer, and a game has two; "
                "give each a schedule: Adam(keras.optimizers.schedules.CosineDecay(...))"
            )
    return found


def packed(pair: tuple[Any, Any]) -> Any:
    """Returns x and y as Keras takes them where there is but one argument."""
    return pair[0] if pair[1] is None else pair


def check_alone(game: GameModel) -> None:
    """Raises UserError if a strategy would add up what several devices compute."""
    count = game.distribute_strategy.num_replicas_in_sync
    if count > 1 and not game.many_devices:
        raise UserError(
            f"strategy.scope() of {count} devices: a game's losses are means, which Keras would "
            f"add up; use train_dcgan_mnist(devices={count}), or dcgan train --devices {count}"
        )
