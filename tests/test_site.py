"""The page for teachers: its sections exist, its times are the measured ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEACHERS = (ROOT / "site/teachers.md").read_text(encoding="utf-8")
SECTION = r"\[(\d\d), ([^\]]+)\]\(notebooks/(\w+)\.ipynb#([^)]+)\)"


def headings(name: str) -> set[str]:
    text = (ROOT / f"notebooks/{name}.py").read_text(encoding="utf-8")
    return set(re.findall(r"^# ##+ (.*)$", text, re.M))


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize(("number", "heading", "name", "target"), re.findall(SECTION, TEACHERS))
def test_section_that_teachers_are_sent_to_exists(number, heading, name, target):
    assert name.startswith(f"{number}_")
    assert heading in headings(name)
    assert target == anchor(heading)


def test_teachers_are_sent_to_sections_in_one_form_only():
    assert len(re.findall(r"\.ipynb#", TEACHERS)) == len(re.findall(SECTION, TEACHERS)) > 50


def lesson_tables() -> list[tuple[int, list[int]]]:
    """The minutes that each plan promises, and those of its rows."""
    words = {"90 minutes": 90, "Three hours": 180}
    parts = re.split(r"^## (.*)$", TEACHERS, flags=re.M)
    return [
        (total, [int(minutes) for minutes in re.findall(r"^\| (\d+) \|", text, re.M)])
        for heading, text in zip(parts[1::2], parts[2::2], strict=True)
        for start, total in words.items()
        if heading.startswith(start)
    ]


def test_lesson_plans_fill_their_time():
    assert [total for total, _ in lesson_tables()] == [90, 180]
    assert all(sum(minutes) == total for total, minutes in lesson_tables())
