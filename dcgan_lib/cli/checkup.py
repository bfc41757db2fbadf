"""`dcgan doctor`: whether this computer is ready, the day before a class."""

from __future__ import annotations

import contextlib
import itertools
import os
import platform
import shutil
import statistics
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dcgan_lib
from dcgan_lib.errors import first_line
from dcgan_lib.recipes import FAST
from dcgan_lib.runs.words import duration

STEPS = 30  # of `fast`, timed after the first, which builds the graph

BROWSERS = ("chromium", "chromium-browser", "google-chrome")

NEEDED = 1e9  # bytes of disk: some dozen runs


def examine() -> tuple[str, bool]:
    """Prints what there is, line by line, and at the end one line to send.

    Nothing is downloaded or written.

    Returns:
        That last line, and whether all is well.
    """
    checks = {
        "Python": lambda: platform.python_version(),
        "TensorFlow": _tensorflow,
        "Keras": lambda: version("keras"),
        "GPU": _gpu,
        "processor": lambda: f"{os.cpu_count()} cores, {platform.machine()}",
        "memory": _memory,
        "disk": _disk,
        "MNIST": _mnist,
        "chromium": _chromium,
        "fast": _fast,
    }
    found, ill = {}, []
    for name, check in checks.items():
        try:
            found[name] = check()
        except Exception as error:  # whatever it is, the other lines are still wanted
            found[name], _ = f"FAILED: {first_line(error)}", ill.append(name)
        print(f"{name:<12}{found[name]}", flush=True)
    told = ("Python", "TensorFlow", "memory", "fast")
    verdict = f"look at {', '.join(ill)}" if ill else "ready"
    brief = "; ".join(f"{name}: {found[name].partition(' (')[0]}" for name in told)
    return f"dcgan doctor: {verdict}; {platform.node()}, {platform.system()}; {brief}", not ill


def _tensorflow() -> str:
    dcgan_lib.import_tensorflow()
    return version("tensorflow")


def _gpu() -> str:
    import tensorflow as tf

    if devices := tf.config.list_physical_devices("GPU"):
        return f"{len(devices)} seen"
    if not shutil.which("nvidia-smi"):
        return "none: no NVIDIA driver here (none is needed)"
    if sys.platform == "win32":
        return "not seen: TensorFlow uses it through WSL2 only (none is needed)"
    return 'not seen: its libraries are missing: pip install -e ".[gpu]" (none is needed)'


def _memory() -> str:
    with contextlib.suppress(AttributeError, ValueError, OSError):
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return f"{size / 1e9:.0f} GB"
    import ctypes  # Windows has no sysconf

    kilobytes = ctypes.c_ulonglong()
    ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
    return f"{kilobytes.value * 1024 / 1e9:.0f} GB"


def _disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free
    if free < NEEDED:
        raise OSError(f"{free / 1e9:.1f} GB free here; wanted: {NEEDED / 1e9:.0f} GB")
    return f"{free / 1e9:.0f} GB free here"


def _mnist() -> str:
    from dcgan_lib.datasets.sources import cached_mnist

    given = os.environ.get("DCGAN_DATA")
    if given:
        dcgan_lib.load_images("mnist")
        return f"{given} (DCGAN_DATA)"
    if cached_mnist().exists():
        return str(cached_mnist())
    return "not here: `dcgan train` downloads it, or uses the 10,000 images in the package"


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or "none (only `make test-browser` needs it)"


def _fast() -> str:
    """Times some steps of `fast`, as `dcgan train` computes them."""
    import keras
    import tensorflow as tf

    from dcgan_lib.building import build_gan
    from dcgan_lib.data import load_training_set
    from dcgan_lib.engine.cpu_layers import hasten
    from dcgan_lib.training import play

    tf.config.experimental.enable_op_determinism()
    recipe = FAST.replace(steps=STEPS + 1)
    training_set = load_training_set(recipe, "mnist10k")
    marks = [time.perf_counter()]

    def note(batch: int, logs: Any) -> None:
        marks.append(time.perf_counter())

    clock = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    play(hasten(build_gan(recipe, *training_set.sizes)), recipe, training_set, [clock])
    first, *others = (after - before for before, after in itertools.pairwise(marks))
    seconds = first + FAST.steps * statistics.median(others)
    return f"about {duration(seconds)} here ({STEPS} of {FAST.steps} steps timed)"
