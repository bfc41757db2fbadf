"""A folder of one's own images. Taught in notebook 10."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from dcgan_lib.datasets.arrays import MAX_BYTES, SIZES
from dcgan_lib.datasets.images import ImageData, Split
from dcgan_lib.errors import UserError, first_line

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")

TEST_EVERY = 6


def load_folder(folder: Path, split: Split) -> ImageData:
    """Reads every image below a folder; see `dcgan_lib.load_images`."""
    files = _image_files(folder)
    names = ["" if file.parent == folder else file.relative_to(folder).parts[0] for file in files]
    classes, labels = np.unique(names, return_inverse=True)
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
    is_test = np.arange(len(files)) % TEST_EVERY == TEST_EVERY - 1
    chosen = is_test == (split == "test")
    if not chosen.any():
        raise UserError(
            f"{str(folder)!r} has {len(files)} images, too few for a test split; needed: at least "
            f"{TEST_EVERY}"
        )
    return ImageData(images[chosen], labels[chosen].astype(np.uint8), folder.resolve().name)


def _image_files(folder: Path) -> list[Path]:
    """Returns the images below `folder`, hidden ones left out, in the order of their names."""
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in EXTENSIONS
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not found:
        raise UserError(f"{str(folder)!r} holds no images; accepted: {', '.join(EXTENSIONS)}")
    return found


def _common_size(files: list[Path]) -> int:
    """Returns the largest of SIZES that all images can fill; reads no pixels."""
    sides = {}
    for file in files:
        with _opened(file) as image:
            sides[file] = min(image.size)
    smallest = min(files, key=sides.get)
    for size in SIZES:
        if size <= sides[smallest]:
            return size
    raise UserError(
        f"image {str(smallest)!r} is only {sides[smallest]} pixels wide or high; needed: at least "
        f"{min(SIZES)}"
    )


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """Opens an image; what goes wrong meanwhile is said with the file's name."""
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
