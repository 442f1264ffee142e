"""Parses the texts of JSON-LD scripts, and repairs common mistakes of shops. Their meaning is not known here.

Only mistakes that can be read in one way are repaired: comments and the marks that older shops put around scripts,
several documents in one script, line breaks and wrong escapes in texts. `chompjs` also repairs extra commas, single
quotes and keys without quotes. A missing comma, a quote within a text, or an amount such as `1,250.00` without quotes
can be read in several ways, so it counts as broken.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import chompjs

from pagemill.errors import BrokenJsonLd, TooManyValues
from pagemill.extraction.json_path import parse_json

_TOKEN = re.compile(
    r"""
      (?P<text>"(?:[^"\\]|\\.)*+"?)
    | '(?:[^'\\]|\\.)*+'?
    | (?P<comment>//[^\n]*+ | /\*(?:[^*]|\*(?!/))*+(?:\*/)? | <!--(?:[^-]|-(?!->))*+(?:-->)? | -->)
    | (?P<mark><!\[CDATA\[ | \]\]>)
    | (?P<open>[{\[])
    | (?P<close>[}\]])
    """,
    re.VERBOSE | re.DOTALL,
)
_OPENING = re.compile(r"\s*(?://|/\*)?\s*<!--\s*(?://-->)?(?:\*/)?")
_CLOSING = re.compile(r"(?://|/\*)?\s*-->\s*(?:\*/)?\s*\Z")
_BETWEEN = re.compile(r"(?:\s|[,;}\])(]|(?:(?:var|let|const)\s++)?[\w$.]{1,80}\s*+=(?!=))*+", re.ASCII)
"""What may stand around a document without meaning anything."""
_ESCAPE = re.compile(
    r"""\\(?:(?P<right>["\\/bfnrt]|u[0-9a-fA-F]{4})|x(?P<hex>[0-9a-fA-F]{2})|(?P<wrong>.?))""", re.DOTALL
)
_LEADING_ZERO = re.compile(r"(?<![\w.+\-])0[0-9]++(?:\.[0-9]++)?(?![\w.])", re.ASCII)
_NEAR = 30
_MAX_DOCUMENTS = 1_000
"""For one script."""


def read_json_ld(script: str) -> list[Any]:
    """The documents of one script, in order; none of a script that is blank or holds nothing but comments.

    Takes time linear in the script.

    Raises:
        BrokenJsonLd: some of it cannot be read, or its meaning is not sure.
    """
    text = script.lstrip("\ufeff")
    if '"' not in text and "&quot;" in text:
        text = html.unescape(text)
    try:
        document = parse_json(text)
    except TooManyValues as error:
        raise BrokenJsonLd(str(error)) from error
    except ValueError:
        return list(_documents(_bare(text)))
    if isinstance(document, str) and document.lstrip()[:1] in ("{", "["):
        return read_json_ld(document)  # a JSON text that holds JSON
    return [document]


def read_json_lds(scripts: Iterable[str]) -> tuple[list[Any], list[str]]:
    """The documents of all scripts, and where and why each unreadable script is broken."""
    documents: list[Any] = []
    broken: list[str] = []
    for number, script in enumerate(scripts, 1):
        try:
            documents += read_json_ld(script)
        except BrokenJsonLd as error:
            broken.append(f"script {number}, {error}")
    return documents, broken


def _bare(text: str) -> str:
    """The text without comments and marks; all other characters keep their place."""
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, max(0, len(text.rstrip()) - 20))
    if opening is not None and closing is not None and text.count("-->") == 1 and ("{" in text or "[" in text):
        text = _blank(text[: opening.end()]) + text[opening.end() : closing.start()]
    if "-->" not in text:
        text = text.replace("<!--", _blank("<!--"))
    return _TOKEN.sub(lambda token: _kept(text, token), text)


def _kept(text: str, token: re.Match[str]) -> str:
    comment = token["comment"]
    if comment is token["mark"] is None:
        return token[0]
    if comment is not None and comment.startswith(("<", "/*")) and not comment.endswith((">", "*/")) and "{" in comment:
        raise BrokenJsonLd(f"{_place(text, token.start())}: a comment that does not end")
    return _blank(token[0])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _documents(text: str) -> Iterator[Any]:
    """The documents: each outermost pair of brackets is one. Text with a meaning between them raises `BrokenJsonLd`."""
    depth = start = after = count = 0
    for token in _TOKEN.finditer(text):
        if token["open"]:
            if depth == 0:
                start = token.start()
                _expect_nothing(text, after, start)
            depth += 1
        elif token["close"] and depth:
            depth -= 1
            if depth == 0:
                after = token.end()
                count += 1
                if count > _MAX_DOCUMENTS:
                    raise BrokenJsonLd(f"more than {_MAX_DOCUMENTS} documents")
                yield _document(text, start, after)
    if depth:
        _document(text, start, len(text))
    _expect_nothing(text, after, len(text))


def _expect_nothing(text: str, start: int, end: int) -> None:
    between = _BETWEEN.match(text, start, end)
    if between is None or between.end() < end:
        at = start if between is None else between.end()
        raise BrokenJsonLd(f"{_place(text, at)}: text outside of the JSON")


def _document(text: str, start: int, end: int) -> Any:
    part = text[start:end]
    try:
        return parse_json(part)
    except ValueError as error:
        reason = error
    try:
        return chompjs.parse_js_object(_respelled(part), loader=parse_json)
    except ValueError:
        raise _broken(text, start, reason) from reason
    except RecursionError as error:
        raise BrokenJsonLd("it nests too deeply") from error


def _respelled(part: str) -> str:
    """The text with right escapes. Numbers that chompjs would read as octal become texts."""
    out: list[str] = []
    after = 0
    for token in _TOKEN.finditer(part):
        if token["text"]:
            out += _LEADING_ZERO.sub(r'"\g<0>"', part[after : token.start()]), _ESCAPE.sub(_right, token["text"])
            after = token.end()
    return "".join((*out, _LEADING_ZERO.sub(r'"\g<0>"', part[after:])))


def _right(escape: re.Match[str]) -> str:
    if escape["right"]:
        return escape[0]
    return f"\\u00{escape['hex']}" if escape["hex"] else escape["wrong"]


def _broken(text: str, start: int, reason: ValueError) -> BrokenJsonLd:
    if not isinstance(reason, json.JSONDecodeError):
        return BrokenJsonLd(str(reason))
    return BrokenJsonLd(f"{_place(text, start + reason.pos)}: {reason.msg}")


def _place(text: str, at: int) -> str:
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    near = " ".join(text[at : at + _NEAR].split())
    return f"line {line}, column {column}" + (f", at `{near}`" if near else "")
