"""The evaluators: small classifiers of MNIST whose features the metrics compare.

`primary` gives every reported number; `second`, of another architecture, confirms what is
published and takes part in no tuning. Their weights come with the package and stay as they
are: what is tuned must not choose what it is measured by. Taught in notebook 07.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers

from dcgan_lib.errors import UserError
from dcgan_lib.guard.chance import drawing_alone, layer_precision
from dcgan_lib.shelf.stored import WEIGHTS, read_weights, weights_hash

HOLD_OUT = 10_000


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
        with drawing_alone(), layer_precision("float32"):
            self.classifier = build_classifier(name)
        weights = read_weights(path or WEIGHTS / f"evaluator-{name}.npz")
        self.classifier.set_weights(weights)
        self.hash = weights_hash([weight.astype(np.float32) for weight in weights])
        features = self.classifier.get_layer("features").output
        self.both = keras.Model(self.classifier.inputs[0], [features, self.classifier.outputs[0]])

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
        low, high = float(np.min(images)), float(np.max(images))
        if 0.0 <= low < 0.1 and high > 0.5:  # no generator leaves out all that is dark
            raise UserError(
                f"images go from {low:g} to {high:g}, with 0 for black; needed: from -1 to 1 "
                "(see `scale`)"
            )
        return self.features_of(images)

    def features_of(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Looks at what a generator draws, however bright; else as a call."""
        features, probabilities = self.both.predict(
            np.asarray(images, np.float32), batch_size=500, verbose=0
        )
        return features.astype(np.float64), probabilities.astype(np.float64)


def statistics_file(evaluator: Evaluator) -> Path:
    """Where the mean and covariance of its features on MNIST's 10,000 test images are."""
    return WEIGHTS / f"statistics-{evaluator.hash}.npz"  # from tools/evaluators.py


def true_test(evaluator: Evaluator) -> np.ndarray:
    """Stands in for the features of MNIST's test images in the Fréchet distance.

    It asks for their mean and covariance only, and these come with the package.

    Returns:
        128 points (128, 64) that have both: on either side of the mean, along each axis.
    """
    with np.load(statistics_file(evaluator), allow_pickle=False) as saved:
        mean, covariance = saved["mean"].astype(np.float64), saved["covariance"]
    variances, axes = np.linalg.eigh(covariance.astype(np.float64))
    away = np.sqrt(np.clip(variances, 0, None) * (len(mean) - 0.5))[:, np.newaxis] * axes.T
    return np.concatenate([mean + away, mean - away])


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


def knows(name: str, source: str, shape: tuple[int, ...]) -> bool:
    """Tells whether the evaluators know images of this kind: 28x28 grey digits.

    Args:
        name: of the dataset.
        source: what it was loaded by; your own `.npz` is taken for digits.
        shape: of its images, (N, H, W) or (N, H, W, C).
    """
    digits = name in ("mnist", "mnist10k", "digits") or source.endswith(".npz")
    return digits and shape[1:] in ((28, 28), (28, 28, 1))


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
