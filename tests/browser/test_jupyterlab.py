"""Notebooks in JupyterLab: Run All, no error, every picture drawn; sliders move pictures.

Every notebook is executed by `make test`. Here are those that do more than print and draw: pictures
that replace each other, tables, sliders, a film.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from conftest import ROOT, SCREENSHOTS

NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
DATA = os.environ.get("DCGAN_DATA")  # read before tests/conftest.py hides it
COMMAND = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
COMMAND += ["--ServerApp.port_retries=0", "--IdentityProvider.token="]
COMMAND += ["--ServerApp.disable_check_xsrf=True"]  # so that kernels can be ended from here
SETTINGS = {  # all cells are drawn, not only those in view; no questions, no news
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
MINUTE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory) -> Iterator[str]:
    """JupyterLab on copies of the notebooks without outputs; its address."""
    home = tmp_path_factory.mktemp("lab")
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        (home / "notebooks").mkdir(exist_ok=True)
        nbformat.write(notebook, home / "notebooks" / path.name)
    for name, values in SETTINGS.items():
        file = home / f"settings/@jupyterlab/{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    with (home / "log.txt").open("w") as log:
        port = free_port()
        server = subprocess.Popen(
            [*COMMAND, f"--port={port}", f"--ServerApp.root_dir={home / 'notebooks'}"],
            env=environment(home),
            stdout=log,
            stderr=log,
        )
    try:
        wait_for(f"http://localhost:{port}/api/status", server, home / "log.txt")
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def environment(home: Path) -> dict[str, str]:
    """This environment, without the settings of the person who runs the tests."""
    own = {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "DCGAN_PROFILE": "quick"}
    own |= {"JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_DATA_DIR": str(home / "data")}
    return os.environ | own | ({"DCGAN_DATA": DATA} if DATA else {})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def wait_for(address: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(address, timeout=5)
            return
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, log.read_text()
            time.sleep(0.5)
    pytest.fail(f"JupyterLab did not start: {log.read_text()}")


@pytest.fixture
def notebook(page, lab) -> Iterator:
    """Opens a notebook and runs all its cells; ends its kernel afterwards.

    Now and then JupyterLab loses a message to or from a kernel that has just started, and the
    notebook waits for ever: it is then opened once more, on a new kernel.
    """
    page.set_viewport_size({"width": 1150, "height": 2200})

    def run(path: Path) -> None:
        try:
            run_once(page, lab, path)
        except PlaywrightTimeoutError:
            print(f"{path.name}: no end; prompts {page.evaluate(PROMPTS)}; opened once more")
            end_kernels(lab)
            run_once(page, lab, path)

    yield run
    end_kernels(lab)


def run_once(page, lab: str, path: Path) -> None:
    page.goto(f"{lab}/lab/tree/{path.name}?reset", timeout=2 * MINUTE)
    cells = len(fetch(f"{lab}/api/contents/{path.name}")["content"]["cells"])
    drawn = "count => document.querySelectorAll('.jp-Notebook .jp-Cell').length == count"
    page.wait_for_function(drawn, arg=cells, polling=1000, timeout=2 * MINUTE)
    idle = ".jp-Notebook-ExecutionIndicator[data-status='idle']"
    page.wait_for_selector(idle, timeout=2 * MINUTE)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(RUN_IS_OVER, polling=1000, timeout=4 * MINUTE)


def end_kernels(lab: str) -> None:
    for session in fetch(f"{lab}/api/sessions"):
        address = f"{lab}/api/sessions/{session['id']}"
        urllib.request.urlopen(urllib.request.Request(address, method="DELETE"))


def fetch(address: str) -> Any:
    with urllib.request.urlopen(address) as answer:
        return json.load(answer)


PROMPTS = """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
  .map(prompt => prompt.textContent.trim())"""

# Folded cells show no number. An error leaves the cells after it without one: then it is over.
RUN_IS_OVER = f"""() => {{
  const error = document.querySelector('[data-mime-type="application/vnd.jupyter.error"]');
  return error !== null || ({PROMPTS})().every(text => /^(\\[\\d+\\]:)?$/.test(text));
}}"""


LIVELY = [path for path in NOTEBOOKS if path.name[:2] in ("01", "04", "05", "08")]


@pytest.mark.parametrize("path", LIVELY, ids=lambda path: path.stem)
def test_run_all(page, notebook, path):
    notebook(path)
    errors = page.locator('[data-mime-type="application/vnd.jupyter.error"]')
    assert [errors.nth(i).inner_text() for i in range(errors.count())] == []
    keep_screenshots(page, path.stem)
    unseen = "() => [...document.images].filter(i => !i.naturalWidth).map(i => i.outerHTML)"
    assert page.evaluate(unseen) == []
    if path.stem.startswith("05"):
        sliders_move_pictures(page)


def keep_screenshots(page, name: str) -> None:
    """Photographs the notebook from top to bottom."""
    for old in SCREENSHOTS.glob(f"{name}-*.png"):
        old.unlink()
    panel = page.locator(".jp-WindowedPanel-outer").first
    height, shown = panel.evaluate("panel => [panel.scrollHeight, panel.clientHeight]")
    for number, top in enumerate(range(0, height, shown - 80)):
        panel.evaluate("(panel, top) => { panel.scrollTop = top }", top)
        page.wait_for_timeout(300)
        page.screenshot(path=SCREENSHOTS / f"{name}-{number:02d}.png")


def sliders_move_pictures(page) -> None:
    """Moves the first slider of each output that has one, by keyboard, and looks at its picture."""
    places = page.locator(".jp-OutputArea-output").filter(has=page.get_by_role("slider"))
    places = places.filter(has=page.locator("img"))
    assert places.count() > 0
    for place in places.all():
        picture = place.locator("img").first
        before = picture.screenshot()
        slider = place.get_by_role("slider").first
        old = slider.get_attribute("aria-valuenow")
        slider.focus()
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        page.wait_for_timeout(2000)
        assert slider.get_attribute("aria-valuenow") != old
        assert picture.screenshot() != before
