"""Builds the site: `make site`, or `python tools/build_site.py`.

The pages of site/, the README and the notebooks with their committed outputs (nothing is run)
become build/site/, which needs no server and no network: open build/site/index.html.
"""

from __future__ import annotations

import inspect
import re
import shutil
import sys
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path

import nbformat
from address import BEGIN, COLAB, END, address
from sphinx.cmd.build import main as sphinx

import dcgan_lib
from notebooks import ROOT, code_cells, sources

PAGES, EXPLORER = ROOT / "site", ROOT / "dcgan_lib/shelf/explorer.html"
SOURCE, TARGET = ROOT / "build/site-source", ROOT / "build/site"
EXPLORER_LINK = r"\[([^\]]*)\]\(((?:\.\./)?)dcgan_lib/shelf/explorer\.html\)"
VERBS = ("show", "hide")
PICTURE = "The picture that the code above made"
DOCUMENTS = ("CONTRIBUTING.md", "hpc/README.md", "benchmarks/LOG.md")
LINK = re.compile(r"\]\(([^)#:]+)[)#]")


def build() -> None:
    """Gathers the pages in build/site-source, then lets Sphinx write build/site."""
    if not EXPLORER.exists():
        sys.exit(f"{EXPLORER.relative_to(ROOT)} is missing: build the latent explorer first")
    for folder in (SOURCE, TARGET):
        shutil.rmtree(folder, ignore_errors=True)
    gather()
    if sphinx(["-q", "-W", "--keep-going", "-b", "html", str(SOURCE), str(TARGET)]):
        sys.exit("the site has faults: see above")
    print(f"the site is in {TARGET.relative_to(ROOT)}/: open index.html")


def gather() -> None:
    """Puts everything that the site is made of into build/site-source."""
    dcgan_lib.import_tensorflow()  # quietly, before Sphinx does
    shutil.copytree(PAGES, SOURCE)
    for path in linked():
        copy(path, SOURCE / path.relative_to(ROOT))
    readme = without_badges((ROOT / "README.md").read_text("utf-8"))
    readme = readme.replace("(site/teachers.md)", "(teachers.md)")
    (SOURCE / "README.md").write_text(with_explorer(readme), "utf-8")
    with (SOURCE / "api.md").open("a", encoding="utf-8") as page:
        page.writelines(api_section(module) for module in dcgan_lib._HOMES)
    copy(EXPLORER, SOURCE / "static/explorer.html")
    url = address()
    for path in sources():
        built = path.with_suffix(".ipynb")
        copy(built, SOURCE / "static/notebooks" / built.name)
        page = as_page(nbformat.read(built, as_version=4), built.name, url)
        (SOURCE / "notebooks").mkdir(exist_ok=True)
        nbformat.write(page, SOURCE / "notebooks" / built.name)


def linked() -> set[Path]:
    """Returns what the README and its like link to and the site makes no page of."""
    pages = (ROOT / name for name in ("README.md", *DOCUMENTS))
    found = {page.parent / name for page in pages for name in LINK.findall(page.read_text("utf-8"))}
    made = {EXPLORER, ROOT / "README.md", PAGES / "teachers.md"}
    return {path for path in found - made if path.suffix != ".ipynb"}


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


def without_badges(text: str) -> str:
    """Returns the README without the pictures that come from other hosts."""
    before, _, rest = text.partition(BEGIN)
    return before + rest.partition(END)[2]


def with_explorer(text: str) -> str:
    """Returns a text whose links to the explorer open the site's own copy."""
    return re.sub(EXPLORER_LINK, r'<a href="\2explorer.html">\1</a>', text)


def as_page(notebook: nbformat.NotebookNode, name: str, url: str) -> nbformat.NotebookNode:
    """Returns a notebook with its links below the title, what need not be read folded."""
    title, _, rest = notebook.cells[0].source.partition("\n")
    notebook.cells[0].source = f"{title}\n\n{links(name, url)}\n{rest}"
    for cell in notebook.cells:
        cell.source = with_explorer(cell.source)
        cell.metadata["mystnb"] = {"image": {"alt": PICTURE}}
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):  # films
                html = output.data["text/html"]
                output.data["text/html"] = html.replace("<img ", f'<img alt="{PICTURE}" ')
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            fold(cell, "solution" if "solution" in cell.metadata.tags else "check")
    fold(code_cells(notebook)[0], "code")  # it only finds the library
    return notebook


def fold(cell: nbformat.NotebookNode, what: str) -> None:
    cell.metadata["tags"] = [*cell.metadata.get("tags", []), "hide-input"]
    cell.metadata["mystnb"] |= {
        f"code_prompt_{verb}": f"{verb.title()} the {what}" for verb in VERBS
    }


def links(name: str, url: str) -> str:
    """Returns the line that leads from a notebook's page to where the notebook can be run."""
    download = f'<a href="{name}" download>Download this notebook</a>'
    project = url.removeprefix("https://github.com/")
    if project == url:  # Colab opens notebooks of GitHub only
        colab = f'(to run it in Colab, <a href="{COLAB}/#create=true">upload it there</a>)'
    else:
        colab = f'· <a href="{COLAB}/github/{project}/blob/main/notebooks/{name}">Open in Colab</a>'
    explorer = ' · <a href="../explorer.html">Open the explorer</a>' if name[:2] == "05" else ""
    return f'<p class="run-it">{download} {colab}{explorer}</p>\n'


def api_section(module: str) -> str:
    """Returns the part of the API page on the public names of one module."""
    first_line = inspect.getdoc(import_module(f"dcgan_lib.{module}")).splitlines()[0]
    entries = "\n".join(api_entry(name) for name in dcgan_lib._HOMES[module].split())
    return f"\n## {module}\n\n{first_line}\n\n```{{eval-rst}}\n{entries}\n```\n"


def api_entry(name: str) -> str:
    value = getattr(dcgan_lib, name)
    if isinstance(value, dict):  # RECIPES: dict's own docstring would be shown
        return f".. py:data:: {name}\n\n   Known: {', '.join(value)}.\n"
    if isinstance(value, type) and issubclass(value, tuple):
        return f".. autoclass:: dcgan_lib.{name}\n"  # its docstring tells the fields
    if isinstance(value, type):
        signature = "()" if is_dataclass(value) else ""  # the fields follow, each with its reason
        return f".. autoclass:: dcgan_lib.{name}{signature}\n   :members:\n"
    if inspect.isfunction(value):
        return f".. autofunction:: dcgan_lib.{name}\n"
    return f".. py:data:: {name}\n"


if __name__ == "__main__":
    build()
