"""Checks the arguments that a program passes to `pagemill`, before any work begins.

Each function takes the argument's name and value, and returns the value in the type that the code expects. For a wrong
value it raises `UsageError`, which says what to write instead.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Literal, TypeVar

from pagemill.errors import UsageError

Word = TypeVar("Word", bound=StrEnum)

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SHOWN_CHARS = 60


def text(name: str, value: object, most: int | None = None) -> str:
    """Text without control characters, of at most `most` characters."""
    if not isinstance(value, str):
        raise _wrong(name, value, "write text")
    if _CONTROL.search(value):
        raise _wrong(name, value, "write text without line breaks and other control characters")
    if most is not None and len(value) > most:
        raise _wrong(name, value, f"write at most {most} characters")
    return value


def one_of(name: str, value: object, words: type[Word]) -> Word:
    """One of these words, given as the enum member or as its text."""
    for word in words:
        if isinstance(value, str) and value == word:
            return word
    raise _wrong(name, value, f"write {_choice(words)}")


def several_of(name: str, values: object, words: type[Word]) -> list[Word]:
    """A list of these words."""
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise _wrong(name, values, f"write a list, of {_choice(words)}")
    return [one_of(name, value, words) for value in values]


def decimal_sign(name: str, value: object) -> Literal[".", ","] | None:
    """The decimal sign of numbers in text; `None` if none is given."""
    if value is None or (isinstance(value, str) and value in (".", ",")):
        return value  # type: ignore[return-value]
    raise _wrong(name, value, "write '.' or ','")


def whole_number(name: str, value: object, least: int, most: int) -> int:
    """A whole number within these bounds."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or not least <= number <= most:
        raise _wrong(name, value, f"write a whole number from {least:,} to {most:,}")
    return number


def seconds(name: str, value: object) -> float:
    """A number of seconds, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or value < 0:
        raise _wrong(name, value, "write seconds, a number from 0")
    return value


def flag(name: str, value: object) -> bool:
    """True or false only, because other values mislead: `"no"` counts as true."""
    if not isinstance(value, bool):
        raise _wrong(name, value, "write True or False")
    return value


def function(name: str, value: object) -> None:
    """A callable."""
    if not callable(value):
        raise _wrong(name, value, "name a function")


def shown_value(value: object) -> str:
    """A value as an error message shows it: simple values as they are, others by their type."""
    if value is None or isinstance(value, bool | int | float | str):
        said = repr(value[:_SHOWN_CHARS] if isinstance(value, str) else value)
        return said if len(said) <= _SHOWN_CHARS else said[: _SHOWN_CHARS - 1] + "…"
    return f"of type {type(value).__name__}"


def _choice(words: type[StrEnum]) -> str:
    *others, last = (word.value for word in words)
    return f"{', '.join(others)} or {last}"


def _wrong(name: str, value: object, remedy: str) -> UsageError:
    return UsageError(f"{name} is {shown_value(value)}: {remedy}")
