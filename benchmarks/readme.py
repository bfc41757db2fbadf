"""The parts of the README that are written by a program, each between two marks."""

from __future__ import annotations

from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def put(section: str, text: str) -> None:
    """Replaces what stands between `<!-- section:begin -->` and `<!-- section:end -->`."""
    begin, end = f"<!-- {section}:begin -->", f"<!-- {section}:end -->"
    before, first, rest = README.read_text().partition(begin)
    _, last, after = rest.partition(end)
    if not (first and last):
        raise SystemExit(f"{README.name} has lost {begin} or {end}: put them back")
    README.write_text(f"{before}{begin}\n{text}\n{end}{after}")
