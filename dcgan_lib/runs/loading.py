"""Finished runs, and generators wherever they are."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

import keras
import numpy as np

from dcgan_lib.errors import UserError, first_line
from dcgan_lib.guard.chance import drawing_alone, layer_precision
from dcgan_lib.latent import takes_groups, takes_labels
from dcgan_lib.plots import read_log
from dcgan_lib.recipes import Recipe
from dcgan_lib.runs.archive import check_archive, read_classes
from dcgan_lib.runs.files import quoted
from dcgan_lib.runs.folder import LOG, is_finished, read_record
from dcgan_lib.runs.page import embedded
from dcgan_lib.shelf.pretrained import load_pretrained, published


@dataclass(frozen=True, repr=False)
class TrainingRun:
    """A finished training.

    Attributes:
        folder: where everything is.
        recipe: what it was trained with.
        generator, discriminator: the networks; the generator is the averaged one, if any.
        log: the columns of log.csv.
        found: whether it had been trained before, and was only loaded.
    """

    folder: Path
    recipe: Recipe
    generator: keras.Model
    discriminator: keras.Model
    log: dict[str, np.ndarray]
    found: bool

    def __repr__(self) -> str:
        steps = self.log["step"][-1]
        return f"<TrainingRun {self.recipe.name!r}, {steps:.0f} steps, in {str(self.folder)!r}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the images, the curve, and where everything is."""
        quality = self.folder / "quality_plot.png"
        curve = quality if quality.exists() else self.folder / "loss_plot.png"
        shown = (
            f'<img src="{embedded(path)}" alt="{text}" style="height:320px;max-width:100%">'
            for path, text in (
                (self.folder / "final_samples.png", "images that it draws"),
                (curve, "how the training went"),
            )
        )
        style = "display:flex;flex-wrap:wrap;gap:12px"
        return f'<p>{escape(repr(self))}</p><div style="{style}">{"".join(shown)}</div>'


def load_run(folder: str | Path, found: bool = True) -> TrainingRun:
    """Loads a finished run.

    Raises:
        UserError: no run there, or one that is not finished.
    """
    folder = Path(folder)
    recipe = Recipe(**read_record(folder)["recipe"])
    networks = load_generator(folder), load_network(folder / "discriminator.keras")
    return TrainingRun(folder, recipe, *networks, read_log(folder / LOG), found)


def load_network(path: str | Path) -> keras.Model:
    """Loads a `.keras` file; code that it may carry is never run.

    Raises:
        UserError: it is missing, not a Keras model, or has more than layers and weights.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"{str(path)!r} does not exist; accepted: a run folder or a .keras file")
    try:
        check_archive(path)
        with drawing_alone(), layer_precision("float32"):  # layers bring their own
            return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for a bad file
        raise UserError(
            f"{str(path)!r} is not a Keras model that can be loaded: {first_line(error)}"
        ) from None


def load_generator(path: str | Path) -> keras.Model:
    """Loads the generator of a finished run, or from a `.keras` file.

    Returns:
        A model from (batch, latent_dim), or from that and one-hot labels, to images in [-1, 1].

    Raises:
        UserError: missing, unfinished, or not a generator.
    """
    path = Path(path)
    if path.is_dir():
        read_record(path)
        if not is_finished(path):
            raise UserError(
                f"run {str(path)!r} is not finished: dcgan train --resume {quoted(path)}"
            )
        path = path / "generator.keras"
    model = load_network(path)
    inputs, outputs = (getattr(model, f"{end}_shape", None) for end in ("input", "output"))
    known = [inputs] if isinstance(inputs, tuple) else inputs  # with labels there are two
    vectors = isinstance(known, list) and len(known) in (1, 2) and all(len(k) == 2 for k in known)
    pictures = isinstance(outputs, tuple) and len(outputs) == 4 and outputs[-1] in (1, 3)
    if not (vectors and pictures):
        raise UserError(
            f"{str(path)!r} is not a generator: it goes from {inputs} to {outputs}; needed: "
            "(None, latent_dim) to (None, height, width, 1 or 3)"
        )
    return model


def find_class(
    generator: keras.Model, source: str | Path, digit: int | None = None, label: str | None = None
) -> int | None:
    """Returns the number of the class that is asked for, or None if none is.

    Args:
        source: where `generator` was found; it may know the names of its classes.
        digit: the name of a class, or where no name is a number, its place from 0.
        label: the name of a class.

    Raises:
        UserError: a generator that cannot choose, or a class that it does not know.
    """
    if digit is None and label is None:
        return None
    if not takes_labels(generator):
        raise UserError("this generator cannot choose the digit; train the recipe 'conditional'")
    if digit is not None and takes_groups(generator):
        raise UserError("this generator knows groups, and no digits: --label N chooses a group")
    names = class_names(generator, source)
    count = len(names)
    option, wanted = ("--label", label) if digit is None else ("--digit", str(digit))
    if digit is not None and not any(name.isdecimal() for name in names):
        names = [str(number) for number in range(count)]
    if wanted not in names:
        known = f"0 to {count - 1}" if names[-1] == str(count - 1) else ", ".join(names)
        raise UserError(f"{option} {wanted} is impossible; accepted: {known}")
    return names.index(wanted)


def class_names(generator: keras.Model, source: str | Path) -> list[str]:
    """Returns what a generator's labels stand for: as its file says, else "0", "1" and so on.

    Without labels, there are no names.
    """
    if not takes_labels(generator):
        return []
    path, count = Path(source), generator.input_shape[1][-1]
    path = path / "generator.keras" if path.is_dir() else path
    names = read_classes(path) if path.exists() else []
    return names if len(names) == count else [str(number) for number in range(count)]


def find_generator(source: str | Path) -> keras.Model:
    """Loads from a run folder or `.keras` file, or the published generator of that name.

    Raises:
        UserError: none of these.
    """
    if Path(source).exists():
        return load_generator(source)
    if str(source) in published():
        return load_pretrained(str(source))
    names = " or ".join(published())
    raise UserError(
        f"{str(source)!r} does not exist; accepted: a run folder, a .keras file, or {names}"
    )
