"""The built site: nothing comes from other hosts, every link leads somewhere, axe is content."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from conftest import ROOT, SCREENSHOTS

sys.path.insert(0, str(ROOT / "tools"))

import build_site

NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.py"))


class Loaded(HTMLParser):
    """Collects the addresses that a page loads by itself; links for people are not among them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag != "a":
            rel = named.get("rel") or ""
            loads = tag != "link" or any(word in rel for word in ("style", "icon", "load"))
            addresses = (named.get(key) for key in ("src", "srcset", "data", "poster"))
            self.found += [address for address in addresses if address]
            self.found += [named["href"]] if loads and named.get("href") else []


def is_foreign(address: str) -> bool:
    return bool(re.match(r"(https?:)?//", address.strip()))


@pytest.mark.parametrize("page", ['<script src="https://a.b/c.js">', '<img src="//a.b/c.png">'])
def test_foreign_addresses_are_seen(page):
    assert [address for address in Loaded(page).found if is_foreign(address)]


def test_links_for_people_are_none_of_ours_to_forbid():
    assert Loaded('<a href="https://a.b/">').found == []


@pytest.fixture(scope="module")
def site() -> Path:
    folder = ROOT / "build/site"
    assert (folder / "index.html").exists(), "build/site is missing: make site"
    return folder


def test_built_pages_load_nothing_from_other_hosts(site):
    pages = pages_of(site)
    assert len(pages) > len(NOTEBOOKS)
    foreign = {
        (page.name, address)
        for page in pages
        for address in Loaded(page.read_text(encoding="utf-8")).found
        if is_foreign(address)
    }
    assert foreign == set()


def test_built_styles_load_nothing_from_other_hosts(site):
    styles = sorted(site.rglob("*.css"))
    assert styles
    pattern = r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')\s]+)"""
    assert {p.name: a for p in styles for a in re.findall(pattern, p.read_text("utf-8"))} == {}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_built_notebook_has_its_links_and_folded_solutions(site, path):
    page = (site / f"notebooks/{path.stem}.html").read_text(encoding="utf-8")
    assert f'<a href="{path.stem}.ipynb" download>' in page
    assert "colab.research.google.com" in page
    built = site / f"notebooks/{path.stem}.ipynb"
    assert built.read_bytes() == path.with_suffix(".ipynb").read_bytes()
    solutions = path.read_text(encoding="utf-8").count('"solution"')
    assert page.count("Show the solution") == solutions > 0


def pages_of(site: Path) -> list[Path]:
    return [page for page in sorted(site.rglob("*.html")) if "_static" not in page.parts]


def test_every_page_opens_without_complaints(site, page):
    for file in pages_of(site):
        page.goto(file.as_uri())
        assert page.complaints == [], file.name
        assert page.title()


def test_links_lead_to_files_that_exist(site, page):
    gone = set()
    for file in pages_of(site):
        for target in re.findall(r'<a [^>]*href="([^"#?]+)', file.read_text(encoding="utf-8")):
            is_local = not re.match(r"[a-z]+:", target)
            if is_local and not (file.parent / target).exists():
                gone.add((file.name, target))
    assert gone == set()


def test_search_finds_a_word(site, page):
    page.goto(f"{(site / 'search.html').as_uri()}?q=checkerboard")
    page.get_by_role("link", name="02 · Generator").first.wait_for()


def test_a_solution_is_opened_by_keyboard(site, page):
    page.goto((site / "notebooks/01_data.html").as_uri())
    solution = page.locator("details", has_text="Show the solution").first
    solution.locator("summary").focus()
    page.keyboard.press("Enter")
    assert solution.locator("pre").first.is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index", "teachers", "notebooks/03_discriminator"])
def test_axe_finds_nothing_serious(site, browser, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = browser.new_page(viewport={"width": 1280, "height": 1000}, color_scheme=scheme)
    page.goto((site / f"{name}.html").as_uri())
    page.screenshot(path=SCREENSHOTS / f"site-{Path(name).name}-{scheme}.png")
    found = axe.run(page).response["violations"]
    page.close()
    serious = {
        violation["id"]: [node["html"][:200] for node in violation["nodes"]][:5]
        for violation in found
        if violation["impact"] in ("serious", "critical")
    }
    assert serious == {}


def test_colab_opens_the_notebook_once_the_address_is_known():
    opened = build_site.links("01_data.ipynb", "https://github.com/owner/name")
    assert "colab.research.google.com/github/owner/name/blob/main/notebooks/01_data" in opened
    assert "upload it there" in build_site.links("01_data.ipynb", "unset")


def test_site_without_explorer_is_not_built(monkeypatch):
    monkeypatch.setattr(build_site, "EXPLORER", ROOT / "dcgan_lib/shelf/none.html")
    with pytest.raises(SystemExit, match=r"none\.html is missing"):
        build_site.build()
