"""Dotted paths into parsed JSON, such as `offers.price`. Pure; finding and parsing the JSON is the strategies' work.

A list on the way stands for the first of its elements that can answer the rest of the path; a number picks one element:
`offers.0.price`. A list at the end stands for its first element. Keys that contain a dot cannot be named.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pagemill.config.extract import FieldRule
from pagemill.extraction.values import to_fact
from pagemill.model import Facts, FactValue

_MAX_ELEMENTS = 200
"""Elements of one list that are looked at."""


@dataclass(frozen=True, slots=True)
class Found:
    """The end of a path. `value` is `None` when the JSON says `null`, or something that is no single value."""

    value: FactValue


def parse_json(text: str | bytes) -> Any:
    """The parsed JSON.

    Raises:
        ValueError: it is none, or one that nests too deeply.
    """
    try:
        return json.loads(text, strict=False)  # shops leave line breaks in their texts
    except RecursionError as error:
        raise ValueError("JSON that nests too deeply") from error


def find(document: Any, path: str) -> Found | None:
    """What the path leads to, `None` when it leads nowhere."""
    return _follow(document, path.split("."))


def facts_at(document: Any, fields: Mapping[str, FieldRule]) -> Facts:
    """Every field's fact, `None` for those whose path leads nowhere. Every rule must have a path."""
    facts: dict[str, FactValue] = {}
    for name, rule in fields.items():
        found = find(document, rule.path or "")
        facts[name] = None if found is None else to_fact(found.value, rule)
    return facts


def answered(document: Any, rules: Iterable[FieldRule]) -> int:
    """How many of the rules' paths lead somewhere, be it to `null`."""
    return sum(find(document, rule.path or "") is not None for rule in rules)


def _follow(value: Any, keys: list[str]) -> Found | None:
    if not keys:
        return Found(_scalar(value))
    key, rest = keys[0], keys[1:]
    if isinstance(value, dict):
        return _follow(value[key], rest) if key in value else None
    if not isinstance(value, list):
        return None
    if key.isdecimal():
        position = int(key[:9])
        return _follow(value[position], rest) if position < len(value) else None
    ways = (_follow(element, keys) for element in value[:_MAX_ELEMENTS] if isinstance(element, dict))
    return next((found for found in ways if found is not None), None)


def _scalar(value: Any) -> FactValue:
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, str | int | float | bool) else None
