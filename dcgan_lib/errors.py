"""The one kind of error that its reader can fix."""

from __future__ import annotations


class UserError(ValueError):
    """A setting, file or folder that cannot be used.

    The message is one line: what was wrong and what is accepted. The command line
    prints it without a traceback and exits with code 2.
    """


def first_line(error: Exception) -> str:
    """What an error says, in one line; its kind if it says nothing."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
