"""Builds and checks the notebooks.

    python tools/notebooks.py build       executes those whose outputs are stale
    python tools/notebooks.py build 04    executes just that one, stale or not
    python tools/notebooks.py check       says what is wrong with the committed ones

notebooks/NN_topic.py is what people edit; NN_topic.ipynb is made from it here, with the outputs
of a run of the `full` profile on the real MNIST, and with a record of what they were made from.
"""

from __future__ import annotations

import ast
import dataclasses
import hashlib
import io
import json
import math
import os
import platform
import re
import sys
import time
import tokenize
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from house import code_lines
from jupytext.config import load_jupytext_config
from nbclient import NotebookClient

import dcgan_lib
from dcgan_lib import RECIPES, UserError, load_images
from dcgan_lib.data import data_hash

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
README = ROOT / "README.md"
MNIST = "783b1c0807cf"  # data_hash of its training images
MAX_BYTES = 2_000_000
KEPT = {"tags", "cellView", "jupyter", "lines_to_next_cell"}  # in a cell's metadata
COMPARED = ("code", "library", "recipes", "data")


def sources(only: str = "") -> list[Path]:
    """Returns the notebooks' `.py` files, or the one whose name begins with `only`."""
    return sorted(FOLDER.glob(f"{only}*.py" if only else "[0-9][0-9]_*.py"))


def read(path: Path) -> nbformat.NotebookNode:
    return jupytext.read(path, config=load_jupytext_config(str(path)))


def as_text(notebook: nbformat.NotebookNode, path: Path) -> str:
    """Returns the `.py` that belongs to a notebook."""
    return jupytext.writes(notebook, fmt="py:percent", config=load_jupytext_config(str(path)))


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# --- what the outputs are made from


def provenance(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """Returns what a notebook's outputs depend on: its code, the library, recipes and data.

    The first cell does not count: it only finds the library.
    """
    code = "\n".join(cell.source for cell in code_cells(notebook)[1:])
    texts = (bare(source_of(name).read_text("utf-8")) for name in sorted(library_modules(code)))
    library = "\n".join(texts)
    return {
        "code": digest(code),
        "library": digest(library),
        "recipes": {
            name: digest(json.dumps(dataclasses.asdict(recipe)))
            for name, recipe in RECIPES.items()
            if name in constants(code) | {"fast"}
        },
        "data": MNIST,
    }


# What these do decides no output: a run's bits are the same with and without them, as
# tests/test_pinned.py proves, and images and weights are known by their hashes. A module that a
# notebook itself imports counts for it, unless it only loads or runs.
MACHINERY = ("runs", "distributed", "engine", "guard", "cli", "training", "datasets", "checks")
MACHINERY += ("measuring.divergence", "measuring.health", "measuring.report", "shelf.stored")


def library_modules(code: str) -> set[str]:
    """Returns the modules of dcgan_lib that decide the outputs of `code`.

    These are those that it imports, and those that they import, without machinery. `recipes` does
    not count: a notebook depends on the values of the recipes that it names.
    """
    own = set(imported(code))
    waiting = set(own)
    if "training" in own:  # what a training builds and shows
        waiting |= {"building", "data", "callbacks"}
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        shown = name in own and name.startswith(("datasets.", "measuring."))
        if shown or not name.startswith(MACHINERY):
            found.add(name)
            waiting |= set(imported(source_of(name).read_text("utf-8"))) - found
    return found - {"recipes"}


def source_of(name: str) -> Path:
    """Returns the file of a module, or of a room's door."""
    path = ROOT / "dcgan_lib" / name.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def imported(code: str) -> Iterator[str]:
    """Yields the modules of dcgan_lib that `code` itself imports from."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module == "dcgan_lib":
            for alias in node.names:
                yield dcgan_lib._HOME_OF.get(alias.name, alias.name)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dcgan_lib."):
            home = node.module.removeprefix("dcgan_lib.")
            inside = [f"{home}.{alias.name}" for alias in node.names]
            modules = [name for name in inside if source_of(name).exists()]
            yield from modules or [home]


def constants(code: str) -> set[Any]:
    return {node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)}


def bare(source: str) -> str:
    """Returns `source` without docstrings, comments and blank lines, which decide no output."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    code = (lines[number - 1].rstrip() for number in sorted(code_lines(source)))
    return "\n".join(line for line in code if line)


def is_fresh(notebook: nbformat.NotebookNode, wanted: dict[str, Any]) -> bool:
    """Tells whether a notebook's outputs were made from what is there now."""
    recorded = notebook.metadata.get("dcgan", {})
    return all(recorded.get(name) == wanted[name] for name in COMPARED)


# --- build


def build(only: str = "") -> None:
    """Executes the notebooks that need it, and takes over changes of text in the others."""
    for path in sources(only):
        notebook, target = read(path), path.with_suffix(".ipynb")
        made_from = provenance(notebook)
        old = nbformat.read(target, as_version=4) if target.exists() else None
        if not only and old is not None and is_fresh(old, made_from):
            keep_outputs(notebook, old)
        else:
            execute(notebook, path, made_from)
            drop_live_outputs(notebook)
            keep_shortest_time(notebook, old)
        tidy(notebook)
        nbformat.write(notebook, target)
    README.write_text(with_run_times(README.read_text("utf-8")), "utf-8")


def with_run_times(text: str) -> str:
    """Returns the README with the last column of its learning path made from the notebooks."""

    def row(found: re.Match[str]) -> str:
        target, seconds = FOLDER / f"{found[2]}.ipynb", 0  # 0: it was not built yet
        if target.exists():
            metadata = nbformat.read(target, as_version=4).metadata
            seconds = metadata.get("dcgan", {}).get("seconds", 0)
        return f"{found[1]} {math.ceil(seconds / 60)} min |"

    pattern = r"^(\| \d\d \| .*\(notebooks/(\w+)\.ipynb\) \| .* \|) \S+ min \|$"
    return re.sub(pattern, row, text, flags=re.MULTILINE)


def keep_shortest_time(notebook: nbformat.NotebookNode, old: nbformat.NotebookNode | None) -> None:
    """Of several runs of the same code the shortest counts: others shared the machine."""
    now, before = notebook.metadata["dcgan"], old.metadata.get("dcgan", {}) if old else {}
    if before.get("code") == now["code"]:
        now["seconds"] = min(now["seconds"], before["seconds"])


def keep_outputs(notebook: nbformat.NotebookNode, old: nbformat.NotebookNode) -> None:
    """Copies outputs from a notebook with the same code."""
    notebook.metadata["dcgan"] = old.metadata["dcgan"]
    for cell, before in zip(code_cells(notebook), code_cells(old), strict=True):
        cell.outputs, cell.execution_count = before.outputs, before.execution_count


def execute(notebook: nbformat.NotebookNode, path: Path, made_from: dict[str, Any]) -> None:
    """Runs a notebook in the full profile on the real MNIST, and records what it was made from."""
    require_mnist()
    os.environ["DCGAN_PROFILE"] = "full"
    print(f"{path.name}: running", flush=True)
    started = time.perf_counter()
    NotebookClient(
        notebook, timeout=1200, record_timing=False, resources={"metadata": {"path": str(FOLDER)}}
    ).execute()
    seconds = round(time.perf_counter() - started)
    print(f"{path.name}: {seconds} s")
    versions = {name: version(name) for name in ("tensorflow", "keras", "numpy")}
    versions["python"] = platform.python_version()
    notebook.metadata["dcgan"] = made_from | {"versions": versions, "seconds": seconds}


def drop_live_outputs(notebook: nbformat.NotebookNode) -> None:
    """Empties cells tagged `live`: what they show is large, and works only where they are run."""
    for cell in code_cells(notebook):
        if "live" in cell.metadata.get("tags", []):
            cell.outputs = []


def require_mnist() -> None:
    """Ends the program unless the data are the real MNIST: committed outputs show nothing else."""
    try:
        images = load_images("mnist").images
    except UserError as error:
        sys.exit(f"notebooks are built on the real MNIST: {error}")
    if data_hash(images) != MNIST:
        sys.exit("notebooks are built on the real MNIST: DCGAN_DATA holds other images")
    if os.environ.get("DCGAN_DATA"):
        os.environ["DCGAN_DATA"] = str(Path(os.environ["DCGAN_DATA"]).resolve())


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Keeps what does not change from run to run: ids made from the cells, few metadata."""
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata.pop("jupytext", None)  # pyproject.toml says it for all
    notebook.metadata.pop("widgets", None)  # their state, which no page here can show
    ids: set[str] = set()
    for cell in notebook.cells:
        name = digest(cell.source)[:8]
        while name in ids:
            name = digest(name)[:8]
        ids.add(name)
        cell.id = name
        for key in set(cell.metadata) - KEPT:
            del cell.metadata[key]


# --- check


def problems(path: Path) -> list[str]:
    """Returns what is wrong with the `.ipynb` beside `path`, each in one line."""
    target = path.with_suffix(".ipynb")
    if not target.exists():
        return [f"{target.name} is missing: make notebooks"]
    notebook = nbformat.read(target, as_version=4)
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    found = {
        f"differs from {path.name}: make notebooks": as_text(notebook, path)
        != path.read_text("utf-8"),
        "has stale outputs: make notebooks": not is_fresh(notebook, provenance(read(path))),
        "holds an error": any(output.output_type == "error" for output in outputs),
        "holds warnings (stderr)": any(output.get("name") == "stderr" for output in outputs),
        f"is larger than {MAX_BYTES:,} bytes": target.stat().st_size > MAX_BYTES,
        "holds a path of this machine": str(ROOT) in target.read_text("utf-8"),
    }
    return [f"{target.name} {problem}" for problem, there in found.items() if there]


def check() -> None:
    found = [problem for path in sources() for problem in problems(path)]
    sys.exit("\n".join(found) or None)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["build", *only]:
            build(*only)
        case ["check"]:
            check()
        case _:
            sys.exit(__doc__)
