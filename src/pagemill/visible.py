"""Makes text of strangers safe to show: characters that steer a terminal or reverse letters are written as their
numbers.

Pages, catalogues and error messages go through this on their way to a terminal, a log line or a CSV. Nothing else in
them is changed. Pure.
"""

from __future__ import annotations

import re

_STEERS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""Control characters of both sets but for tabs and line ends, what begins a line in some places and not in others, what
overrides the direction of writing, and halves of pairs, which cannot be written."""
_STEERING = re.compile(f"[{_STEERS}]")
_STEERING_OR_RETURN = re.compile(f"[{_STEERS}\r]")
_BREAKS = re.compile(r"[\t\r\n]+")


def one_line(text: str) -> str:
    """For a cell or a log line: tabs and line ends become a space."""
    return _STEERING.sub(_number, _BREAKS.sub(" ", text))


def lines(text: str) -> str:
    """For a terminal: tabs and line ends stay, but none goes back to the line's beginning."""
    return _STEERING_OR_RETURN.sub(_number, text)


def in_file(text: str) -> str:
    """For a file: tabs and all line ends stay. JSON says the same afterwards, as only its strings have others."""
    return _STEERING.sub(_number, text)


def _number(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
