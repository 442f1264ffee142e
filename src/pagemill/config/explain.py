"""Turns pydantic's errors about a file into `Problem`s: file, line, key, plain words, remedy.

The models of this folder have the rules; this module only words the mistakes. A value is quoted only under a known key,
so that a password under a wrong key never appears on a screen or in a log.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pagemill.config.misplaced import misplaced_in
from pagemill.config.mistakes import Mistake, Mistakes
from pagemill.config.shape import default_at, keys_at, places_of
from pagemill.config.yaml_source import KeyPath, YamlSource, dotted
from pagemill.errors import Problem

_KINDS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "string_type": "text",
    "path_type": "text",
    "tuple_type": "a list",
    "dict_type": "a section with keys",
    "model_type": "a section with keys",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
}
_MESSAGE_MAX_LENGTH = 300
_PASSWORD = re.compile(r"//[^/\s]*@")


def problems_of(error: ValidationError, source: YamlSource, model: type[BaseModel]) -> list[Problem]:
    """Every mistake from validating `source.data` as that model, in the order of the file's lines."""
    wording = _Wording(source, model)
    by_path: dict[KeyPath, list[ErrorDetails]] = {}
    for details in error.errors(include_url=False):
        by_path.setdefault(wording.path_of(details), []).append(details)
    problems = [problem for path, several in by_path.items() for problem in wording.problems(path, several)]
    return sorted(problems, key=lambda problem: problem.line or 0)


class _Wording:
    """Plain words for the mistakes of one file."""

    def __init__(self, source: YamlSource, model: type[BaseModel]) -> None:
        self._source = source
        self._model = model

    def path_of(self, details: ErrorDetails) -> KeyPath:
        """pydantic's location without the parts that are no keys of the file: branches of a union, and the list that a
        short form stands for."""
        path: KeyPath = ()
        last = len(details["loc"]) - 1
        for position, part in enumerate(details["loc"]):
            written = (*path, part) in self._source.lines
            if written or (position == last and part in keys_at(self._model, path)):
                path = (*path, part)
        return path

    def problems(self, path: KeyPath, several: Sequence[ErrorDetails]) -> Iterator[Problem]:
        """The problems at one place. pydantic reports a union once for each branch; here these reports become one."""
        first = several[0]
        cause = first.get("ctx", {}).get("error")
        if isinstance(cause, Mistakes):
            yield from (self._mistake(path, mistake) for mistake in cause.each)
        elif isinstance(cause, Mistake):
            yield self._mistake(path, cause)
        elif first["type"] == "extra_forbidden":
            yield from self._unknown(path, first["input"])
        elif first["type"] == "missing":
            yield self._problem(path, "is missing", f"add the key {path[-1]}")
        else:
            yield self._wrong_value(path, several)

    def _problem(self, path: KeyPath, message: str, remedy: str) -> Problem:
        safe = _PASSWORD.sub("//***@", message)
        short = safe if len(safe) <= _MESSAGE_MAX_LENGTH else safe[:_MESSAGE_MAX_LENGTH] + "..."
        return Problem(self._source.file, self._source.line_of(path), dotted(path), short, remedy)

    def _mistake(self, path: KeyPath, mistake: Mistake) -> Problem:
        return self._problem(self._written(path, mistake.path), mistake.message, mistake.remedy)

    def _written(self, above: KeyPath, below: KeyPath) -> KeyPath:
        """The whole path as the file writes it, because a short form leaves out some keys."""
        whole = (*above, *below)
        if whole in self._source.lines:
            return whole
        path: KeyPath = ()
        for part in whole[:-1]:
            if (*path, part) in self._source.lines:
                path = (*path, part)
        short = (*path, whole[-1]) if whole else ()
        return short if short in self._source.lines else whole

    def _unknown(self, path: KeyPath, value: Any) -> Iterator[Problem]:
        misplaced = list(misplaced_in(path, value))
        yield from (self._mistake((), mistake) for mistake in misplaced)
        if not any(mistake.path == path for mistake in misplaced):
            yield self._problem(path, "unknown key", self._suggestion(path[:-1], str(path[-1])))

    def _suggestion(self, section: KeyPath, key: str) -> str:
        known = keys_at(self._model, section)
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|-", "_", key).lower()
        near = get_close_matches(snake, known, n=1)
        if near:
            return f"did you mean `{near[0]}`?"
        elsewhere = places_of(self._model, snake)
        if elsewhere:
            return f"it belongs at `{elsewhere[0]}`"
        return f"write one of: {', '.join(known)}"

    def _wrong_value(self, path: KeyPath, several: Sequence[ErrorDetails]) -> Problem:
        value = several[0]["input"]
        default = default_at(self._model, path)
        such_as = f" (the default is {default})" if default else ""
        for details in several:
            kind, context = details["type"], details.get("ctx", {})
            if kind in _BOUNDS:
                name, words = _BOUNDS[kind]
                limit = f"{words} {context[name]:g}"
                return self._problem(path, f"must be {limit}, found {value}", f"write {limit}{such_as}")
            if kind == "string_too_short":
                return self._problem(path, "must not be empty", "write some text, or remove the key")
            if kind == "finite_number":
                return self._problem(path, f"must be a finite number, found {value}", f"write a number{such_as}")
        expected = _expected(several)
        remedy = _remedy(expected, value) or f"write {expected}{such_as}"
        return self._problem(path, f"expected {expected}, found {_described(value)}", remedy)


def _expected(several: Sequence[ErrorDetails]) -> str:
    words = [_KINDS.get(details["type"]) or _choices(details) for details in several]
    return " or ".join(dict.fromkeys(words))


def _choices(details: ErrorDetails) -> str:
    """The words that are allowed here. For a kind of mistake without a wording yet, pydantic's own text."""
    expected = details.get("ctx", {}).get("expected")
    return str(expected).replace("'", "") if expected else details["msg"]


def _described(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # Text with an @ may be an address with a password.
        return f"text {value[:40]!r}" if "@" not in value else "other text"
    if isinstance(value, (list, tuple)):
        return "a list"
    return "a section with keys" if isinstance(value, dict) else f"the number {value}"


def _remedy(expected: str, value: Any) -> str:
    """What to do, if more can be said than what was expected; else empty."""
    if value is None:
        return f"write {expected}, or remove the line"
    if isinstance(value, str):
        near = get_close_matches(value.lower(), re.split(r", | or ", expected), n=1)
        if near:
            return f"did you mean `{near[0]}`?"
        if "number" in expected and re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", value):
            return "remove the quotes, and zeros in front"
    if expected == "text" and isinstance(value, (bool, int, float)):
        return "put quotes around it"
    if expected == "a list":
        return "write it in brackets: [one, two]"
    if expected == "a section with keys":
        return "write its keys in the lines below, indented"
    return ""
