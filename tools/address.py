"""Writes the repository's public address wherever it stands.

    python tools/address.py https://github.com/owner/name

pyproject.toml holds it; the README's badges and the first cell of each notebook follow.
The address `unset` takes it back.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import nbformat

from notebooks import ROOT, as_text, code_cells, read, sources, tidy

PYPROJECT, README = ROOT / "pyproject.toml", ROOT / "README.md"
ACCEPTED = r"https://[\w.-]+(/[\w.~-]+)+"
BEGIN, END = "<!-- badges:begin -->\n", "<!-- badges:end -->"
COLAB = "https://colab.research.google.com"


def address() -> str:
    """Returns the address that pyproject.toml holds, or `unset`."""
    return tomllib.loads(PYPROJECT.read_text())["project"]["urls"]["Repository"]


def first_cell(url: str) -> str:
    """Returns the code that every notebook begins with."""
    template = (Path(__file__).parent / "first_cell.py").read_text().strip()
    source = url if url == "unset" else f"git+{url}"
    return template.replace('address = "unset"', f'address = "{source}"')


def badges(url: str) -> str:
    """Returns the lines between the README's badge marks: links, where there is something."""
    if url == "unset":
        return ""
    project = url.removeprefix("https://github.com/")
    if project == url:
        return f"Repository: <{url}>\n"
    notebook = f"{COLAB}/github/{project}/blob/main/notebooks/04_training.ipynb"
    return (
        f"[![tests]({url}/actions/workflows/tests.yml/badge.svg)]({url}/actions)\n"
        f"[![Open In Colab]({COLAB}/assets/colab-badge.svg)]({notebook})\n"
    )


def write(url: str) -> None:
    """Puts `url` into pyproject.toml, README.md and the notebooks."""
    if url != "unset" and not re.fullmatch(ACCEPTED, url):
        sys.exit(f"{url!r} is not an address of a repository; accepted: https://host/path, unset")
    text = PYPROJECT.read_text()
    PYPROJECT.write_text(re.sub(r'^Repository = ".*"', f'Repository = "{url}"', text, flags=re.M))
    before, _, rest = README.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(before + BEGIN + badges(url) + END + after)
    for path in sources():
        write_first_cell(path, first_cell(url))


def write_first_cell(path: Path, code: str) -> None:
    """Replaces the first code cell of a notebook's `.py` and `.ipynb`; outputs stay."""
    notebook = read(path)
    code_cells(notebook)[0].source = code
    path.write_text(as_text(notebook, path))
    built = path.with_suffix(".ipynb")
    if built.exists():
        notebook = nbformat.read(built, as_version=4)
        code_cells(notebook)[0].source = code
        tidy(notebook)
        nbformat.write(notebook, built)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    write(sys.argv[1])
