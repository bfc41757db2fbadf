"""The house keeps its shape: the lesson in front, and short."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import house  # noqa: E402

SMALL = '''"""A module."""

from dcgan_lib.errors import UserError  # a comment

LIMIT = (
    1,
    2,
)


class Thing:
    """A class."""

    def act(self, first, *others, second=None):
        """Acts."""
        # why
        return first


def _hidden():
    raise UserError
'''


def test_lines_without_words_are_counted():
    assert len(house.code_lines(SMALL)) == 10
    assert house.public_names(SMALL) == 2
    assert house.imports_of(SMALL) == 1
    hidden, act = sorted(house.functions("small", SMALL))
    assert act == ("small:act", 2, 2)
    assert hidden.arguments == 0


def test_the_lesson_is_short_and_stands_in_front():
    found = house.measure(ROOT)
    assert found["top level"] <= 1200
    assert found["modules of the top level"] <= 12
    assert found["training.py"] <= 100
    assert found["largest signature"].arguments <= 8
    assert found["largest function"].lines <= 40


def test_machinery_makes_few_notebooks_stale():
    reached = house.reached(ROOT)
    rooms = ("runs.", "distributed.", "engine.", "shelf.", "cli", "measuring.health")
    assert {name: n for name, n in reached.items() if name.startswith(rooms) and n > 5} == {}
    assert reached["runs.lock"] == 0
    assert reached["gan"] > 5
