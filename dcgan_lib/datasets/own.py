"""A folder of one's own images. Taught in notebook 10."""

from __future__ import annotations

import contextlib
import functools
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from dcgan_lib.datasets.arrays import MAX_BYTES, SIZES
from dcgan_lib.datasets.given import fit
from dcgan_lib.datasets.images import TEST_EVERY, ImageData, Split, is_test
from dcgan_lib.errors import UserError, first_line

# What is trained on, and what is not, if all sub-folders are called so.
SPLITS = {name: "train" for name in ("train", "training", "val", "valid", "validation")}
SPLITS |= {"test": "test", "testing": "test"}

ICON = 16  # pixels, where all images are smaller than SIZES

MANY = 2000  # files; reading so many takes long enough for a progress bar

# What earlier versions read, in the order of the letters alone (10 before 2).
FORMERLY = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def load_folder(
    folder: Path, split: Split, formerly: bool = False, few: int = 0, size: int = 0
) -> ImageData:
    """Reads every image below a folder; see `dcgan_lib.load_images`.

    Args:
        formerly: as earlier versions did, so that their runs can be resumed.
        few: of fewer images than this, no test split is made.
        size: of all images; 0: the largest of SIZES that nearly all of them can fill.
    """
    files = _image_files(folder)
    if formerly:
        files = sorted(file for file in files if file.suffix.lower() in FORMERLY)
    splits, names = _places(folder, files, formerly)
    classes = sorted(set(names), key=None if formerly else _natural)
    if len(classes) > 256:
        raise UserError(f"{str(folder)!r} has {len(classes)} sub-folders; accepted: up to 256")
    problems: list[str] = []
    sizes = _each(_size_of, files, problems)
    if not size:
        size = _common_size(sizes, formerly)
        sizes = _each(functools.partial(_large_enough, sizes, size), sizes, problems)
    if len(sizes) * size * size * 3 > MAX_BYTES:
        raise UserError(
            f"{str(folder)!r} holds {len(sizes):,} images, which need more than {MAX_BYTES:,} "
            f"bytes; accepted at {size} pixels: up to {MAX_BYTES // (size * size * 3):,}"
        )
    read = _each(functools.partial(_read_image, size=size), sizes, problems, len(files) > MANY)
    images = _stacked(folder, len(files), read, problems)
    kept = [number for number, file in enumerate(files) if file in read]
    if "test" in splits:
        for_tests = np.array([splits[number] == "test" for number in kept])
    else:
        for_tests = is_test(len(kept), few)
    chosen = for_tests == (split == "test")
    if not chosen.any():
        raise UserError(
            f"{str(folder)!r} has {len(kept)} images, none of them for the {split} split; needed: "
            f"at least {TEST_EVERY}, or sub-folders called train and test"
        )
    labels = np.array([classes.index(names[number]) for number in kept], np.uint8)
    loaded = ImageData(images[chosen], labels[chosen], folder.resolve().name)
    loaded.about = f"{len(files)} found, {len(problems)} left out; " + _done_to(images, sizes)
    loaded.about += f", {for_tests.sum()} put aside for tests" * any(for_tests)
    return loaded.with_classes(classes if any(classes) else ())


def read_picture(file: Path, shape: tuple[int, int, int]) -> np.ndarray:
    """Reads one image of any size as a folder's are read: uint8 (H, W, C) of a given `shape`.

    Raises:
        UserError: it cannot be read, or `shape` is no square.
    """
    height, width, channels = shape
    if height != width:
        raise UserError(f"one image cannot be brought to {height}x{width}; accepted: squares")
    pixels = _read_image(Path(file), height)
    grey = np.asarray(Image.fromarray(pixels).convert("L"))[..., np.newaxis]
    return grey if channels == 1 else pixels


def _stacked(
    folder: Path, found: int, read: dict[Path, np.ndarray], problems: list[str]
) -> np.ndarray:
    """Returns the images as one array, grey if all are; says what has been left out."""
    told = f"{len(problems)} of {found} images are left out; the first: " + "".join(problems[:1])
    if not read:
        raise UserError(f"{str(folder)!r} holds no image that can be used: {told}")
    if problems:
        print(told, file=sys.stderr)
    images = np.stack(list(read.values()))
    return images[..., 0] if (images == images[..., :1]).all() else images


def _common_size(sizes: dict[Path, tuple[int, int]], formerly: bool) -> int:
    """Returns the largest of SIZES that nearly all can fill: one in a hundred may be too small."""
    sides = sorted(map(min, sizes.values()))
    sides = [side for side in sides if side >= min(SIZES)] or ([] if formerly else sides)
    deciding = sides[0 if formerly else len(sides) // 100] if sides else 0
    return next((size for size in (*SIZES, ICON) if size <= deciding), min(SIZES))


def _large_enough(sizes: dict[Path, tuple[int, int]], size: int, file: Path) -> tuple[int, int]:
    side = min(sizes[file])
    if side < size:
        raise UserError(
            f"image {str(file)!r} is only {side} pixels wide or high; needed: at least {size}, or "
            "an image_size of your choice"
        )
    return sizes[file]


def _done_to(images: np.ndarray, sizes: dict[Path, tuple[int, int]]) -> str:
    """Says what the images have become."""
    size, least, most = images.shape[1], min(sizes.values()), max(sizes.values())
    before = " to ".join(dict.fromkeys(f"{width}x{height}" for width, height in (least, most)))
    done = [f"{before} pixels"]
    if any(width != height for width, height in sizes.values()):
        done.append("cropped to squares")
    if any(min(pair) > size for pair in sizes.values()):
        done.append(f"shrunk to {size}x{size}")
    if any(min(pair) < size for pair in sizes.values()):
        done.append(f"padded to {size}x{size}")
    return ", ".join([*done, "in colour" if images.ndim == 4 else "grey"])


def _places(folder: Path, files: list[Path], formerly: bool) -> tuple[list[str | None], list[str]]:
    """Returns the split of each file, if sub-folders name splits, and the folder of its class."""
    inside = [file.relative_to(folder).parts[:-1] for file in files]
    splits = [SPLITS.get(place[0].lower()) if place else None for place in inside]
    above = {place[0].lower() for place in inside if place}
    if all(splits) and above & {"train", "training"} and not formerly:
        inside = [place[1:] for place in inside]
    else:  # a class may be called so too
        splits = [None] * len(files)
    if len({bool(place) for place in inside}) > 1:
        raise UserError(
            f"{str(folder)!r} holds images both beside and in its sub-folders; accepted: all in "
            "sub-folders, which are the classes, or none"
        )
    return splits, [place[0] if place else "" for place in inside]


def _image_files(folder: Path) -> list[Path]:
    """Returns the images below `folder`, hidden ones left out, in the order of their names."""
    known = {end for end, kind in Image.registered_extensions().items() if kind in Image.OPEN}
    try:
        found = [file for file in _files_below(folder) if file.suffix.lower() in known]
    except OSError as error:
        raise UserError(f"{str(error.filename)!r} cannot be read: {error.strerror}") from None
    if not found:
        raise UserError(
            f"{str(folder)!r} holds no images; accepted: .png, .jpg and others that Pillow opens"
        )
    return found


def _files_below(folder: Path, *above: Path) -> Iterator[Path]:
    """Yields files in natural order; follows a link to a folder, unless it leads back up."""
    here = folder.resolve()
    for path in sorted(folder.iterdir(), key=lambda path: _natural(path.name)):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            if path.resolve() not in (here, *above):
                yield from _files_below(path, here, *above)
        elif path.is_file():
            yield path


def _natural(name: str) -> tuple[list[str | int], str]:
    """Sorts 2 before 10."""
    return [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", name)], name


def _each(
    act: Callable[[Path], Any], files: Iterable[Path], problems: list[str], bar: bool = False
) -> dict[Path, Any]:
    """Returns what `act` makes of each file; what is wrong with the others goes to `problems`."""
    files, done = list(files), {}
    if bar := bar and sys.stdout.isatty():
        import keras

        shown = keras.utils.Progbar(len(files), unit_name="image")
    for file in files:
        try:
            done[file] = act(file)
        except UserError as error:
            problems.append(str(error))
        if bar:
            shown.add(1)
    return done


def _size_of(file: Path) -> tuple[int, int]:
    """Returns the width and height of an image; reads no pixels."""
    with _opened(file) as image:
        return image.size


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
    """Reads a file into uint8 (size, size, 3): cropped to a centred square, shrunk or padded."""
    with _opened(file) as image:
        may_be_eight = image.format == "TIFF" and image.mode == "I"
        image.draft("RGB", (2 * size, 2 * size))  # a large JPEG is not read in full
        image = ImageOps.exif_transpose(image)  # a telephone says which side is up
        if image.mode == "F":
            raise UserError("its pixels are fractions; accepted: whole numbers")
        if image.mode.startswith("I"):
            image = Image.fromarray(_eight_bits(np.asarray(image), may_be_eight))
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
        return np.asarray(fit(image, size))


def _eight_bits(pixels: np.ndarray, may_be_eight: bool) -> np.ndarray:
    """Returns whole numbers of 16 bits as uint8; in a TIFF of 32 they may be 8 bits already."""
    low, high = pixels.min(), pixels.max()
    if low < 0 or high > 65535:
        raise UserError(f"its pixels are from {low} to {high}; accepted: 0 to 65535")
    return (pixels if may_be_eight and high <= 255 else pixels // 257).astype(np.uint8)
