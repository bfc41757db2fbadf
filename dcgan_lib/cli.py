"""The command line: `dcgan train`, `sample`, `recipes`. A thin skin over the library."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro

from dcgan_lib.errors import UserError
from dcgan_lib.recipes import FAST, RECIPES, Recipe, get_recipe

Options = TypeVar("Options")
USAGE = """usage: dcgan COMMAND ...

  train     train a recipe into a run folder, or go on with a run
  sample    draw images from a trained generator
  recipes   the known ways of training, as a table

dcgan COMMAND --help tells more."""


@dataclass(frozen=True)
class TrainOptions:
    """Train a recipe. The same command again goes on with its run, or shows the finished one."""

    recipe: str = "fast"
    """Which recipe to start from (see `dcgan recipes`)."""
    output: Path | None = None
    """The run folder; by default runs/<recipe>-s<seed>-<hash of the settings>."""
    resume: Path | None = None
    """Go on with the run in this folder, with its own settings."""
    fresh: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Start anew, replacing the run in the output folder."""
    data: str = "auto"
    """auto, mnist, digits (offline), or an .npz file; DCGAN_DATA names a file for MNIST."""
    max_images: int | None = None
    """Train on the first so many images only."""
    checkpoint_every: int | None = None
    """Steps between checkpoints; by default about 50 seconds."""
    settings: Recipe = FAST
    """Every value of the recipe can be replaced."""


@dataclass(frozen=True)
class SampleOptions:
    """Draw images from a trained generator."""

    source: tyro.conf.Positional[Path]
    """A run folder or a .keras file."""
    count: Annotated[int, tyro.conf.arg(name="n", aliases=["-n"])] = 64
    """How many."""
    seed: int = 0
    """Another seed, other images."""
    output: Path = Path("grid.png")
    """A .png for a grid, or an .npy for float32 (n, height, width, 1) in [-1, 1]."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    command, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    commands = {"train": train, "sample": sample, "recipes": recipes}
    if command in ("-h", "--help"):
        print(USAGE)
        return 0
    try:
        if command not in commands:
            raise UserError(f"unknown command {command!r}; known: {', '.join(commands)}")
        return commands[command](rest)
    except UserError as error:
        print(f"dcgan: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return 0


def parse(options: type[Options], arguments: Sequence[str], **keywords: Any) -> Options:
    """Parses with tyro; what it refuses becomes one line.

    Raises:
        UserError: an unknown option or a value of the wrong type.
    """
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(tyro.conf.OmitArgPrefixes[options], args=arguments, **keywords)
    except SystemExit as stop:
        if not stop.code:
            raise
        words = re.sub(r"[─│╭╮╰╯]", " ", complaint.getvalue()).split()
        raise UserError(" ".join(words)) from None


def train(arguments: Sequence[str]) -> int:
    options = parse(TrainOptions, arguments, prog="dcgan train", default=_train_defaults(arguments))
    chosen = _chosen_settings(options)
    started = time.perf_counter()
    import dcgan_lib

    dcgan_lib.import_tensorflow()
    from dcgan_lib.callbacks import TrainingInterrupted

    if options.resume and not (options.resume / "recipe.json").exists():
        raise UserError(f"{str(options.resume)!r} is not a run folder: it has no recipe.json")
    folder = options.resume or options.output
    try:
        run = dcgan_lib.train_dcgan_mnist(
            None if options.resume else options.recipe,
            output=folder,
            data=options.data,
            max_images=options.max_images,
            resume=not options.fresh,
            checkpoint_every=options.checkpoint_every,
            **chosen,
        )
    except TrainingInterrupted as interruption:
        again = f"--resume {folder}" if folder else " ".join(a for a in arguments if a != "--fresh")
        print(f"\n{interruption}, saved. Go on with: dcgan train {again}")
        return 130
    _report(run, time.perf_counter() - started)
    return 0


def _train_defaults(arguments: Sequence[str]) -> TrainOptions:
    """Looks ahead for --recipe, so that --help and the defaults are that recipe's."""
    found = re.findall(r"--recipe[= ](\S+)", " ".join(arguments))
    name = found[-1] if found else "fast"
    return TrainOptions(recipe=name, settings=get_recipe(name))


def _chosen_settings(options: TrainOptions) -> dict[str, Any]:
    standard = RECIPES[options.recipe]
    chosen = {
        field.name: getattr(options.settings, field.name)
        for field in dataclasses.fields(Recipe)
        if getattr(options.settings, field.name) != getattr(standard, field.name)
    }
    return chosen


def _report(run: Any, seconds: float) -> None:
    if run.found:
        print(f"This run is finished already ({run.folder}). --fresh trains it anew.")
    print(f"Run folder: {run.folder}")
    for name, meaning in (
        ("final_samples.png", "what it draws from the fixed noise"),
        ("latent_samples.png", "a hundred fresh images"),
        ("interpolation.png", "walks through latent space"),
        ("training.gif", "the training, frame by frame"),
        ("loss_plot.png", "both losses"),
        ("log.csv", "the numbers behind it"),
        ("generator.keras", "the trained generator"),
        ("discriminator.keras", "the trained discriminator"),
    ):
        print(f"  {name:<20} {meaning}")
    print(f"Training: {run.log['seconds'][-1]:.0f} s; this command: {seconds:.0f} s.")


def sample(arguments: Sequence[str]) -> int:
    options = parse(SampleOptions, arguments, prog="dcgan sample")
    if options.count < 1:
        raise UserError(f"-n {options.count} is impossible; accepted: a number above 0")
    if options.output.suffix not in (".png", ".npy"):
        raise UserError(f"output {str(options.output)!r}; accepted: a name ending in .png or .npy")
    import dcgan_lib

    dcgan_lib.import_tensorflow()
    from dcgan_lib.training import save_samples

    save_samples(options.source, options.output, options.count, options.seed)
    print(f"{options.count} images: {options.output}")
    return 0


def recipes(arguments: Sequence[str]) -> int:
    if arguments:
        raise UserError(f"`dcgan recipes` takes no options, not {' '.join(arguments)!r}")
    header = ("recipe", "generator", "discriminator", "batch", "rates G / D", "length", "notes")
    rows = [header, *(_recipe_row(recipe) for recipe in RECIPES.values())]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    for row in rows:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    return 0


def _recipe_row(recipe: Recipe) -> tuple[str, ...]:
    notes = [
        f"p={recipe.d_steps} k={recipe.g_steps}" if recipe.g_steps + recipe.d_steps > 2 else "",
        "both at once" if recipe.simultaneous else "",
        "label smoothing" if recipe.real_label_smoothing else "",
        "averaged weights" if recipe.ema_decay else "",
        f"dropout {recipe.dropout}" if recipe.dropout else "",
        "decaying rates" if recipe.g_schedule != "constant" else "",
    ]
    return (
        recipe.name,
        "-".join(map(str, recipe.generator_widths)),
        "-".join(map(str, recipe.discriminator_widths)),
        str(recipe.batch_size),
        f"{recipe.g_learning_rate:g} / {recipe.d_learning_rate:g}",
        f"{recipe.steps} steps" if recipe.steps else f"{recipe.epochs} epochs",
        ", ".join(note for note in notes if note),
    )


if __name__ == "__main__":
    sys.exit(main())
