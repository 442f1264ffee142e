"""Makes foreign text safe to show: characters that control a terminal or reverse the text become escapes like \\u001b.

Text from pages, catalogues and error messages passes through here before it reaches a terminal, a log line or a CSV
file. All other characters stay as they are. Pure.
"""

from __future__ import annotations

import re

_STEERS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""Control characters except tabs and line ends, Unicode line separators, characters that override the direction of
writing, and surrogates, which cannot be encoded."""
_STEERING = re.compile(f"[{_STEERS}]")
_STEERING_OR_RETURN = re.compile(f"[{_STEERS}\r]")
_BREAKS = re.compile(r"[\t\r\n]+")


def one_line(text: str) -> str:
    """For a table cell or a log line: tabs and line ends become a space."""
    return _STEERING.sub(_number, _BREAKS.sub(" ", text))


def lines(text: str) -> str:
    """For a terminal: tabs and line ends stay, but a carriage return, which overwrites the line, is escaped."""
    return _STEERING_OR_RETURN.sub(_number, text)


def in_file(text: str) -> str:
    """For a file: tabs and all line ends stay. JSON keeps its meaning: only its strings have other characters."""
    return _STEERING.sub(_number, text)


def _number(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
