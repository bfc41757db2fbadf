"""What `dcgan sample` writes: a grid, single pictures, numbers, a film, a likeness."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import keras
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from dcgan_lib.beyond.inversion import find_latent
from dcgan_lib.data import unscale
from dcgan_lib.datasets.own import read_picture
from dcgan_lib.latent import (
    generator_input,
    latent_dim_of,
    neighbours,
    one_hot,
    sample_latent,
    takes_labels,
    tour,
    usual_labels,
)
from dcgan_lib.plots import image_grid, make_gif
from dcgan_lib.runs.files import (
    SIGNATURE,
    atomic_path,
    check_samples_name,
    single_pictures,
    writing,
)

FRAMES = 8  # of a film, from one random image to the next


def save_samples(
    generator: keras.Model,
    output: str | Path,
    count: int,
    seed: int = 0,
    digit: int | None = None,
    classes: Sequence[str] = (),
) -> None:
    """Draws `count` images from a generator, and writes them as the name of `output` says.

    - A folder (there already, or ending in `/`): each image as a PNG, `00000.png` and so on; of a
      generator that takes labels, in a sub-folder for each class.
    - `.npy`: float32 (count, H, W, C) in [-1, 1]. `.npz`: the same as `x`, with its labels (count,)
      as `y` if the generator takes labels.
    - `.gif`: an endless film of so many frames, a walk through latent space.
    - `.png`, `.jpg` or another picture that Pillow writes: a grid.

    The folder of `output` is made if it is not there. In a folder, pictures that were written so
    before are removed; one that holds anything else is refused.

    Args:
        classes: the names of the classes, for the sub-folders; by default numbers from 0.

    Raises:
        UserError: a digit asked of a generator that cannot choose, or an output that cannot be
            written.
    """
    ending = check_samples_name(output)
    with writing(output):
        Path(output).parent.mkdir(parents=True, exist_ok=True)
    latent = sample_latent(count, latent_dim_of(generator), seed)
    inputs = generator_input(generator, latent, None if digit is None else np.full(count, digit))
    if ending == ".gif":
        inputs = _closed_walk(generator, count, seed, digit)
    images = generator.predict(inputs, batch_size=256, verbose=0)
    labels = inputs[1].argmax(axis=1) if takes_labels(generator) else None
    if ending == "/":
        names = [""] * count if labels is None else [_folder_name(n, classes) for n in labels]
        _write_each(Path(output), unscale(images), names)
        return
    with atomic_path(output) as temporary:
        if ending == ".npy":
            np.save(temporary, images.astype(np.float32))
        elif ending == ".npz":
            known = {} if labels is None else {"y": labels}
            np.savez(temporary, x=images.astype(np.float32), **known)
        elif ending == ".gif":
            make_gif([image_grid(image[np.newaxis], zoom=4) for image in images], temporary)
        else:
            kinds = generator.input_shape[1][-1] if takes_labels(generator) else 0
            columns = kinds if 0 < kinds <= 20 and digit is None else None
            Image.fromarray(image_grid(unscale(images), columns)).save(temporary)


def _closed_walk(
    generator: keras.Model, count: int, seed: int, digit: int | None
) -> np.ndarray | list[np.ndarray]:
    """Returns what a generator takes for `count` even steps of a tour, which ends where it began.

    Labels, if it takes any, change along with the latent vectors: at every corner there is one, and
    a mixture of two between.
    """
    corners = min(max(2, count // FRAMES), 64)
    stations = sample_latent(corners, latent_dim_of(generator), seed)
    walk = tour(stations, count)[::corners]
    if not takes_labels(generator):
        return walk
    labels = usual_labels(generator, corners) if digit is None else np.full(corners, digit)
    codes = one_hot(labels, generator.input_shape[1][-1])
    before, share = np.divmod(np.arange(count) * corners / count, 1)
    here = before.astype(int)
    there, share = (here + 1) % corners, share[:, np.newaxis]
    return [walk, ((1 - share) * codes[here] + share * codes[there]).astype(np.float32)]


def _folder_name(label: int, classes: Sequence[str]) -> str:
    """Returns a class's name without what a folder's name must not have."""
    name = classes[label] if label < len(classes) else str(label)
    return re.sub(r'[\\/:*?"<>|]', "_", name).strip(". ") or str(label)


def _write_each(folder: Path, images: np.ndarray, names: Iterable[str]) -> None:
    """Writes images into `folder`, each in the sub-folder of its name, in place of those there."""
    about = PngInfo()
    about.add_text("Software", SIGNATURE.decode())
    with writing(folder):
        for file in single_pictures(folder):
            file.unlink()
        for number, (image, name) in enumerate(zip(images, names, strict=True)):
            (folder / name).mkdir(parents=True, exist_ok=True)
            picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
            picture.save(folder / name / f"{number:05}.png", pnginfo=about)


def save_likeness(
    generator: keras.Model,
    picture: str | Path,
    output: str | Path,
    seed: int = 0,
    digit: int | None = None,
) -> float:
    """Finds what a generator draws most like a picture, and draws both and 64 images around.

    On the left is the picture and what was found. On the right each column is a walk away from it,
    as far as a random image in the last row; labels stay. A grey picture is looked for as its
    negative too, since a digit on paper is dark, and MNIST's are white.

    Args:
        picture: an image file; it is cropped to a centred square and shrunk.
        output: a picture.

    Returns:
        The mean squared error of what was found, in [-1, 1].

    Raises:
        UserError: a picture that cannot be read, or as `save_samples`.
    """
    given = read_picture(Path(picture), generator.output_shape[1:])
    either = np.stack([given, 255 - given][: 1 if given.shape[-1] == 3 else 2])
    wanted = None if digit is None else np.full(len(either), digit)
    found = find_latent(generator, either, wanted, seed=seed)
    best = found.errors.argmin()
    z = found.latent[best]
    radii = np.linalg.norm(z) * 2**0.5 * np.arange(1, 9) / 8  # at the end, a right angle
    latent = np.concatenate([z[np.newaxis], *(neighbours(z, 8, radius) for radius in radii)])
    labels = None if found.labels is None else found.labels[best].repeat(len(latent))
    images = unscale(generator.predict(generator_input(generator, latent, labels), verbose=0))
    left = image_grid(np.stack([either[best], images[0]]), columns=1, zoom=8)
    with writing(output):
        Path(output).parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(output) as temporary:
        Image.fromarray(np.hstack([left, image_grid(images[1:], columns=8)])).save(temporary)
    return float(found.errors[best])
