"""Shared fixtures. No test needs a network; MNIST itself is used only where it was given."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest

import dcgan_lib
from dcgan_lib import data
from dcgan_lib.datasets import sources

dcgan_lib.import_tensorflow()  # before anything else imports it, or its C++ code talks
matplotlib.use("Agg")

sys.path.insert(0, str(Path(__file__).parent))

MNIST_FILE = os.environ.get("DCGAN_DATA")


def _no_network(*args, **kwargs):
    raise OSError("no route to host")


@pytest.fixture(autouse=True, scope="session")
def _offline(tmp_path_factory):
    """MNIST is out of reach, and not in Keras's cache."""
    import keras

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DCGAN_DATA", raising=False)
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        patch.setattr(keras.datasets.mnist, "load_data", _no_network)
        patch.setattr(sources, "_download", _no_network)
        yield


@pytest.fixture(scope="session")
def mnist_file() -> str:
    if not MNIST_FILE:
        pytest.skip("DCGAN_DATA is not set")
    return MNIST_FILE


@pytest.fixture(scope="session")
def digits(_offline) -> data.ImageData:
    return data.load_images("digits")


@pytest.fixture(scope="session")
def images(digits) -> np.ndarray:
    """64 real drawings: uint8 (64, 28, 28)."""
    return digits.images[:64]


@pytest.fixture(scope="session")
def real(images) -> np.ndarray:
    """The same, as the networks see them: float32 (64, 28, 28, 1) in [-1, 1]."""
    return data.scale(images)


@pytest.fixture(scope="session")
def digits_file(digits, tmp_path_factory) -> Path:
    """300 digits in an `.npz`, of which 250 may be trained on: quick to load."""
    from helpers import save_data

    path = tmp_path_factory.mktemp("data") / "few.npz"
    return save_data(path, digits.images[:300], digits.labels[:300])


@pytest.fixture(scope="session")
def finished_run(digits, tmp_path_factory):
    """A tiny training that has come to its end. Copy its folder before changing it."""
    from helpers import STEPS, tiny

    folder = tmp_path_factory.mktemp("finished") / "run"
    recipe = tiny(sample_every=5, log_every=4, hold_out=100, **STEPS)  # too few to judge by
    return dcgan_lib.train_dcgan_mnist(
        recipe, output=folder, data="digits", max_images=300, verbose=False
    )


@pytest.fixture
def run_copy(finished_run, tmp_path) -> Path:
    """A copy of the finished run that a test may harm."""
    return Path(shutil.copytree(finished_run.folder, tmp_path / "copy"))


@pytest.fixture(scope="session")
def html() -> str:
    """The latent explorer's page."""
    from dcgan_lib.shelf.pretrained import EXPLORER_PAGE

    return EXPLORER_PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def content(html) -> dict:
    """What is written into that page as data."""
    return json.loads(re.search(r'id="content">(.*?)</script>', html, re.DOTALL)[1])
