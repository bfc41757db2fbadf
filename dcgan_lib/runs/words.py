"""Numbers and names as a person says them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Says seconds as a person would: `40 s`, `12 min`, `2 h 5 min`."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
