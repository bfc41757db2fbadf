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
            named = {"name": "from", "metavar": "RUN"} if name == "start_from" else {}
            hint = bool if hint == (bool | None) else hint  # --x and --no-x; not given is None
            settings[name] = Annotated[hint, arg(help=text, help_behavior_hint=usual, **named)]
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
        resume: Resume the run in this folder, with its own settings; --steps or --epochs give it
            another length, also after its end.
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
    start = recipe if resume or "start_from" in settings else recipe or "fast"
    sys.path.append(str(Path.cwd()))  # a loss of your own may stand in this folder
    run = dcgan_lib.train_dcgan_mnist(start, resume or output, data, resume=not fresh, **settings)
    if run.found:
        print(f"This run is finished already ({run.folder}). --fresh trains it again.")
    seconds = time.perf_counter() - started
    print(f"Training: {run.log['seconds'][-1]:.0f} s; this command: {seconds:.0f} s.")
    print(f"Run folder: {run.folder}")
    print(what_is_there(run.folder))
    print(what_next(run.folder, run.recipe))
    if open:
        show_page(page_of(run.folder))


@app.command
def sample(
    source: Positional[Path],
    count: Annotated[int, arg(name="n", aliases=["-n"])] = 64,
    digit: int | None = None,
    label: Annotated[str | None, arg(metavar="NAME")] = None,
    seed: int = 0,
    output: Annotated[str, arg(metavar="PATH")] = "grid.png",
    like: Annotated[Path | None, arg(metavar="IMAGE")] = None,
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
        output: A .png, .jpg or other picture for a grid; a folder, ending in /, for single PNGs; a
            .gif for a walk of so many frames; an .npy for float32 (n, height, width, channels) in
            [-1, 1], an .npz for these as x, with their labels as y.
        like: An image file. Finds what the generator draws most like it, and draws both, with 64
            images around: each column leads farther away.
    """
    _require("-n", count, count > 0, "a number above 0")
    _require("--label", label, label is None or digit is None, "this, or --digit")
    _require("--seed", seed, seed >= 0, "0 or above")
    ending = check_samples_name(output)
    if like:
        _require("-n", count, count == 64, "with --like only 64, as many as it draws around")
        _require("--output", output, ending not in NO_GRID, "with --like a .png or other picture")
        _require("--like", like, like.is_file(), "an image file")
    dcgan_lib.import_tensorflow()
    from dcgan_lib.runs import loading, samples

    generator = loading.find_generator(source)
    chosen = loading.find_class(generator, source, digit, label)
    if like:
        error = samples.save_likeness(generator, like, output, seed, chosen)
        print(f"{_said_of(error)}\n{like}, what was found, and 64 images around it: {output}")
        return
    names = loading.class_names(generator, source)
    dcgan_lib.save_samples(generator, output, count, seed, chosen, names)
    print(f"{count} images: {output}")


NO_GRID = ("/", ".gif", ".npy", ".npz")

LOOKS = {0.03: "the eye hardly sees a difference", 0.1: "alike, but not stroke by stroke"}


def _said_of(error: float) -> str:
    """Says what a mean squared error in [-1, 1] looks like; see `find_latent`."""
    seen = next((words for most, words in LOOKS.items() if error <= most), "only a likeness")
    off = f"{50 * error**0.5:.0f} % of the way from black to white"  # the root mean square
    return f"Found, up to an error of {error:.3f}: {seen}. A pixel is off by about {off}."


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
