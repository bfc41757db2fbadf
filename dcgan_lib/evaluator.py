"""The judges: small classifiers of MNIST whose features the metrics compare.

`primary` gives every reported number; `second`, of another architecture, confirms what is
published and takes part in no tuning. Their weights come with the package and stay as they
are: what is tuned must not choose its own judge. Taught in notebook 07.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from dcgan_lib.data import ImageData, hold_out_indices, load_images, scale
from dcgan_lib.errors import UserError

FOLDER = Path(__file__).parent / "weights"
HOLD_OUT = 10_000
EPOCHS, BATCH_SIZE = 12, 128


class Evaluator:
    """A trained classifier that looks at images in [-1, 1].

    Args:
        name: `primary` or `second`.
        path: of other weights than those that come with the package.

    Attributes:
        hash: twelve hexadecimal digits of its weights; every reported number carries it.

    Raises:
        UserError: an unknown name.
    """

    def __init__(self, name: str = "primary", path: str | Path | None = None) -> None:
        self.name = name
        self.classifier = build_classifier(name)
        path = path or FOLDER / f"evaluator-{name}.npz"
        with np.load(path, allow_pickle=False) as saved:
            weights = [saved[key].astype(np.float32) for key in sorted(saved.files)]
        self.classifier.set_weights(weights)
        self.hash = weights_hash(weights)
        features = self.classifier.get_layer("features").output
        self.both = keras.Model(self.classifier.inputs, [features, self.classifier.outputs[0]])

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Looks at images.

        Args:
            images: float (N, 28, 28, 1) in [-1, 1].

        Returns:
            float64 features (N, 64) of the penultimate layer and class probabilities (N, 10).

        Raises:
            UserError: another shape or range, or values that are not numbers.
        """
        check_images(images)
        features, probabilities = self.both.predict(
            np.asarray(images, np.float32), batch_size=500, verbose=0
        )
        return features.astype(np.float64), probabilities.astype(np.float64)


def check_images(images: np.ndarray) -> None:
    """Raises UserError unless images are (N, 28, 28, 1), finite and in [-1, 1]."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[1:] != (28, 28, 1) or len(images) == 0:
        raise UserError(f"images have the shape {images.shape}; needed: (N, 28, 28, 1), N above 0")
    if not np.isfinite(images).all():
        raise UserError("images hold values that are not finite numbers")
    if images.min() < -1.001 or images.max() > 1.001:
        low, high = float(images.min()), float(images.max())
        raise UserError(f"images go from {low:g} to {high:g}; needed: from -1 to 1 (see `scale`)")


def can_judge(loaded: ImageData, source: str) -> bool:
    """Tells whether the evaluators know images of this kind: 28x28 grey digits.

    Args:
        loaded: the images.
        source: what they were loaded by; an `.npz` of one's own is taken for digits.
    """
    digits = loaded.name in ("mnist", "digits") or source.endswith(".npz")
    return digits and loaded.images.shape[1:] == (28, 28)


def build_classifier(name: str) -> keras.Sequential:
    """Builds an untrained classifier, (batch, 28, 28, 1) in [-1, 1] to probabilities (batch, 10).

    Raises:
        UserError: an unknown name.
    """
    if name == "primary":  # 3x3 convolutions, strides and BatchNorm
        body = []
        for filters, stride in ((32, 1), (32, 2), (64, 1), (64, 2)):
            body.append(layers.Conv2D(filters, 3, stride, padding="same", use_bias=False))
            body += [layers.BatchNormalization(), layers.ReLU()]
    elif name == "second":  # 5x5 convolutions, pooling, no BatchNorm
        body = []
        for filters in (24, 48):
            body += [layers.Conv2D(filters, 5, padding="same", activation="elu")]
            body += [layers.MaxPooling2D()]
    else:
        raise UserError(f"unknown evaluator {name!r}; known: primary, second")
    head = [
        layers.Flatten(),
        layers.Dropout(0.3, seed=1),
        layers.Dense(64, activation="relu", name="features"),
        layers.Dropout(0.3, seed=2),
        layers.Dense(10, activation="softmax"),
    ]
    return keras.Sequential([keras.Input((28, 28, 1)), *body, *head], name=name)


def train_evaluator(name: str, output: str | Path) -> dict[str, float | str]:
    """Trains a classifier on MNIST without the held-out images; writes its weights to `output`.

    The same command on the same kind of processor gives the same weights, to the last bit.

    Returns:
        Its name and hash, its accuracy on the validation and on the test images.

    Raises:
        UserError: an unknown name, or MNIST cannot be reached.
    """
    keras.utils.set_random_seed(28)
    tf.config.experimental.enable_op_determinism()
    classifier = build_classifier(name)
    images, labels, _ = load_images("mnist", "train")
    train, validation = hold_out_indices(len(images), HOLD_OUT)
    steps = EPOCHS * (len(train) // BATCH_SIZE)
    classifier.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps)),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        jit_compile=False,
    )
    batches = _shifted_batches(images[train], labels[train])
    classifier.fit(
        batches, epochs=EPOCHS, steps_per_epoch=steps // EPOCHS, shuffle=False, verbose=2
    )
    save_weights(classifier, output)
    judge = Evaluator(name, output)
    test = load_images("mnist", "test")
    return {
        "evaluator": name,
        "hash": judge.hash,
        "validation_accuracy": _accuracy(judge, images[validation], labels[validation]),
        "test_accuracy": _accuracy(judge, test.images, test.labels),
    }


def _shifted_batches(images: np.ndarray, labels: np.ndarray) -> tf.data.Dataset:
    """An endless stream of batches, each image moved by up to two pixels."""
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))

    def move(batch: tf.Tensor, label: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        size = (tf.shape(batch)[0], 28, 28)
        moved = tf.image.stateless_random_crop(batch, size, tf.stack([seed, 28]))
        return tf.cast(moved[..., tf.newaxis], tf.float32) / 127.5 - 1.0, label

    data = tf.data.Dataset.from_tensor_slices((padded, labels.astype(np.int32)))
    data = data.shuffle(len(images), seed=28).repeat().batch(16)
    seeds = tf.data.Dataset.range(2**40)
    moved = tf.data.Dataset.zip(data, seeds).map(lambda pair, seed: move(*pair, seed))
    return moved.unbatch().batch(BATCH_SIZE).prefetch(8)


def save_weights(classifier: keras.Model, path: str | Path) -> None:
    """Writes the weights in half precision: the judge is what this file holds."""
    weights = {f"{i:02d}": w.astype(np.float16) for i, w in enumerate(classifier.get_weights())}
    np.savez_compressed(path, **weights)


def weights_hash(weights: list[np.ndarray]) -> str:
    """Twelve hexadecimal digits of SHA-256 over the arrays."""
    digest = hashlib.sha256()
    for weight in weights:
        digest.update(str(weight.shape).encode() + np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()[:12]


def _accuracy(judge: Evaluator, images: np.ndarray, labels: np.ndarray) -> float:
    _, probabilities = judge(scale(images))
    return float(np.mean(probabilities.argmax(axis=1) == labels))
