"""Public datasets: MNIST, the part of it that comes with the package, and what Keras downloads."""

from __future__ import annotations

import functools
import hashlib
import os
import queue
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from dcgan_lib.datasets.arrays import load_arrays
from dcgan_lib.datasets.images import ImageData, Split
from dcgan_lib.errors import UserError, first_line

CACHED_IN = {  # where Keras looks before it downloads, under ~/.keras/datasets
    "fashion_mnist": "fashion-mnist",
    "cifar10": "cifar-10-batches-py-target",
}

NAMES = {  # of the classes, from the papers
    "fashion_mnist": "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot",
    "cifar10": "airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck",
}

PART = Path(__file__).with_name("mnist10k.npz")  # from tools/embedded_mnist.py

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"  # as in Keras
SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
SECONDS = 10.0  # for which `auto` tries to get it

NOTICE = (
    "MNIST is not at hand ({}): mnist10k is used, its first 10,000 training images, 9,000 to train "
    "on and 1,000 kept out. For all of it, set DCGAN_DATA to an mnist.npz file"
)


def load_public(name: str, split: Split) -> ImageData:
    """Loads a dataset that comes with the package, or through Keras's cache or the network.

    MNIST comes from the file `DCGAN_DATA` if that is set; `auto` falls back to the part.
    """
    if name == PART.stem:
        return load_arrays(PART, split)
    path = os.environ.get("DCGAN_DATA")
    if path and name in ("auto", "mnist"):
        return load_arrays(Path(path), split)._replace(name="mnist")
    if name == "auto":
        return _load_auto(split)
    try:
        return _from_keras(name, split)
    except Exception as error:  # whatever Keras raises when the host cannot be reached
        reason = first_line(error)
    if name == "mnist":
        raise UserError(
            f"MNIST cannot be reached ({reason}). Set DCGAN_DATA to an mnist.npz file, or use the "
            "data 'mnist10k' or 'digits', which need no network"
        )
    raise UserError(
        f"{name} cannot be reached ({reason}). Copy the folder {CACHED_IN[name]!r} into "
        "~/.keras/datasets (or $KERAS_HOME/datasets) from a computer where Keras has downloaded "
        "it, or use data that need no network: mnist10k, digits, shapes"
    )


def _from_keras(name: str, split: Split) -> ImageData:
    import keras

    train, test = getattr(keras.datasets, name).load_data()
    images, labels = train if split == "train" else test
    return ImageData(images, labels.reshape(-1), name).with_classes(
        NAMES[name].split(",") if name in NAMES else ()
    )


def cached_mnist() -> Path:
    """Returns where Keras keeps MNIST; it need not be there."""
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    return Path(home, "datasets", "mnist.npz")


def _load_auto(split: Split) -> ImageData:
    """Loads MNIST from Keras's cache, where it is brought if that is quick; else its part."""
    cached = cached_mnist()
    try:
        return load_arrays(cached, split)._replace(name="mnist")
    except UserError:  # not there, or not whole
        reason = _fetch(cached)
    if not reason:
        return load_arrays(cached, split)._replace(name="mnist")
    print(NOTICE.format(reason[:90]), file=sys.stderr)
    return load_public(PART.stem, split)


@functools.cache
def _fetch(target: Path) -> str:
    """Downloads MNIST; returns why that was not possible, or nothing."""
    try:
        content = _download(ORIGIN, SECONDS)
        if hashlib.sha256(content).hexdigest() != SHA256:
            raise OSError("the network gave something else")
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            whole = Path(folder, target.name)
            whole.write_bytes(content)
            os.replace(whole, target)
    except Exception as error:
        return first_line(getattr(error, "reason", error))  # urllib wraps it
    return ""


def _download(address: str, seconds: float) -> bytes:
    """Returns what is at `address`; gives up in time, even if the network hangs.

    A hanging look-up of a name cannot be interrupted: so it happens in a thread, which is left.
    """
    end, done = time.monotonic() + seconds, queue.SimpleQueue()

    def read() -> None:
        parts = []
        try:
            with urllib.request.urlopen(address, timeout=seconds) as response:
                while (part := response.read(2**16)) and time.monotonic() < end:
                    parts.append(part)
            done.put(b"".join(parts))
        except Exception as error:
            done.put(error)

    threading.Thread(target=read, daemon=True).start()
    try:
        found = done.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError(f"not within {seconds:.0f} seconds") from None
    if isinstance(found, Exception):
        raise found
    return found
