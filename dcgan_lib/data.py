"""Images to learn from: MNIST, digits and shapes that need no network, and one's own.

Taught in notebook 01; other datasets than MNIST in notebook 10.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from dcgan_lib.errors import UserError, first_line

if TYPE_CHECKING:
    import tensorflow as tf
    from PIL import Image

DATASETS = ("auto", "mnist", "digits", "fashion_mnist", "cifar10", "shapes")
Split = Literal["train", "test"]
KEYS = ("x_train", "y_train", "x_test", "y_test")
SIZES = (64, 32, 28)  # sides, in pixels, that one's own images may have or be shrunk to
MAX_BYTES = 4 * 2**30  # an array that declares more than this is refused before it is read


class ImageData(NamedTuple):
    """Images, their labels, and the name of where they came from."""

    images: np.ndarray
    labels: np.ndarray
    name: str


def load_images(name: str = "auto", split: Split = "train") -> ImageData:
    """Loads images and their labels.

    Args:
        name: one of

            - `mnist`: 28x28 grey digits;
            - `digits`: scikit-learn's handwritten digits in the same format, no network needed;
            - `auto`: MNIST if it can be reached, else, with a notice, the digits;
            - `fashion_mnist` (28x28 grey) or `cifar10` (32x32 colour), downloaded by Keras;
            - `shapes`: coloured shapes on a plain ground, 32x32, drawn here;
            - the path of an `.npz` with x_train, y_train, x_test, y_test: uint8 images of 28,
              32 or 64 pixels, grey or colour, and whole numbers from 0 to 255;
            - the path of a folder of images: sub-folders are classes in alphabetical order, and
              every sixth image belongs to the test split. Each is cropped to a centred square
              and shrunk to 64, 32 or 28 pixels, the largest that all of them can fill; what is
              transparent becomes white.

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
    if name not in DATASETS:
        return _load_path(name, split)
    if name == "digits":
        return _load_digits(split)
    if name == "shapes":
        return _draw_shapes(split)
    if name in CACHED_IN:
        return _download_by_name(name, split)
    if os.environ.get("DCGAN_DATA"):
        return _load_file(Path(os.environ["DCGAN_DATA"]), split, _check_mnist)._replace(
            name="mnist"
        )
    try:
        return _download("mnist", split)
    except Exception as error:  # whatever Keras raises when the host is out of reach
        reason = first_line(error)
        if name == "mnist":
            raise UserError(
                f"MNIST cannot be reached ({reason}). Set DCGAN_DATA to an mnist.npz file, "
                "or use the data 'digits', which need no network"
            ) from None
        _notice_fallback(reason)
        return _load_digits(split)


def scale(images: np.ndarray) -> np.ndarray:
    """Turns uint8 (N, H, W) or (N, H, W, C) into float32 (N, H, W, C) in [-1, 1].

    That is the range of the generator's tanh. Taught in notebook 01.
    """
    scaled = images.astype(np.float32) / 127.5 - 1.0
    return scaled[..., np.newaxis] if images.ndim == 3 else scaled


def unscale(images: np.ndarray) -> np.ndarray:
    """Turns floats in [-1, 1] into uint8 from 0 to 255: the inverse of `scale`.

    Values outside are clipped; the shape stays.
    """
    return np.clip(np.rint((np.asarray(images) + 1.0) * 127.5), 0, 255).astype(np.uint8)


def hold_out_indices(num_images: int, hold_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Splits `range(num_images)` into training and validation indices, always the same.

    Of fewer than 60,000 images at most a sixth is held out.

    Returns:
        Two sorted int arrays: what may be trained on, and what judges.
    """
    order = np.random.Generator(np.random.Philox(key=2026)).permutation(num_images)
    count = min(hold_out, num_images // 6)
    return np.sort(order[count:]), np.sort(order[:count])


def training_batches(
    images: np.ndarray,
    batch_size: int,
    seed: int = 0,
    first_step: int = 0,
    labels: np.ndarray | None = None,
) -> tf.data.Dataset:
    """An endless stream of shuffled batches, each a pure function of (seed, step).

    Every epoch is a new order drawn from (seed, epoch); its last batch may be smaller.

    Args:
        images: uint8 (N, H, W) or (N, H, W, C).
        first_step: where in the stream to begin, so that a resumed run sees what it would
            have seen.
        labels: (N,) or (N, classes), to go along with the images.

    Yields:
        float32 (up to `batch_size`, H, W, C) in [-1, 1]; with `labels`, a pair of these and
        their labels.

    Raises:
        UserError: no images, an empty batch, or one larger than the dataset.

    Taught in notebook 01.
    """
    import tensorflow as tf

    check_batch_size(len(images), batch_size)
    steps_per_epoch = -(-len(images) // batch_size)
    first_epoch, skip = divmod(first_step, steps_per_epoch)
    pixels = tf.constant(images if images.ndim == 4 else images[..., np.newaxis])

    def one_epoch(epoch: tf.Tensor) -> tf.data.Dataset:
        order = tf.random.experimental.stateless_shuffle(
            tf.range(len(images)), seed=tf.stack([tf.cast(seed, tf.int64), epoch])
        )
        batches = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
        return batches.skip(skip) if epoch == first_epoch else batches

    def look_up(indices: tf.Tensor) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
        batch = tf.cast(tf.gather(pixels, indices), tf.float32) / 127.5 - 1.0
        return batch if labels is None else (batch, tf.gather(labels, indices))

    epochs = tf.data.Dataset.range(first_epoch, 2**31, output_type=tf.int64)
    return epochs.flat_map(one_epoch).map(look_up).prefetch(4)


def check_batch_size(num_images: int, batch_size: int) -> None:
    """Raises UserError for an empty dataset, an empty batch, or a batch larger than the dataset."""
    if num_images == 0:
        raise UserError("the dataset is empty; at least one image is needed")
    if batch_size < 1:
        raise UserError(f"batch_size={batch_size} is impossible; accepted: a number above 0")
    if batch_size > num_images:
        raise UserError(
            f"batch_size={batch_size} is larger than the dataset; accepted: up to {num_images}"
        )


def data_hash(images: np.ndarray) -> str:
    """Twelve hexadecimal digits that change whenever the images, or their order, do."""
    digest = hashlib.sha256(str(images.shape).encode())
    digest.update(np.ascontiguousarray(images))
    return digest.hexdigest()[:12]


CACHED_IN = {  # where Keras looks before it downloads, under ~/.keras/datasets
    "fashion_mnist": "fashion-mnist",
    "cifar10": "cifar-10-batches-py-target",
}


def _download(name: str, split: Split) -> ImageData:
    import keras

    train, test = getattr(keras.datasets, name).load_data()
    images, labels = train if split == "train" else test
    return ImageData(images, labels.reshape(-1), name)


def _download_by_name(name: str, split: Split) -> ImageData:
    try:
        return _download(name, split)
    except Exception as error:  # whatever Keras raises when the host is out of reach
        raise UserError(
            f"{name} cannot be reached ({first_line(error)}). Copy the folder {CACHED_IN[name]!r} "
            "into ~/.keras/datasets (or $KERAS_HOME/datasets) from a computer where Keras has "
            "downloaded it, or use data that need no network: digits, shapes"
        ) from None


def _notice_fallback(reason: str) -> None:
    lines = (
        "MNIST cannot be reached: using scikit-learn's handwritten digits instead.",
        "They are real, but fewer and simpler. For MNIST, connect to the internet",
        "or set DCGAN_DATA to an mnist.npz file.",
        f"({reason[:90]})",
    )
    bar = "!" * 80
    print("\n".join((bar, *(f"!! {line}" for line in lines), bar)), file=sys.stderr)


# --- files


def _load_path(name: str, split: Split) -> ImageData:
    if name.endswith(".npz"):
        return _load_file(Path(name), split, _check_own)
    if name and Path(name).is_dir():
        return _load_folder(Path(name), split)
    raise UserError(
        f"unknown data {name!r}; known: {', '.join(DATASETS)}, or a path: an .npz file or a "
        "folder of images"
    )


def _load_file(
    path: Path, split: Split, check: Callable[[np.ndarray, np.ndarray], None]
) -> ImageData:
    if not path.is_file():
        raise UserError(f"data file {str(path)!r} does not exist; needed: an .npz with {KEYS}")
    try:
        _check_sizes(path)
        with np.load(path, allow_pickle=False) as arrays:
            missing = [key for key in KEYS if key not in arrays]
            if missing:
                raise UserError(f"it has no {', '.join(missing)}; needed: {', '.join(KEYS)}")
            images, labels = arrays[f"x_{split}"], arrays[f"y_{split}"]
        check(images, labels)
    except Exception as error:  # NumPy and zipfile raise many kinds for a damaged file
        raise UserError(f"data file {str(path)!r} cannot be used: {first_line(error)}") from None
    if images.shape[3:] == (1,):
        images = images[..., 0]
    return ImageData(images, labels, path.stem)


def _check_sizes(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        declared = sum(entry.file_size for entry in archive.infolist())
    if declared > MAX_BYTES:
        raise UserError(f"it unpacks to {declared:,} bytes; accepted: up to {MAX_BYTES:,}")


def _check_mnist(images: np.ndarray, labels: np.ndarray) -> None:
    _check_arrays(images, labels, images.shape[1:] == (28, 28), "(N, 28, 28)", 9)


def _check_own(images: np.ndarray, labels: np.ndarray) -> None:
    sides, channels = images.shape[1:3], images.shape[3:]
    good = sides in [(size, size) for size in SIZES] and channels in [(), (1,), (3,)]
    accepted = "(N, S, S), (N, S, S, 1) or (N, S, S, 3) with S = 28, 32 or 64"
    _check_arrays(images, labels, good, accepted, 255)


def _check_arrays(
    images: np.ndarray, labels: np.ndarray, good_shape: bool, accepted: str, largest: int
) -> None:
    if images.dtype != np.uint8:
        raise UserError(f"images are {images.dtype}; needed: uint8")
    if not good_shape:
        raise UserError(f"images have the shape {images.shape}; needed: {accepted}")
    if len(images) == 0:
        raise UserError("it has no images; needed: at least one")
    if labels.shape != (len(images),):
        raise UserError(f"labels have the shape {labels.shape}; needed: ({len(images)},)")
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > largest:
        raise UserError(f"labels are not whole numbers from 0 to {largest}")


# --- a folder of one's own images

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")
TEST_EVERY = 6


def _load_folder(folder: Path, split: Split) -> ImageData:
    files = _image_files(folder)
    classes = sorted({_class_of(file, folder) for file in files})
    if "" in classes and len(classes) > 1:
        raise UserError(
            f"{str(folder)!r} holds images both beside and in its sub-folders; accepted: all in "
            "sub-folders, which are the classes, or none"
        )
    if len(classes) > 256:
        raise UserError(f"{str(folder)!r} has {len(classes)} sub-folders; accepted: up to 256")
    size = _common_size(files)
    if len(files) * size * size * 3 > MAX_BYTES:
        raise UserError(
            f"{str(folder)!r} holds {len(files):,} images, which need more than {MAX_BYTES:,} "
            f"bytes; accepted at {size} pixels: up to {MAX_BYTES // (size * size * 3):,}"
        )
    images = np.stack([_read_image(file, size) for file in files])
    if (images == images[..., :1]).all():
        images = images[..., 0]  # grey, every one of them
    labels = np.array([classes.index(_class_of(file, folder)) for file in files], np.uint8)
    is_test = np.arange(len(files)) % TEST_EVERY == TEST_EVERY - 1
    chosen = is_test if split == "test" else ~is_test
    if not chosen.any():
        raise UserError(
            f"{str(folder)!r} has {len(files)} images, too few for a test split; needed: at least "
            f"{TEST_EVERY}"
        )
    return ImageData(images[chosen], labels[chosen], folder.resolve().name)


def _image_files(folder: Path) -> list[Path]:
    """Returns the images below `folder`, hidden ones left out, in the order of their names."""
    found = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in EXTENSIONS
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise UserError(f"{str(folder)!r} holds no images; accepted: {', '.join(EXTENSIONS)}")
    return sorted(found, key=lambda path: path.relative_to(folder).parts)


def _class_of(file: Path, folder: Path) -> str:
    parts = file.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else ""


def _common_size(files: list[Path]) -> int:
    """Returns the largest of SIZES that all images can fill; reads no pixels."""
    sides = []
    for file in files:
        with _opened(file) as image:
            sides.append(min(image.size))
    smallest = min(sides)
    fitting = [size for size in SIZES if size <= smallest]
    if not fitting:
        raise UserError(
            f"image {str(files[sides.index(smallest)])!r} is only {smallest} pixels wide or high; "
            f"needed: at least {min(SIZES)}"
        )
    return fitting[0]


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """Opens an image; what goes wrong meanwhile is said with the file's name."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            # A few bytes may claim to be a huge picture: Pillow warns, and we take it at its word.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as image:
                yield image
    except Exception as error:  # Pillow raises many kinds for a damaged file
        raise UserError(f"image {str(file)!r} cannot be read: {first_line(error)}") from None


def _read_image(file: Path, size: int) -> np.ndarray:
    """Reads a file into uint8 (size, size, 3): cropped to a centred square, and shrunk."""
    from PIL import Image, ImageOps

    with _opened(file) as image:
        image.draft("RGB", (2 * size, 2 * size))  # a large JPEG is not read in full
        image = ImageOps.exif_transpose(image)  # a telephone says which side is up
        if image.mode == "F":
            raise UserError("its pixels are fractions; accepted: whole numbers")
        if image.mode.startswith("I"):
            image = Image.fromarray(_eight_bits(np.asarray(image), image.mode))
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
        return np.asarray(ImageOps.fit(image, (size, size)))


def _eight_bits(pixels: np.ndarray, mode: str) -> np.ndarray:
    """Returns whole numbers of 16 bits as uint8; in a file of 32 they may be 8 bits already."""
    low, high = pixels.min(), pixels.max()
    if low < 0 or high > 65535:
        raise UserError(f"its pixels are from {low} to {high}; accepted: 0 to 65535")
    return (pixels if mode == "I" and high <= 255 else pixels // 257).astype(np.uint8)


# --- scikit-learn's digits

TRAIN_DIGITS = 1500
COPIES = 8


@functools.cache
def _load_digits(split: Split) -> ImageData:
    from sklearn.datasets import load_digits

    digits = load_digits()
    part = slice(TRAIN_DIGITS) if split == "train" else slice(TRAIN_DIGITS, None)
    small, labels = digits.images[part] / 16.0, digits.target[part].astype(np.uint8)
    large = _enlarge(small)
    if split == "train":
        large, labels = _stretch(large), np.tile(labels, COPIES)
    return ImageData(np.rint(large * 255).astype(np.uint8), labels, "digits")


def _enlarge(small: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    large = ndimage.zoom(small, (1, 25 / 8, 25 / 8), order=3)
    crisp = np.clip((large - 0.35) / 0.35, 0.0, 1.0)
    return np.pad(crisp, ((0, 0), (1, 2), (1, 2)))


def _stretch(images: np.ndarray) -> np.ndarray:
    """Adds small shifts and rotations: 1,500 drawings are too few to learn from."""
    draw = np.random.Generator(np.random.Philox(key=1797))
    copies = [images]
    for _ in range(COPIES - 1):
        angles, shifts = draw.uniform(-8, 8, len(images)), draw.uniform(-1, 1, (len(images), 2))
        moves = zip(images, angles, shifts, strict=True)
        copies.append(np.stack([_turn_and_shift(*move) for move in moves]))
    return np.clip(np.concatenate(copies), 0.0, 1.0)


def _turn_and_shift(image: np.ndarray, angle: float, shift: np.ndarray) -> np.ndarray:
    from scipy import ndimage

    return ndimage.shift(ndimage.rotate(image, angle, reshape=False, order=1), shift, order=1)


# --- coloured shapes

SHAPES = ("circle", "square", "triangle", "star", "heart", "ring")
SHAPE_COUNTS = {"train": 6000, "test": 1000}
CANVAS, SHRINK = 32, 4  # drawn four times as large and shrunk: smooth edges


@functools.cache
def _draw_shapes(split: Split) -> ImageData:
    draw = np.random.Generator(np.random.Philox(key=SHAPE_COUNTS[split]))
    count = SHAPE_COUNTS[split]
    labels = draw.permutation(np.arange(count) % len(SHAPES)).astype(np.uint8)
    masks = np.stack([_draw_mask(SHAPES[label], draw) for label in labels])
    images = _paint(masks[..., np.newaxis] / np.float32(255), draw)
    return ImageData(images, labels, "shapes")


def _draw_mask(shape: str, draw: np.random.Generator) -> np.ndarray:
    """Draws one shape in a random size, place and turn: uint8 (32, 32), 255 inside."""
    from PIL import Image, ImageDraw

    radius = draw.uniform(10.5, 13)
    centre = CANVAS / 2 + draw.uniform(-1, 1, 2)
    turned = radius * np.exp(1j * draw.uniform(-0.15, 0.15)) * _outline(shape)
    picture = Image.new("L", (CANVAS * SHRINK, CANVAS * SHRINK))
    pen = ImageDraw.Draw(picture)
    for share, ink in ((1.0, 255), (0.55, 0)) if shape == "ring" else ((1.0, 255),):
        corners = (complex(*centre) + share * turned) * SHRINK
        pen.polygon(corners.view(np.float64).tolist(), fill=ink)
    return np.asarray(picture.reduce(SHRINK))


@functools.cache
def _outline(shape: str) -> np.ndarray:
    """Returns the corners of a shape of radius 1 around 0: complex x + iy, y pointing down."""
    if shape == "heart":
        t = np.linspace(0, 2 * np.pi, 60)
        y = -13 * np.cos(t) + 5 * np.cos(2 * t) + 2 * np.cos(3 * t) + np.cos(4 * t)
        return (16 * np.sin(t) ** 3 + 1j * y) / 17
    count = {"square": 4, "triangle": 3, "star": 10}.get(shape, 60)
    radii = np.where(np.arange(count) % 2, 0.45, 1.0) if shape == "star" else 1.0
    first = -np.pi / 4 if shape == "square" else -np.pi / 2
    return radii * np.exp(1j * (first + np.arange(count) * 2 * np.pi / count))


def _paint(masks: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Gives masks (N, 32, 32, 1) from 0 to 1 vivid colours on a dark or a light ground."""
    count = len(masks)
    waves = np.cos(draw.uniform(0, 2 * np.pi, (count, 1)) - np.array([0.0, 2.0, 4.0]))
    dark = draw.random((count, 1)) < 0.5
    ground = np.where(dark, (18, 20, 38), (250, 244, 230))
    inks = np.where(dark, 165 + 90 * waves, 125 + 110 * waves)
    ground, inks = (x[:, None, None].astype(np.float32) for x in (ground, inks))
    return np.clip(ground + masks * (inks - ground) + 0.5, 0, 255).astype(np.uint8)
