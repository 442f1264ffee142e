"""Converts a value to the type of a column, or says why it does not fit. Pure.

Nothing is rounded, cut or guessed: if the column cannot hold the exact value, nothing is written.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import types
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.types import TypeEngine

from pagemill.errors import Unfit
from pagemill.model import FactValue

_SHOWN = 60


def column_value(value: FactValue, kind: TypeEngine[Any]) -> str | int | float:
    """The value for a column of that type: text, a number, or 1 and 0 for true and false.

    Raises:
        Unfit: the type cannot hold it exactly.
    """
    assert value is not None
    while isinstance(kind, DOMAIN):
        kind = kind.data_type
    if isinstance(kind, types.Boolean):
        return _flag(value)
    if isinstance(kind, types.Integer):
        return _whole(value)
    if isinstance(kind, types.Numeric | types.Float):
        return _number(value, kind)
    if isinstance(kind, types.String):
        return _text(value, kind)
    if isinstance(kind, types.NullType):  # SQLite: a column without a type holds anything
        return int(value) if isinstance(value, bool) else value
    raise Unfit(f"a column of type {kind} is not written: only text, numbers, yes and no are")


def _flag(value: FactValue) -> int:
    if not isinstance(value, bool):
        raise Unfit(f"{_shown(value)} is neither true nor false, and the column holds nothing else")
    return int(value)


def _whole(value: FactValue) -> int:
    if isinstance(value, int | float) and value == int(value):
        return int(value)
    raise Unfit(f"{_shown(value)} is no whole number, and the column holds nothing else")


def _number(value: FactValue, kind: types.Numeric[Any] | types.Float[Any]) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit(f"{_shown(value)} is no number, and the column holds nothing else")
    exact = Decimal(str(value))
    places = max(0, -int(exact.normalize().as_tuple().exponent))
    scale = None if isinstance(kind, types.Float) else kind.scale
    if kind.precision is not None and not isinstance(kind, types.Float):
        scale = scale or 0
        if exact and exact.adjusted() + 1 > kind.precision - scale:
            raise Unfit(f"{_shown(value)} is too large for the column's {kind.precision} digits")
    if scale is not None and places > scale:
        raise Unfit(f"{_shown(value)} has more than the {scale} decimal places of the column")
    return int(exact) if exact == exact.to_integral_value() else value


def _text(value: FactValue, kind: types.String) -> str:
    if isinstance(value, bool):
        remedy = "say in catalog.update.words what is written for true and false"
        raise Unfit(f"the column holds text, and nobody knows its words for yes and no: {remedy}")
    text = plain_text(value)
    if isinstance(kind, types.Enum) and text not in kind.enums:
        known = ", ".join(kind.enums)
        raise Unfit(f"{_shown(text)} is none of the column's words ({known}): add it to catalog.update.words")
    if kind.length is not None and not isinstance(kind, types.Enum) and len(text) > kind.length:
        raise Unfit(f"the text has {len(text)} characters, and the column holds {kind.length}")
    return text


def plain_text(value: FactValue) -> str:
    """The value as text; numbers without grouping or exponent."""
    if isinstance(value, float):
        exact = Decimal(str(value))
        return str(int(exact)) if exact == exact.to_integral_value() else format(exact, "f")
    return str(value)


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
