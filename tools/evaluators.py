"""How the evaluators were trained, and their marks measured. Their weights stay as they are.

python tools/evaluators.py primary mine.npz     trains one again (minutes)
python tools/evaluators.py baselines            real, blurred and noisy images (minutes)
python tools/evaluators.py statistics           of the features of MNIST's test images
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import dcgan_lib

dcgan_lib.import_tensorflow()

import keras
import tensorflow as tf

from dcgan_lib import Evaluator, UserError, load_images, scale
from dcgan_lib.data import hold_out_indices
from dcgan_lib.measuring.evaluator import HOLD_OUT, build_classifier, statistics_file
from dcgan_lib.measuring.report import (
    BASELINES,
    PARTS,
    baseline_key,
    load_references,
    measure_baselines,
    ticker,
)
from dcgan_lib.runs.files import write_json
from dcgan_lib.shelf.stored import write_weights

EPOCHS, BATCH_SIZE = 12, 128


def train_evaluator(name: str, output: str | Path) -> dict[str, float | str]:
    """Trains a classifier on MNIST without the held-out images; writes its weights to `output`.

    The same command on the same kind of processor gives the same weights, bit for bit.

    Returns:
        Its name and hash, its accuracy on the validation and on the test images.

    Raises:
        UserError: an unknown name, an output that cannot be written, or MNIST cannot be reached.
    """
    output = Path(output)
    if output.suffix != ".npz":
        raise UserError(f"output {str(output)!r}; accepted: a name ending in .npz")
    if not output.parent.is_dir():
        raise UserError(f"output {str(output)!r}: there is no folder of that name")
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
    write_weights(output, classifier.get_weights())
    evaluator = Evaluator(name, output)
    test = load_images("mnist", "test")
    return {
        "evaluator": name,
        "hash": evaluator.hash,
        "validation_accuracy": _accuracy(evaluator, images[validation], labels[validation]),
        "test_accuracy": _accuracy(evaluator, test.images, test.labels),
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


def _accuracy(evaluator: Evaluator, images: np.ndarray, labels: np.ndarray) -> float:
    _, probabilities = evaluator(scale(images))
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def write_baselines() -> Path:
    """Measures the marks that come with the package again, for both evaluators: some minutes."""
    references = load_references("mnist")
    known = {}
    for name in ("primary", "second"):
        evaluator = Evaluator(name)
        tick = ticker(3 * PARTS)
        real, _ = evaluator(references.test)
        scores = measure_baselines(real, evaluator, references, tick)
        known[baseline_key(evaluator, references, 10_000)] = scores
    write_json(BASELINES, known)
    return BASELINES


def write_statistics() -> list[Path]:
    """Writes the mean and covariance of the features on the test images, of both evaluators."""
    images, files = scale(load_images("mnist", "test").images), []
    for name in ("primary", "second"):
        evaluator = Evaluator(name)
        features, _ = evaluator(images)
        files.append(statistics_file(evaluator))
        covariance = np.cov(features, rowvar=False).astype(np.float32)
        mean = features.mean(axis=0).astype(np.float32)
        np.savez_compressed(files[-1], mean=mean, covariance=covariance)
    return files


if __name__ == "__main__":
    try:
        match sys.argv[1:]:
            case ["baselines"]:
                print(write_baselines())
            case ["statistics"]:
                print(*write_statistics())
            case [name, output]:
                for key, value in train_evaluator(name, output).items():
                    print(f"{key}: {value}")
            case _:
                sys.exit(__doc__)
    except UserError as error:
        sys.exit(f"error: {error}")
