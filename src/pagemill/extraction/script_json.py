"""The objects in a script element: JSON, or what a script sets variables to. Pure; `state` interprets them.

The script is not run. Read are JSON, JavaScript's objects and lists, and texts of JSON: `JSON.parse("...")`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import chompjs

from pagemill.errors import BrokenScript, TooManyValues
from pagemill.extraction.json_path import parse_json

_MAX_OBJECTS = 20
_MAX_PLACES = 20_000
"""Places in a script where an object might begin."""
_TEXT = re.compile(r"""(?P<quote>["'`])(?P<inner>(?:(?!(?P=quote))[^\\]|\\.)*+)(?P=quote)""", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r?\n)|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_START = re.compile(
    r"""
      (?P<text> JSON\.parse\(\s*(?:decodeURIComponent\(\s*)? )
    | (?: (?<![=!<>])=(?![=>]) | \|\| | \?\? | [(,] )\s*(?=[{\[])
    """,
    re.VERBOSE,
)
"""What stands before a text of JSON, or before an object that is a value and not the body of a function."""
_TOKEN = re.compile(r""""(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|`(?:[^`\\]|\\.)*+`?|[{}\[\]]""", re.DOTALL)


def documents_of(text: str) -> Iterator[Any]:
    """The objects and lists of a script, in order: at most 20, no empty ones, from the first 20,000 places where one
    might begin. If the whole script is JSON, only that.

    Takes time linear in the script.

    Raises:
        BrokenScript: nothing could be read.
    """
    if '"' not in text and "&quot;" in text:
        text = html.unescape(text)
    try:
        document = parse_json(text)
    except TooManyValues as error:
        raise BrokenScript(str(error)) from error
    except ValueError as error:
        found = False
        for document in _in_script(text):
            found = True
            yield document
        if not found:
            raise BrokenScript(str(error)) from error
        return
    if isinstance(document, str) and document.lstrip()[:1] in ("{", "["):
        yield from documents_of(document)  # a JSON text that holds JSON
    else:
        yield document


def _in_script(text: str) -> Iterator[Any]:
    count = at = 0
    long_looks, has_text = _MAX_OBJECTS, False
    for _ in range(_MAX_PLACES):
        start = _START.search(text, at)
        if start is None or count == _MAX_OBJECTS:
            break
        if start["text"] is not None:
            has_text = True
            document, at = _text_at(text, start.end()), start.end()
        else:
            at = _end_of(text, start.end())
            document = _object_in(text[start.end() : at])
            if document is None and long_looks:  # its end was misjudged, for instance by quotes in a comment
                long_looks -= 1
                document = _object_in(text[start.end() :])
        if document:
            count += 1
            yield document
    if count == 0 and not has_text and (document := _object_in(text)):
        yield document


def _end_of(text: str, at: int) -> int:
    """Where the brackets that begin at `at` end. What stands within an object is no object of the script's own."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "}]":
            depth -= 1
            if depth == 0:
                return token.end()
    return len(text)


def _text_at(text: str, at: int) -> Any:
    found = _TEXT.match(text, at)
    if found is None:
        return None
    inner = _ESCAPE.sub(_character, found["inner"])
    try:
        return parse_json(unquote(inner) if inner.startswith("%") else inner)
    except ValueError:
        return None


def _object_in(text: str) -> Any:
    try:
        return chompjs.parse_js_object(text)
    except (ValueError, RecursionError):
        return None


def _character(escape: re.Match[str]) -> str:
    braced, four, two, line, letter = escape.groups()
    if code := braced or four or two:
        return chr(min(int(code, 16), 0x10FFFF))
    return "" if line else _LETTERS.get(letter, letter)
