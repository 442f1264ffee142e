"""Texts of the configuration that are compiled: regular expressions, and templates with `{names}`. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, unquote

from pydantic import AfterValidator

from pagemill.config.mistakes import Mistake
from pagemill.config.reading.user_regex import CompileError, compiled

_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NUMBER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*):number\}")
_DIGITS = re.compile(r"-?(?:0|[1-9]\d{0,17})", re.ASCII)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def check_regex(text: str) -> str:
    """The text itself, if it is a regular expression.

    Raises:
        Mistake: it is no regular expression.
    """
    try:
        re.compile(text)  # Python's language is what is promised; the other library has additions
        compiled(text)
    except (re.error, CompileError, OverflowError, RecursionError) as error:
        remedy = "mend it, or put a backslash before special characters"
        raise Mistake(f"is not a regular expression: {error}", remedy) from error
    return text


Regex = Annotated[str, AfterValidator(check_regex)]


@dataclass(frozen=True, slots=True)
class Part:
    """What one `{name}` stands for. `encoded`: it was cut out of an address and is percent-encoded already."""

    text: str
    encoded: bool = False

    @property
    def plain(self) -> str:
        """The text as people write it."""
        return unquote(self.text) if self.encoded else self.text

    @property
    def in_path(self) -> str:
        """The text for an address before its `?`. What was cut out of an address stays as it was."""
        return self.text if self.encoded else quote(self.text, safe="")

    @property
    def in_query(self) -> str:
        """The text for an address after its `?`."""
        return quote(self.plain, safe="")


Names = Mapping[str, Part]
"""What each `{name}` of a template stands for; `id` and `url` are always there."""


def names_in(template: str) -> set[str]:
    """The names in a template. Braces around anything else are ordinary text."""
    return set(_NAME.findall(template))


def fill_address(template: str, names: Names) -> str:
    """The address with every name filled in. `{url}` at the beginning is a whole address and stays as it is.

    All names of the template must be known.
    """
    query = template.find("?")

    def part(found: re.Match[str]) -> str:
        name = found[1]
        if name == "url" and found.start() == 0:
            return names[name].text
        return names[name].in_query if -1 < query < found.start() else names[name].in_path

    return _NAME.sub(part, template)


def names_filled(text: str) -> set[str]:
    """The names that `fill_json` fills in, and `fill_text` as well, except `{id:number}`."""
    if (number := _NUMBER.fullmatch(text)) is not None:
        return {number[1]}
    return set().union(*(names_in(part) for part in _parts_to_fill(text)))


def fill_text(text: str, names: Names) -> str:
    """The text with every name filled in as people write it.

    A text with other braces may be JSON: if it is with its names filled in, all of them are. Otherwise, as in a GraphQL
    query, names are only filled in within double quotes, because `{id}` elsewhere may mean something different.
    """
    parts = _parts_to_fill(text)
    if parts == [text]:
        is_json = _has_braces(text)
        return _filled(text, names, escaped=is_json)
    return _QUOTED.sub(lambda found: _filled(found[0], names, escaped=True), text)


def _parts_to_fill(text: str) -> list[str]:
    if not _has_braces(text) or _is_json(_NAME.sub("0", text)):
        return [text]
    return _QUOTED.findall(text)


def _has_braces(text: str) -> bool:
    """Whether there are braces around something other than a name."""
    rest = _NAME.sub("", text)
    return "{" in rest or "}" in rest


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _filled(text: str, names: Names, *, escaped: bool) -> str:
    def part(found: re.Match[str]) -> str:
        if found[1] not in names:
            return found[0]
        plain = names[found[1]].plain
        return json.dumps(plain, ensure_ascii=False)[1:-1] if escaped else plain

    return _NAME.sub(part, text)


def _number_filled(text: str, names: Names) -> int | str | None:
    number = _NUMBER.fullmatch(text)
    if number is None or number[1] not in names:
        return None
    plain = names[number[1]].plain
    return int(plain) if _DIGITS.fullmatch(plain) else plain


def texts_in(value: object) -> Iterator[str]:
    """Every text in a JSON value, except keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts_in(inner)


def fill_json(value: object, names: Names) -> object:
    """The JSON value with the names in every text filled in; keys stay.

    A text that is only `{id:number}` becomes a number, if the name stands for a whole number.
    """
    if isinstance(value, str):
        number = _number_filled(value, names)
        return fill_text(value, names) if number is None else number
    if isinstance(value, dict):
        return {key: fill_json(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill_json(inner, names) for inner in value]
    return value
