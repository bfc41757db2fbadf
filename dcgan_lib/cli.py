"""The command line: `dcgan train`, `sample` and others. A thin skin over the library."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import re
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import tyro

from dcgan_lib.errors import UserError
from dcgan_lib.recipes import FAST, RECIPES, Recipe, get_recipe

Options = TypeVar("Options")
USAGE = """usage: dcgan COMMAND ...

  train     train a recipe into a run folder, or go on with a run
  sample    draw images from a trained generator
  evaluate  score a run against the test images
  recipes   the known ways of training, as a table
  evaluator train one of the judges anew
  publish   put a finished run's generator into the package
  figures   make the README's figures anew

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
    """auto, mnist, digits or shapes (offline), fashion_mnist, cifar10, an .npz file, or a folder of
    images; DCGAN_DATA names a file for MNIST."""
    max_images: int | None = None
    """Train on the first so many images only."""
    checkpoint_every: int | None = None
    """Steps between checkpoints; by default about 50 seconds."""
    devices: int = 1
    """How many GPUs of this machine share each batch."""
    settings: Recipe = FAST
    """Every value of the recipe can be replaced."""


@dataclass(frozen=True)
class SampleOptions:
    """Draw images from a trained generator."""

    source: tyro.conf.Positional[Path]
    """A run folder, a .keras file, or a published generator: fast, best, conditional,
    explorer."""
    count: Annotated[int, tyro.conf.arg(name="n", aliases=["-n"])] = 64
    """How many."""
    digit: int | None = None
    """Which digit, from a generator that knows the labels; by default each in turn."""
    seed: int = 0
    """Another seed, other images."""
    output: Path = Path("grid.png")
    """A .png for a grid, or an .npy for float32 (n, height, width, channels) in [-1, 1]."""


@dataclass(frozen=True)
class EvaluateOptions:
    """Score a run (or a .keras file, or an .npy of images) against the test images."""

    source: tyro.conf.Positional[Path]
    """A run folder, a .keras file, or an .npy of float images (N, 28, 28, 1) in [-1, 1]."""
    count: Annotated[int, tyro.conf.arg(name="n", aliases=["-n"])] = 10_000
    """Images on each side; scores of different numbers do not compare."""
    evaluator: Literal["primary", "second"] = "primary"
    """The judge; `second` is another network, to confirm what is published."""
    data: str = "auto"
    """What to compare with; by default what the run was trained on."""


@dataclass(frozen=True)
class PublishOptions:
    """Put the generator of a finished run, scored by both evaluators, into the package."""

    run: tyro.conf.Positional[Path]
    """Its folder."""


@dataclass(frozen=True)
class FigureOptions:
    """Make the README's figures anew, from real runs on MNIST."""

    output: Path = Path("images")
    """Where to."""


@dataclass(frozen=True)
class EvaluatorOptions:
    """Train an evaluator anew (minutes). The shipped weights are frozen: this shows how."""

    name: tyro.conf.Positional[Literal["primary", "second"]]
    """Which of the two."""
    output: Path
    """Where to write its weights (.npz)."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    command, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    commands = {
        "train": train,
        "sample": sample,
        "evaluate": evaluate,
        "evaluator": evaluator,
        "figures": figures,
        "publish": publish,
        "recipes": recipes,
    }
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
    except KeyboardInterrupt:
        print("dcgan: interrupted", file=sys.stderr)
        return 130
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
        raise UserError(one_line(complaint.getvalue())) from None


HEADINGS = "Value error|Unrecognized options|Missing argument|Invalid choice|Parsing error"


def one_line(complaint: str) -> str:
    """Takes what tyro complains of out of its box, headings and repetitions."""
    words = " ".join(re.sub(r"[─│╭╮╰╯]|-{4,}", " ", complaint).split())
    words = re.sub(rf"^({HEADINGS}) ", "", words).removeprefix("Error parsing settings: ")
    return re.sub(r" For full helptext, \w+ (.*)$", r" (see \1)", words)


def train(arguments: Sequence[str]) -> int:
    options, chosen = train_options(arguments)
    started = time.perf_counter()
    import dcgan_lib

    dcgan_lib.import_tensorflow()
    from dcgan_lib.callbacks import TrainingInterrupted

    if options.resume and (options.fresh or options.output or _given(arguments, "recipe")):
        raise UserError(
            "--resume goes on with a run as it is: without --fresh, --output and --recipe"
        )
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
            devices=options.devices,
            **chosen,
        )
    except TrainingInterrupted as interruption:
        again = ["--resume", str(folder)] if folder else [a for a in arguments if a != "--fresh"]
        print(f"\n{interruption}. Go on with: dcgan train {shlex.join(again)}")
        return 128 + interruption.number
    _report(run, time.perf_counter() - started)
    return 0


def train_options(arguments: Sequence[str]) -> tuple[TrainOptions, dict[str, Any]]:
    """Returns the options, and the settings that differ from those that the run starts from."""
    standard = _start_from(arguments)
    default = _train_defaults(arguments, standard)
    options = parse(TrainOptions, arguments, prog="dcgan train", default=default)
    chosen = {
        field.name: getattr(options.settings, field.name)
        for field in dataclasses.fields(Recipe)
        if getattr(options.settings, field.name) != getattr(standard, field.name)
    }
    return options, chosen


def _start_from(arguments: Sequence[str]) -> Recipe:
    """Looks ahead for --resume and --recipe: the defaults, in --help too, are that recipe's."""
    if run := _given(arguments, "resume"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, UserError):
            return Recipe(**json.loads((Path(run) / "recipe.json").read_text())["recipe"])
    return get_recipe(_given(arguments, "recipe") or "fast")


def _given(arguments: Sequence[str], name: str) -> str | None:
    """Returns what follows `--name`, or None."""
    for word, following in zip(arguments, [*arguments, None][1:], strict=True):
        if word == f"--{name}":
            return following
        if word.startswith(f"--{name}="):
            return word.partition("=")[2]
    return None


def _train_defaults(arguments: Sequence[str], recipe: Recipe) -> TrainOptions:
    """What the options are if nothing else is said.

    Looks ahead for --steps and --epochs too: the one that is given replaces the recipe's other.
    """
    length = {name: _given(arguments, name) for name in ("steps", "epochs")}
    given = {name: int(value) for name, value in length.items() if value and value.isdigit()}
    start = _given(arguments, "recipe") or "fast"
    return TrainOptions(start, settings=recipe.replace(**given) if len(given) == 1 else recipe)


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
    if options.digit is not None and not 0 <= options.digit <= 9:
        raise UserError(f"--digit {options.digit} is impossible; accepted: 0 to 9")
    if options.seed < 0:
        raise UserError(f"--seed {options.seed} is impossible; accepted: 0 or above")
    if options.output.suffix not in (".png", ".npy"):
        raise UserError(f"output {str(options.output)!r}; accepted: a name ending in .png or .npy")
    import dcgan_lib

    dcgan_lib.import_tensorflow()
    from dcgan_lib.pretrained import find_generator
    from dcgan_lib.training import save_samples

    generator = find_generator(options.source)
    save_samples(generator, options.output, options.count, options.seed, options.digit)
    print(f"{options.count} images: {options.output}")
    return 0


def evaluate(arguments: Sequence[str]) -> int:
    options = parse(EvaluateOptions, arguments, prog="dcgan evaluate")
    if options.count < 1:
        raise UserError(f"-n {options.count} is impossible; accepted: a number above 0")
    import dcgan_lib

    report = dcgan_lib.evaluate(options.source, options.count, options.data, options.evaluator)
    print(dcgan_lib.report_table(report))
    return 0


def evaluator(arguments: Sequence[str]) -> int:
    options = parse(EvaluatorOptions, arguments, prog="dcgan evaluator")
    if options.output.suffix != ".npz":
        raise UserError(f"output {str(options.output)!r}; accepted: a name ending in .npz")
    if not options.output.parent.is_dir():
        raise UserError(f"output {str(options.output)!r}: there is no folder of that name")
    import dcgan_lib

    dcgan_lib.import_tensorflow()
    from dcgan_lib.evaluator import train_evaluator

    for name, value in train_evaluator(options.name, options.output).items():
        print(f"{name}: {value}")
    return 0


def publish(arguments: Sequence[str]) -> int:
    options = parse(PublishOptions, arguments, prog="dcgan publish")
    import dcgan_lib

    dcgan_lib.import_tensorflow()
    from dcgan_lib import pretrained

    print(pretrained.publish(options.run))
    return 0


def figures(arguments: Sequence[str]) -> int:
    options = parse(FigureOptions, arguments, prog="dcgan figures")
    import dcgan_lib

    dcgan_lib.import_tensorflow()
    from dcgan_lib.figures import make_figures

    for path in make_figures(options.output):
        print(path)
    return 0


def recipes(arguments: Sequence[str]) -> int:
    if "-h" in arguments or "--help" in arguments:
        print("usage: dcgan recipes\n\nThe known ways of training, as a table; without options.")
        return 0
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
        "hinge loss" if recipe.loss == "hinge" else "",
        "gradient penalty" if recipe.gradient_penalty else "",
        "spectral normalisation" if recipe.spectral_norm else "",
        "labels" if recipe.conditional else "",
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
