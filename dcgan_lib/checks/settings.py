"""Checks that every setting of a dataclass has its type and lies within its bounds."""

from __future__ import annotations

import functools
import os
import re
from typing import Any, get_type_hints

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError

from dcgan_lib.errors import UserError


def spelled(pattern: str, accepted: str) -> AfterValidator:
    """Checks words as Field checks numbers, and says in words what is accepted."""

    def check(word: str) -> str:
        if not re.fullmatch(pattern, word, re.ASCII):
            raise ValueError(accepted)
        return word

    return AfterValidator(check)


def validate(settings: Any) -> None:
    """Checks each setting against its type and bounds, and makes it plain."""
    for name, validator in _validators(type(settings)).items():
        value = _plain(getattr(settings, name))
        try:
            value = validator.validate_python(value)
        except ValidationError as error:
            complaint = error.errors()[0]["msg"]
            refuse(name, value, re.sub(r"^(Input should be|Value error,) ", "", complaint))
        object.__setattr__(settings, name, value)


@functools.cache
def _validators(kind: type) -> dict[str, TypeAdapter]:
    strict = ConfigDict(strict=True)  # no number from a word, no whole number from 3.0
    hints = get_type_hints(kind, include_extras=True)
    return {name: TypeAdapter(hint, config=strict) for name, hint in hints.items()}


def _plain(value: Any) -> Any:
    """Turns NumPy's scalars and arrays, lists and paths into numbers, tuples and strings."""
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    value = value.tolist() if hasattr(value, "tolist") else value
    return tuple(map(_plain, value)) if isinstance(value, (list, tuple)) else value


def refuse(name: str, value: Any, accepted: str) -> None:
    """Raises UserError: the setting, its value, and what is accepted."""
    raise UserError(f"{name}={value!r} is impossible; accepted: {accepted}")
