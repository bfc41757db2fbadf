"""Datasets that Keras downloads, and what is said when they are out of reach."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dcgan_lib.datasets.arrays import MNIST, load_arrays
from dcgan_lib.datasets.digits import load_digits
from dcgan_lib.datasets.images import ImageData, Split
from dcgan_lib.errors import UserError, first_line

CACHED_IN = {  # where Keras looks before it downloads, under ~/.keras/datasets
    "fashion_mnist": "fashion-mnist",
    "cifar10": "cifar-10-batches-py-target",
}

BAR = "!" * 80

NOTICE = """\
!! MNIST cannot be reached: using scikit-learn's handwritten digits instead.
!! They are real, but fewer and simpler. For MNIST, connect to the internet
!! or set DCGAN_DATA to an mnist.npz file."""


def load_public(name: str, split: Split) -> ImageData:
    """Loads a dataset through Keras: from its cache, or from the network.

    MNIST comes from the file `DCGAN_DATA` if that is set; `auto` falls back to the digits.
    """
    public = "mnist" if name == "auto" else name
    path = os.environ.get("DCGAN_DATA")
    if path and public == "mnist":
        return load_arrays(Path(path), split, MNIST)._replace(name="mnist")
    try:
        return _from_keras(public, split)
    except Exception as error:  # whatever Keras raises when the host cannot be reached
        reason = first_line(error)
    if name == "auto":
        print(BAR, NOTICE, f"!! ({reason[:90]})", BAR, sep="\n", file=sys.stderr)
        return load_digits(split)
    if name == "mnist":
        raise UserError(
            f"MNIST cannot be reached ({reason}). Set DCGAN_DATA to an mnist.npz file, or use the "
            "data 'digits', which need no network"
        )
    raise UserError(
        f"{name} cannot be reached ({reason}). Copy the folder {CACHED_IN[name]!r} into "
        "~/.keras/datasets (or $KERAS_HOME/datasets) from a computer where Keras has downloaded "
        "it, or use data that need no network: digits, shapes"
    )


def _from_keras(name: str, split: Split) -> ImageData:
    import keras

    train, test = getattr(keras.datasets, name).load_data()
    images, labels = train if split == "train" else test
    return ImageData(images, labels.reshape(-1), name)
