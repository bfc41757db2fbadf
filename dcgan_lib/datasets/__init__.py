"""Where images come from. `load_images` is the door."""

from __future__ import annotations

from pathlib import Path

from dcgan_lib.datasets.arrays import OWN, load_arrays
from dcgan_lib.datasets.digits import load_digits
from dcgan_lib.datasets.images import ImageData, Split
from dcgan_lib.datasets.own import load_folder
from dcgan_lib.datasets.shapes import draw_shapes
from dcgan_lib.datasets.sources import load_public
from dcgan_lib.errors import UserError

DATASETS = ("auto", "mnist", "mnist10k", "digits", "fashion_mnist", "cifar10", "shapes")


def load_images(name: str = "auto", split: Split = "train") -> ImageData:
    """Loads images and their labels.

    Args:
        name: one of

            - `mnist`: 28x28 grey digits;
            - `mnist10k`: its first 10,000 training images, shuffled, which come with the package:
              9,000 to train on, the other 1,000 as test split;
            - `auto`: MNIST if it is at hand or can be had within ten seconds, else, with a notice,
              `mnist10k`;
            - `digits`: scikit-learn's handwritten digits in the same format, no network needed;
            - `fashion_mnist` (28x28 grey) or `cifar10` (32x32 colour), downloaded by Keras;
            - `shapes`: coloured shapes on a plain ground, 32x32, drawn here;
            - the path of an `.npz` with x_train, y_train, x_test, y_test: uint8 images of 28,
              32 or 64 pixels, grey or colour, and whole numbers from 0 to 255;
            - the path of a folder of images: sub-folders are classes in the order of their names
              (2 before 10), and every sixth image belongs to the test split. If the sub-folders
              are called train, val and test (or training, valid, validation, testing), they are
              splits, and the classes are below them: test is the test split, the others are
              trained on. Each image is cropped to a centred square and shrunk to 64, 32 or 28
              pixels, the largest that all of them can fill; what is transparent becomes white.
              Files that are damaged or smaller than 28 pixels are left out, with a notice;

            The variable `DCGAN_DATA` names a file to use for `mnist` and `auto`.
        split: `train` or `test`.

    Returns:
        `ImageData(images, labels, name)`: uint8 images (N, size, size) or (N, size, size, 3)
        from 0 (black; in MNIST, paper) to 255, and labels (N,) from 0 up.

    Raises:
        UserError: an unknown name, bad files, or a dataset that cannot be reached.

    Sources: LeCun, Cortes, Burges, "The MNIST database of handwritten digits" (1998); Xiao,
    Rasul, Vollgraf, "Fashion-MNIST" (2017); Krizhevsky, "Learning Multiple Layers of Features
    from Tiny Images" (2009). Taught in notebooks 01 and 10.
    """
    if split not in ("train", "test"):
        raise UserError(f"unknown split {split!r}; known: train, test")
    if name == "digits":
        return load_digits(split)
    if name == "shapes":
        return draw_shapes(split)
    if name in DATASETS:
        return load_public(name, split)
    if name.endswith(".npz"):
        return load_arrays(Path(name), split, OWN)
    if name and Path(name).is_dir():
        return load_folder(Path(name), split)
    raise UserError(
        f"unknown data {name!r}; known: {', '.join(DATASETS)}, or a path: an .npz file or a "
        "folder of images"
    )
