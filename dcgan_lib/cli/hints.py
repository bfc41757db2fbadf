"""What a newcomer meets first: the short help of `dcgan train`, and the word that was meant."""

from __future__ import annotations

import difflib
import re
import textwrap
from typing import Any

EXAMPLES = {  # the options that people use
    "recipe": "--recipe best",
    "data": "--data path/to/photos",
    "output": "--output runs/mine",
    "steps": "--steps 500",
    "batch_size": "--batch-size 32",
    "seed": "--seed 7",
    "resume": "--resume runs/mine",
    "fresh": "--recipe best --fresh",
}


def short_help(train: Any, settings: type) -> str:
    """Returns the help of `dcgan train` for the options that people use.

    Args:
        train: the command, whose docstring explains its own options.
        settings: the type of all others, each with its help.
    """
    summary, _, told = train.__doc__.partition("Args:\n")
    pattern = r"^ {8}(\w+): (.*?)(?=^ {8}\w+: |\Z)"
    meant = {name: " ".join(text.split()) for name, text in re.findall(pattern, told, re.M | re.S)}
    for name, annotated in settings.__annotations__.items():
        (more,) = annotated.__metadata__
        meant[name] = " ".join(f"{more.help} {more.help_behavior_hint}".split())
    lines = ["usage: dcgan train [OPTIONS]", "", summary.strip().splitlines()[0], ""]
    for name, example in EXAMPLES.items():
        words = textwrap.wrap(meant[name], 58)
        lines.append(f"  --{name.replace('_', '-'):<18}{words[0]}")
        lines += [f"{'':22}{line}" for line in words[1:]]
        lines += [f"{'':22}dcgan train {example}", ""]
    return "\n".join([*lines, "dcgan train --help-all explains every option, and dcgan recipes",
                      "lists the recipes."])  # fmt: skip


def with_nearest(message: str) -> str:
    """Adds to a message what was probably meant by the first word that it quotes.

    The message is that of a `UserError`: it names what is known, or accepted.
    """
    found = re.search(r"'([\w-]+)'.*?; (?:known|accepted): (.*)", message)
    words = re.findall(r"[\w-]+", found[2]) if found else []
    near = difflib.get_close_matches(found[1], words, 1) if found else []
    return f"{message}; perhaps you meant {near[0]!r}" if near else message
