"""Paths into parsed JSON. Pure; finding and parsing the JSON is the strategies' work.

A plain path is keys with dots between them, such as `offers.price`. A list on the way stands for its first element that
can answer the rest of the path; a number picks one element: `offers.0.price`. Every other path is JMESPath
(jmespath.org). A list at the end stands for its first element.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from pagemill.config.reading.field_rule import FieldRule
from pagemill.config.reading.json_path import is_plain_path
from pagemill.errors import TooManyValues
from pagemill.extraction.values import collapse, to_fact, too_long
from pagemill.model import FactValue, FieldTold

MAX_VALUES = 500_000
_SHOWN = 200
_GUARD = re.compile(r"\A\s*(?:\)\]\}'?,?|while\s*\(1\);|for\s*\(;;\);)")
"""What some sites put before their JSON so that no other site can load it as a script."""
_CALL = re.compile(r"\A\s*(?:/\*\*/)?\s*(?:typeof [\w$.]+ === 'function' && )?[\w$.\[\]]{1,200}\s*\((?=\s*[\[{])")
"""The beginning of JSONP: the call of a function, before the JSON that is its argument."""
_CALLED = re.compile(r"\)\s*;?\s*\Z")


@dataclass(frozen=True, slots=True)
class FoundValue:
    """The end of a path. `value` is `None` when the JSON says `null`, or something that is no single value."""

    value: FactValue
    kind: str = field(default="", compare=False)
    """What stands there instead of a single value: `an object`, `an empty list`."""


def parse_json(text: str | bytes) -> Any:
    """The parsed JSON.

    Raises:
        TooManyValues: it may hold more values than may be read.
        ValueError: it is no JSON, or nests too deeply.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text), "surrogatepass")
    check_values(text)
    try:
        return json.loads(_GUARD.sub("", text.removeprefix("\ufeff")), strict=False)  # shops leave line breaks in texts
    except RecursionError as error:
        raise ValueError("JSON that nests too deeply") from error


def check_values(text: str) -> None:
    """Counts how many values a text can hold at most, without parsing it.

    Raises:
        TooManyValues: more than may be read.
    """
    if len(text) > MAX_VALUES and sum(map(text.count, "[{,")) > MAX_VALUES:
        raise TooManyValues(f"JSON with more than {MAX_VALUES} values")


def parse_answer(body: bytes) -> Any:
    """The parsed JSON of an answer; a call around it (JSONP: `callback({...});`) is removed.

    Raises:
        ValueError: as `parse_json`.
    """
    try:
        return parse_json(body)
    except TooManyValues:
        raise
    except ValueError:
        text = body.decode("utf-8", "replace").removeprefix("\ufeff")
        call, end = _CALL.match(text), _CALLED.search(text, max(0, len(text) - 20))
        if call is None or end is None:
            raise
        return parse_json(text[call.end() : end.start()])


def find_value(document: Any, path: str) -> FoundValue | None:
    """What the path leads to, `None` when it leads nowhere. A JMESPath that comes to `null` leads nowhere."""
    return _compiled(path)(document)


def word_at(document: Any, path: str) -> tuple[str | None] | None:
    """The text at the path, in a tuple: `(None,)` stands for `null`, `None` for nothing at all.

    A plain path that meets `null` on its way counts as ending at `null`.
    """
    found = find_value(document, path)
    if found is None:
        return (None,) if is_plain_path(path) and _ends_in_null(document, path.split(".")) else None
    if found.value is None:
        return None if found.kind else (None,)
    value = found.value
    return (("true" if value else "false") if isinstance(value, bool) else collapse(str(value)),)


def told_at_path(document: Any, rule: FieldRule, source: int, strategy: str) -> FieldTold:
    """What the document says at the rule's path; the rule's `else` if nothing there can be understood."""
    found = find_value(document, rule.path or "")
    length = 0
    if found is not None and found.value is not None:
        value = to_fact(found.value, rule, machine=True)
        if value is not None:
            return FieldTold(source, strategy, value, "said")
        length = too_long(found.value, rule)
    text = "" if found is None else found.kind or collapse("null" if found.value is None else str(found.value))
    if rule.otherwise is not None:
        return FieldTold(source, strategy, rule.otherwise, "default", text[:_SHOWN])
    if length:
        return FieldTold(source, strategy, None, "cut", f"it is {length} characters long")
    return FieldTold(source, strategy, None, "not_understood" if text else "not_found", text[:_SHOWN])


def answered_paths(document: Any, rules: Iterable[FieldRule]) -> int:
    """How many of the rules' paths lead somewhere; `null` counts."""
    return sum(find_value(document, rule.path or "") is not None for rule in rules)


@functools.lru_cache(maxsize=1024)
def _compiled(path: str) -> Callable[[Any], FoundValue | None]:
    if is_plain_path(path):
        keys = path.split(".")
        return lambda document: _follow(document, keys)
    compiled = jmespath.compile(path)

    def search(document: Any) -> FoundValue | None:
        try:
            found = compiled.search(document)
        except (JMESPathError, TypeError, ValueError, RecursionError):
            return None  # a function got a kind of value that it cannot work on
        return None if found is None else _ended(found)

    return search


def _follow(value: Any, keys: list[str]) -> FoundValue | None:
    if not keys:
        return _ended(value)
    key, rest = keys[0], keys[1:]
    if isinstance(value, dict):
        return _follow(value[key], rest) if key in value else None
    if not isinstance(value, list):
        return None
    if key.isdecimal():
        position = int(key[:9])
        return _follow(value[position], rest) if position < len(value) else None
    ways = (_follow(element, keys) for element in value if isinstance(element, dict))
    return next((found for found in ways if found is not None), None)


def _ends_in_null(value: Any, keys: list[str]) -> bool:
    """Whether a key on the way is there and is `null`."""
    for at in range(1, len(keys)):
        found = _follow(value, keys[:at])
        if found is not None and found.value is None and not found.kind:
            return True
    return False


def _ended(value: Any) -> FoundValue:
    if isinstance(value, list):
        if not value:
            return FoundValue(None, "an empty list")
        value = value[0]
    if value is None or isinstance(value, str | int | float | bool):
        return FoundValue(value)
    return FoundValue(None, "an object" if isinstance(value, dict) else "a list")
