"""How the loss of a game is written into its file, and found again."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

from dcgan_lib.errors import UserError
from dcgan_lib.losses import BinaryCrossentropyLoss, GANLoss


def loss_config(loss: GANLoss) -> dict[str, Any]:
    """Returns the class of a loss and what it was made with, as plain values.

    An argument is read from the attribute of the same name, as `GradientPenalty` keeps its own.
    """
    known = dict(vars(loss))
    if isinstance(loss, BinaryCrossentropyLoss):
        known["from_logits"] = loss.threshold == 0.0
        known["real_label_smoothing"] = round(1.0 - loss.real_label, 12)
        known["fake_label_smoothing"] = loss.fake_label
    arguments = {name: known[name] for name in parameters(type(loss)) if name in known}
    for name, value in arguments.items():
        if isinstance(value, GANLoss):
            arguments[name] = loss_config(value)
    return {"module": type(loss).__module__, "loss": type(loss).__name__, "arguments": arguments}


def loss_from(config: dict[str, Any]) -> GANLoss:
    """Builds the loss of a config. No module is imported but our own: a file may name any.

    Raises:
        UserError: a class that is not there, or that needs more than the file tells.
    """
    name = f"{config['module']}.{config['loss']}"
    if config["module"].startswith("dcgan_lib."):
        importlib.import_module(config["module"])
    found = [kind for kind in subclasses(GANLoss) if f"{kind.__module__}.{kind.__name__}" == name]
    arguments = {
        key: loss_from(value) if isinstance(value, dict) and "loss" in value else value
        for key, value in config["arguments"].items()
    }
    try:
        return found[-1](**arguments)
    except (IndexError, TypeError):
        raise UserError(
            f"the game's loss {name} cannot be built again; import its module first, or load with "
            "compile=False and compile the game yourself"
        ) from None


def parameters(kind: type) -> list[str]:
    return list(inspect.signature(kind).parameters)


def subclasses(kind: type) -> Iterator[type]:
    """Yields all classes below `kind` that are known by now."""
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)
