"""Cuts what Chromium says into messages. One that is too long is not kept: only its ends are, to tell whose it was.

How long a message is, a page decides: what it sends with a request, how it calls its frames and what it asks a person
all come in one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

MAX_BYTES = 64_000_000
"""The longest that is ever asked for, all that may be read of one page, has 8,000,000 characters in places and states
and 2,000,000 of what is published, each of six bytes as `\\uXXXX`."""
MAX_EVENT_BYTES = 16_000_000
"""The longest that nobody has asked for. A request's body comes in one, as text and once more as base64."""
ANSWER = b'{"id":'
"""What answers to commands begin with, Chromium's and those of Playwright's driver."""
_ENDS = 300
_HEAD = re.compile(rb'\A\{"(?:id":(?P<id>\d+)|method":"(?P<method>[\w.]{1,80})")')
_SESSION = re.compile(rb'"sessionId":"(\w+)"\}\Z')


@dataclass(frozen=True, slots=True)
class TooLong:
    """What is known of a message that was not kept."""

    length: int
    id: int | None
    """Of the command that it answers; `None` for an event."""
    method: str
    """Of an event."""
    session: str
    """Whose it was; empty where it does not say."""

    @classmethod
    def of(cls, length: int, head: bytes, tail: bytes) -> Self:
        """From its two ends: Chromium writes a number or a method first, and the session last."""
        began, session = _HEAD.match(head), _SESSION.search(tail)
        known = {"id": None, "method": None} if began is None else began.groupdict()
        return cls(
            length,
            None if known["id"] is None else int(known["id"]),
            (known["method"] or b"").decode(),
            "" if session is None else session[1].decode(),
        )


class Messages:
    """The messages of one pipe, each ended by a NUL byte."""

    def __init__(self, max_bytes: int = MAX_BYTES, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._max_event_bytes = min(max_event_bytes, max_bytes)
        self._chunks: list[bytes] = []
        self._length = 0
        self._head = b""
        """Of one that is too long; of its chunks only the last is kept then, and no more of that than its end."""

    def cut(self, data: bytes) -> Iterator[str | TooLong]:
        """Takes in what has come; the messages that it completes."""
        *whole, rest = data.split(b"\0")
        for part in whole:
            self._add(part)
            yield self._ended()
        if rest:
            self._add(rest)

    def _add(self, part: bytes) -> None:
        self._length += len(part)
        self._chunks.append(part)
        if not self._head and self._length > self._max_event_bytes:
            head = _first_of(self._chunks)
            if self._length > (self._max_bytes if head.startswith(ANSWER) else self._max_event_bytes):
                self._head = head
        if self._head:
            self._chunks = [_last_of(self._chunks)]

    def _ended(self) -> str | TooLong:
        if self._head:
            message: str | TooLong = TooLong.of(self._length, self._head, self._chunks[0])
        else:
            joined = b"".join(self._chunks)
            self._chunks.clear()  # before its text is made, which is as long once more
            message = joined.decode("utf-8", "surrogatepass")
        self._chunks.clear()
        self._length, self._head = 0, b""
        return message


def _first_of(chunks: list[bytes]) -> bytes:
    found = b""
    for chunk in chunks:
        found += chunk[:_ENDS]
        if len(found) >= _ENDS:
            break
    return found[:_ENDS]


def _last_of(chunks: list[bytes]) -> bytes:
    found = b""
    for chunk in reversed(chunks):
        found = chunk[-_ENDS:] + found
        if len(found) >= _ENDS:
            break
    return found[-_ENDS:]
