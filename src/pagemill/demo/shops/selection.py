"""Returns only those parts of a value that a GraphQL query asks for, so a query that forgets a field does not get it.

Pure. It knows the plain queries of shops' pages: one operation, fields with arguments, no aliases, no fragments.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

QueriedFields = dict[str, "QueriedFields"]
"""Each field, with what is asked for below it; empty for a plain value."""

MAX_DEPTH = 20
_PIECE = re.compile(r"\s*(?:([_A-Za-z]\w*)|([{}()])|([^\s{}()\w]|\d+))")


class QueryRefused(Exception):
    """The query cannot be answered; the message is what the shop says about it."""


def read_selection(query: str) -> QueriedFields:
    """The fields that the query's one operation asks for.

    Raises:
        QueryRefused: it is no plain query.
    """
    start = query.find("{")
    if start < 0:
        raise QueryRefused("Syntax Error: Expected Name, found <EOF>.")
    pieces = _pieces(query[start + 1 :])
    return _fields(pieces, 0)


def select(value: Mapping[str, Any], selection: QueriedFields, kind: str = "Query") -> dict[str, Any]:
    """The part of the value that the query asks for.

    Raises:
        QueryRefused: it asks for a field that the value lacks, or for no field of an object.
    """
    found: dict[str, Any] = {}
    for name, below in selection.items():
        if name == "__typename":
            found[name] = kind
            continue
        if name not in value:
            raise QueryRefused(f'Cannot query field "{name}" on type "{kind}".')
        found[name] = _part(value[name], below, name)
    return found


def _part(value: Any, below: QueriedFields, name: str) -> Any:
    if isinstance(value, list):
        return [_part(one, below, name) for one in value]
    if isinstance(value, dict):
        if not below:
            raise QueryRefused(f'Field "{name}" must have a selection of subfields.')
        return select(value, below, name)
    if below and value is not None:
        raise QueryRefused(f'Field "{name}" must not have a selection since it has no subfields.')
    return value


def _fields(pieces: Iterator[str], depth: int) -> QueriedFields:
    if depth > MAX_DEPTH:
        raise QueryRefused("Syntax Error: the document is nested too deeply.")
    found: QueriedFields = {}
    last = ""
    for piece in pieces:
        if piece == "}":
            return found
        if piece == "{":
            if not last:
                raise QueryRefused("Syntax Error: Expected Name, found {.")
            found[last] = _fields(pieces, depth + 1)
        elif piece == "(":
            _pass_over_arguments(pieces)
        elif piece.isidentifier():
            last = piece
            found[last] = {}
        elif piece != ",":
            raise QueryRefused(f"Syntax Error: Unexpected {piece}.")
    raise QueryRefused("Syntax Error: Expected Name, found <EOF>.")


def _pass_over_arguments(pieces: Iterator[str]) -> None:
    for piece in pieces:
        if piece == ")":
            return
    raise QueryRefused("Syntax Error: Expected ), found <EOF>.")


def _pieces(text: str) -> Iterator[str]:
    for found in _PIECE.finditer(text):
        yield found[found.lastindex or 0]
