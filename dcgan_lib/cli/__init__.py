"""The command line: `dcgan train`, `sample`, `evaluate`, `recipes` and so on."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, get_type_hints

import tyro
from pydantic import ConfigDict, TypeAdapter
from tyro.conf import FlagCreatePairsOff, Positional, arg

import dcgan_lib
from dcgan_lib.cli.checkup import examine
from dcgan_lib.cli.ending import page_of, show_page, what_is_there, what_next
from dcgan_lib.cli.hints import short_help, with_nearest
from dcgan_lib.cli.listing import recipe_list
from dcgan_lib.errors import UserError
from dcgan_lib.recipes import CallOptions, Recipe
from dcgan_lib.runs.files import check_samples_name, quoted
from dcgan_lib.runs.signals import TrainingInterrupted

app = tyro.extras.SubcommandApp()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    for stream in (sys.stdout, sys.stderr):  # in a file they may lack letters that we print
        if isinstance(stream, io.TextIOWrapper):  # a notebook's are others, and lack none
            stream.reconfigure(errors="replace")
    if arguments[0] == "train" and {"-h", "--help"} & {*arguments}:
        print(short_help(train, Settings))
        return 0
    arguments = ["--help" if word == "--help-all" else word for word in arguments]
    try:
        app.cli(
            prog="dcgan",
            description="Train, sample and measure GANs. `dcgan COMMAND --help` tells more.",
            args=arguments,
            config=(tyro.conf.OmitArgPrefixes,),
        )
        return 0
    except SystemExit as stop:  # tyro's own: 0 after --help, 2 after what it cannot read
        return int(stop.code or 0)
    except UserError as error:
        print(f"dcgan: error: {with_nearest(str(error))}", file=sys.stderr)
        return 2
    except TrainingInterrupted as interruption:
        print(f"\n{interruption}. Resume with: dcgan train --resume {quoted(interruption.folder)}")
        return 128 + interruption.number
    except KeyboardInterrupt:
        print("dcgan: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 0


def _settings() -> type:
    """The type of all settings, none of which has to be given, from Recipe and CallOptions."""
    settings = {}
    for kind in (CallOptions, Recipe):
        kind.__pydantic_config__ = ConfigDict(use_attribute_docstrings=True)
        described = TypeAdapter(kind).json_schema()["properties"]
        for name, hint in get_type_hints(kind).items():
            text, usual = described[name]["description"], f"({getattr(kind, name)})"
            settings[name] = Annotated[hint, arg(help=text, help_behavior_hint=usual)]
    del settings["show"]  # for notebooks only
    return TypedDict("Settings", settings, total=False)


Settings = _settings()


@app.command
def train(
    recipe: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="(fast)")] = None,
    output: Annotated[Path | None, arg(metavar="FOLDER")] = None,
    resume: Annotated[Path | None, arg(metavar="FOLDER")] = None,
    fresh: FlagCreatePairsOff[bool] = False,
    data: str = "auto",
    open: FlagCreatePairsOff[bool] = False,
    settings: Settings = {},  # noqa: B006 (tyro takes no None here)
) -> None:
    """Train a recipe. The same command again resumes its run, or shows the finished one.

    Every value of the recipe can be replaced.

    Args:
        recipe: Which recipe to start from (see `dcgan recipes`).
        output: The run folder; by default runs/<recipe>-s<seed>-<hash of the settings>.
        resume: Resume the run in this folder, with its own settings.
        fresh: Start a new run, replacing the one in the output folder.
        data: auto, mnist, mnist10k, digits or shapes (these three offline), fashion_mnist, cifar10,
            an .npz, .npy or IDX file, or a folder of images or IDX files; DCGAN_DATA names a file
            for MNIST.
        open: Show the run's page in the browser at the end.
        settings: Values that replace the recipe's; in brackets those of fast.
    """
    started = time.perf_counter()
    if resume and (fresh or output or recipe):
        raise UserError("--resume takes a run up as it is: without --fresh, --output and --recipe")
    if resume and not (resume / "recipe.json").exists():
        raise UserError(f"{str(resume)!r} is not a run folder: it has no recipe.json")
    start = None if resume else recipe or "fast"
    sys.path.append(str(Path.cwd()))  # a loss of your own may stand in this folder
    run = dcgan_lib.train_dcgan_mnist(start, resume or output, data, resume=not fresh, **settings)
    if run.found:
        print(f"This run is finished already ({run.folder}). --fresh trains it again.")
    seconds = time.perf_counter() - started
    print(f"Training: {run.log['seconds'][-1]:.0f} s; this command: {seconds:.0f} s.")
    print(f"Run folder: {run.folder}")
    print(what_is_there(run.folder))
    print(what_next(run.folder))
    if open:
        show_page(page_of(run.folder))


@app.command
def sample(
    source: Positional[Path],
    count: Annotated[int, arg(name="n", aliases=["-n"])] = 64,
    digit: int | None = None,
    label: Annotated[str | None, arg(metavar="NAME")] = None,
    seed: int = 0,
    output: Path = Path("grid.png"),
) -> None:
    """Draw images from a trained generator.

    Args:
        source: A run folder, a .keras file, or a published generator: fast, grouped, best,
            conditional, explorer.
        count: How many.
        digit: Which digit, from a generator that knows the labels; by default each in turn. Of
            classes with names, the number of one, from 0.
        label: Which class, by its name: that of its folder, its label, or the number of a group.
        seed: Another seed, other images.
        output: A .png, .jpg or other picture for a grid, or an .npy for float32 (n, height, width,
            channels) in [-1, 1].
    """
    _require("-n", count, count > 0, "a number above 0")
    _require("--label", label, label is None or digit is None, "this, or --digit")
    _require("--seed", seed, seed >= 0, "0 or above")
    check_samples_name(output)
    dcgan_lib.import_tensorflow()
    from dcgan_lib.runs.loading import find_class, find_generator

    generator = find_generator(source)
    chosen = find_class(generator, source, digit, label)
    dcgan_lib.save_samples(generator, output, count, seed, chosen)
    print(f"{count} images: {output}")


@app.command
def evaluate(
    source: Positional[Path],
    count: Annotated[int, arg(name="n", aliases=["-n"])] = 10_000,
    evaluator: Literal["primary", "second"] = "primary",
    data: str = "auto",
) -> None:
    """Score a generator, or images, against the test images.

    Args:
        source: A run folder, a .keras file, a published generator, or 28x28 grey images: a folder
            of them, an .npy or an .npz, from 0 to 255, 0 to 1 or -1 to 1.
        count: Images on each side; scores of different numbers do not compare.
        evaluator: Which classifier measures; second is another network, to confirm what is
            published.
        data: What to compare with; by default what the run was trained on.
    """
    print(dcgan_lib.report_table(dcgan_lib.evaluate(source, count, data, evaluator)))


def _require(option: str, value: Any, good: bool, accepted: str) -> None:
    if not good:
        raise UserError(f"{option} {value} is impossible; accepted: {accepted}")


@app.command
def recipes() -> None:
    """List the known ways of training: what each is for, how long it takes, what is in it."""
    print(recipe_list())


@app.command
def doctor() -> None:
    """Check this computer: versions, GPU, memory, disk, MNIST, and how long a run will take."""
    line, well = examine()
    print(f"\n{line}")
    if not well:
        raise SystemExit(1)


@app.command(name="open")
def open_run(run: Positional[Path], fresh: FlagCreatePairsOff[bool] = False) -> None:
    """Show the page of a finished run in the browser.

    Args:
        run: The run folder.
        fresh: Write the page again.
    """
    show_page(page_of(run, fresh))
