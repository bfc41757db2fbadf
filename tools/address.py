"""Writes the repository's public address wherever it stands, or checks it.

    python tools/address.py write                                 that of this clone's `origin`
    python tools/address.py write https://github.com/owner/name
    python tools/address.py check https://github.com/owner/name   is it the one that stands here?

pyproject.toml holds it; the README's badges and the first cell of each notebook follow.
The address `unset` takes it back.
"""

from __future__ import annotations

import re
import subprocess
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
    return tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]["urls"]["Repository"]


def first_cell(url: str) -> str:
    """Returns the code that every notebook begins with."""
    template = (Path(__file__).parent / "first_cell.py").read_text("utf-8").strip()
    if url == "unset":
        return template
    asked = 'os.environ["DCGAN_SOURCE"]  # set it to a folder or a git address'
    assert asked in template
    return template.replace(asked, f'os.environ.get("DCGAN_SOURCE", "git+{url}")')


def of_origin() -> str:
    """Returns the address of this clone's `origin`, as https."""
    command = ["git", "remote", "get-url", "origin"]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if asked.returncode:
        sys.exit(
            "this clone has no remote `origin`; give the address: make address URL=https://..."
        )
    url = re.sub(r"^(ssh://)?git@([^:/]+)[:/]", r"https://\2/", asked.stdout.strip())
    return url.removesuffix("/").removesuffix(".git")


def check(url: str) -> None:
    """Ends the program with a hint unless `url` is the address that stands here."""
    if address() != url:
        sys.exit(
            f"the notebooks install from {address()}, but this repository is {url}: their Colab "
            "links and first cells lead elsewhere. One command sets it: make address"
        )


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
    text = PYPROJECT.read_text("utf-8")
    text = re.sub(r'^Repository = ".*"', f'Repository = "{url}"', text, flags=re.M)
    PYPROJECT.write_text(text, "utf-8")
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    README.write_text(before + BEGIN + badges(url) + END + after, "utf-8")
    for path in sources():
        write_first_cell(path, first_cell(url))


def write_first_cell(path: Path, code: str) -> None:
    """Replaces the first code cell of a notebook's `.py` and `.ipynb`; outputs stay."""
    notebook = read(path)
    code_cells(notebook)[0].source = code
    path.write_text(as_text(notebook, path), "utf-8")
    built = path.with_suffix(".ipynb")
    if built.exists():
        notebook = nbformat.read(built, as_version=4)
        code_cells(notebook)[0].source = code
        tidy(notebook)
        nbformat.write(notebook, built)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["write", *url]:
            write(url[0] if url else of_origin())
        case ["check", url]:
            check(url)
        case _:
            sys.exit(__doc__)
