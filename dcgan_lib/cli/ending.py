"""What `dcgan train` says at its end: which files are there, and what to do with them."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

import dcgan_lib
from dcgan_lib.errors import UserError
from dcgan_lib.recipes import Recipe
from dcgan_lib.runs.files import quoted

FILES = {
    "report.html": "all of it on one page",
    "final_samples.png": "what it draws from the fixed noise",
    "latent_samples.png": "a hundred new images",
    "interpolation.png": "walks through latent space",
    "training.gif": "the training, frame by frame",
    "loss_plot.png": "both losses",
    "quality_plot.png": "distance from real images, and classes drawn",
    "log.csv": "the numbers behind the losses",
    "quality.csv": "the numbers behind the quality",
    "health.csv": "what the health monitor saw",
    "generator.keras": "the trained generator",
    "best_generator.keras": "the one of the best step",
    "discriminator.keras": "the trained discriminator",
}


def what_is_there(folder: Path) -> str:
    """Lists the files of a finished run."""
    there = {name: text for name, text in FILES.items() if (folder / name).exists()}
    return "\n".join(f"  {name:<21}{text}" for name, text in there.items())


def what_next(folder: Path, recipe: Recipe) -> str:
    """Says which picture to look at first, and which commands take the run further."""
    run = quoted(folder)
    longer = f"--steps {2 * recipe.steps}" if recipe.steps else f"--epochs {2 * recipe.epochs}"
    return "\n".join(
        (
            f"Look at {quoted(folder / 'final_samples.png')} first. Then:",
            f"  dcgan open {run:<30}  everything on one page, in the browser",
            f"  dcgan sample {run:<28}  new images",
            f"  dcgan evaluate {run:<26}  how good they are, in numbers",
            f"  dcgan train --resume {f'{run} {longer}':<20}  train it longer",
        )
    )


def page_of(folder: Path, fresh: bool = False) -> Path:
    """Returns the page of a finished run; writes it if it is missing, or older than the scores.

    Raises:
        UserError: no finished run.
    """
    dcgan_lib.import_tensorflow()
    import numpy as np

    from dcgan_lib.latent import CLASSES
    from dcgan_lib.measuring.health import HealthMonitor, read_health
    from dcgan_lib.runs.folder import FINISHED, HEALTH, PAGE, is_finished
    from dcgan_lib.runs.page import write_page

    if not is_finished(folder):
        raise UserError(f"{str(folder)!r} is no finished run: dcgan train makes one")
    page = folder / PAGE
    if fresh or not page.exists() or page.stat().st_mtime < (folder / FINISHED).stat().st_mtime:
        monitor = HealthMonitor(np.zeros((2, 1, 1, 1)), verbose=False)
        monitor.real_classes = CLASSES
        for row in read_health(folder / HEALTH) if (folder / HEALTH).exists() else []:
            monitor.take(row, aloud=False)
        write_page(folder, monitor.findings)
    return page


def show_page(path: Path) -> None:
    """Opens a page in the browser, where there is a screen; says in any case where it is."""
    screen = sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    shown = screen and webbrowser.open(path.resolve().as_uri())
    print(f"{'Opened' if shown else 'Open this in a browser:'} {path.resolve()}")
