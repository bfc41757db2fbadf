"""Where images come from. `load_images` is the door."""

from __future__ import annotations

from pathlib import Path

from dcgan_lib.datasets.digits import load_digits
from dcgan_lib.datasets.given import load_given, to_size
from dcgan_lib.datasets.idx import idx_files
from dcgan_lib.datasets.images import ImageData, Split
from dcgan_lib.datasets.own import load_folder
from dcgan_lib.datasets.shapes import draw_shapes
from dcgan_lib.datasets.sources import load_public
from dcgan_lib.errors import UserError

DATASETS = ("auto", "mnist", "mnist10k", "digits", "fashion_mnist", "cifar10", "shapes")


def load_images(
    name: str = "auto", split: Split = "train", image_size: int = 0, transpose: bool = False
) -> ImageData:
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
            - the path of an `.npz` with x_train, y_train, x_test, y_test (or train_images, ...,
              images and labels, X and y, arr_0, ...), of an `.npy`, or of IDX files, packed or
              not: one of those that belong together, or their folder. Images may be (N, H, W),
              (N, H, W, 1 or 3), (N, 1 or 3, H, W) or flat, of any numbers from 0 to 255, 0 to 1,
              -1 to 1 or of 16 bits; labels whole numbers from 0 to 255, words, or one-hot. Without
              a test split every sixth image belongs to it;
            - the path of a folder of images: sub-folders are classes in the order of their names
              (2 before 10), and every sixth image belongs to the test split. If the sub-folders
              are called train, val and test (or training, valid, validation, testing), they are
              splits, and the classes are below them: test is the test split, the others are
              trained on. Each image is cropped to a centred square and shrunk to 64, 32 or 28
              pixels, the largest that all of them (but one in a hundred) can fill, or to 16 where
              all are smaller; what is transparent becomes white. Files that are damaged or too
              small are left out, with a notice;

            The variable `DCGAN_DATA` names a file to use for `mnist` and `auto`.
        split: `train` or `test`.
        image_size: crop, and shrink or pad all images to squares of this side; 0: leave it.
        transpose: exchange rows and columns, which EMNIST's IDX files need.

    Returns:
        `ImageData(images, labels, name)`: uint8 images (N, height, width) or (..., 3)
        from 0 (black; in MNIST, paper) to 255, and labels (N,) from 0 up.

    Raises:
        UserError: an unknown name, bad files, or a dataset that cannot be reached.

    Sources: LeCun, Cortes, Burges, "The MNIST database of handwritten digits" (1998); Xiao,
    Rasul, Vollgraf, "Fashion-MNIST" (2017); Krizhevsky, "Learning Multiple Layers of Features
    from Tiny Images" (2009). Taught in notebooks 01 and 10.
    """
    return load_for_training(name, split, image_size, transpose)


def load_for_training(
    name: str, split: Split = "train", image_size: int = 0, transpose: bool = False, few: int = 0
) -> ImageData:
    """As `load_images`; of own images fewer than `few` without a test split, none is made."""
    if split not in ("train", "test"):
        raise UserError(f"unknown split {split!r}; known: train, test")
    path = Path(name)
    if name not in DATASETS and name and path.is_dir() and not idx_files(path):
        return load_folder(path, split, few=few, size=image_size)
    if name == "digits":
        loaded = load_digits(split)
    elif name == "shapes":
        loaded = draw_shapes(split)
    elif name in DATASETS:
        loaded = load_public(name, split)
    elif name.endswith(".npz") or (name and path.exists()):
        loaded = load_given(path, split, few, transpose)
    else:
        raise UserError(
            f"unknown data {name!r}; known: {', '.join(DATASETS)}, or a path: an .npz, .npy or IDX "
            "file, or a folder of images"
        )
    if image_size and loaded.images.shape[1:3] != (image_size, image_size):
        resized = loaded._replace(images=to_size(loaded.images, image_size))
        resized.about = f"{loaded.about}, brought to {image_size}x{image_size}".strip(", ")
        return resized.with_classes(loaded.classes)
    return loaded
