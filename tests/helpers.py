"""Small things that several test files share."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from dcgan_lib.recipes import RECIPES, Recipe

STEPS = {"epochs": None, "steps": 12}


def tiny(name: str = "fast", **changes) -> Recipe:
    """A recipe with next to no neurons, which trains in a blink."""
    recipe = RECIPES[name]
    small = {
        "generator_widths": (8, 4, 4)[: len(recipe.generator_widths)],
        "discriminator_widths": (4, 8)[: len(recipe.discriminator_widths)],
        "generator_hidden": min(recipe.generator_hidden, 16),
        "discriminator_hidden": min(recipe.discriminator_hidden, 8),
        "groups": min(recipe.groups, 10),
        "latent_dim": 10,
        "batch_size": 32,
        "num_samples": 4,
        "augmentations": (),  # tests have few images, and ask for what many would have
        "simultaneous": recipe.simultaneous is not False,
        "hold_out": 100,  # too few to measure quality, which would take most of the time
    }
    return recipe.replace(**(small | changes))


def tiny_options(name: str, **changes) -> list[str]:
    """What turns `dcgan train --recipe NAME` into the recipe of `tiny`."""
    recipe, standard = tiny(name, **changes), RECIPES[name]
    options = ["--recipe", name]
    for field, value in vars(recipe).items():
        if isinstance(value, bool) and value != getattr(standard, field):
            options.append(f"--{'' if value else 'no-'}{field.replace('_', '-')}")
        elif value != getattr(standard, field):
            values = value if isinstance(value, tuple) else (value,)
            options += ["--" + field.replace("_", "-"), *map(str, values)]
    return options


def make_gan(recipe: Recipe, num_images: int = 64):
    from dcgan_lib.building import build_gan

    return build_gan(recipe, num_images)


def make_sgd_gan(recipe: Recipe, rate: float = 0.1):
    """With SGD a weight moves by exactly -rate x gradient."""
    import keras

    gan = make_gan(recipe)
    gan.compile(keras.optimizers.SGD(rate), keras.optimizers.SGD(rate), gan.gan_loss)
    return gan


def fit(
    gan, images: np.ndarray, recipe: Recipe, epochs: int = 1, callbacks=(), first_step: int = 0
):
    """Trains on whole epochs, as a reader of the notebooks would."""
    from dcgan_lib.data import training_batches

    return gan.fit(
        training_batches(images, recipe.batch_size, recipe.seed, first_step),
        epochs=epochs,
        steps_per_epoch=recipe.steps_per_epoch(len(images)),
        callbacks=list(callbacks),
        shuffle=False,
        verbose=0,
    )


def arrays(thing) -> list[np.ndarray]:
    """Copies of all weights of a network (or of the variables in a list)."""
    variables = getattr(thing, "weights", thing)
    return [np.array(variable) for variable in variables]


def equal(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return len(first) == len(second) and all(map(np.array_equal, first, second))


def moving_statistics(network) -> list[np.ndarray]:
    return [np.array(w) for w in network.non_trainable_weights if "moving" in w.path]


def read_rows(path: Path) -> list[list[str]]:
    """The rows of a log without the seconds, which no two runs share."""
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    seconds = header.index("seconds")
    return [row[:seconds] + row[seconds + 1 :] for row in [header, *rows]]


def frames(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "samples").iterdir())}


def newest_state(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of the newest checkpoint of a run."""
    files = (folder / "checkpoints").glob("*.npz")
    newest = max(files, key=lambda path: path.name.split("-")[1])
    with np.load(newest) as saved:
        return {name: saved[name] for name in saved.files if name != "notes"}


def save_data(path: Path, images: np.ndarray, labels: np.ndarray | None = None, **other) -> Path:
    """Writes an `.npz` in MNIST's layout; `other` replaces or adds arrays."""
    labels = np.arange(len(images), dtype=np.uint8) % 10 if labels is None else labels
    content = {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels} | other
    np.savez(path, **{key: value for key, value in content.items() if value is not None})
    return path


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below `folder` with its content: what must not be harmed."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
