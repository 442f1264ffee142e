"""Splits Chromium's output into messages. Of a message that is too long only both ends are kept, to tell whose it was.

A page decides how long a message is: the body of a request, the name of a frame and the text of a dialog each come in
one message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

MAX_BYTES = 64_000_000
"""The longest answer that is ever asked for. All that may be read of one page has 8,000,000 characters in places and
states and 2,000,000 of published data, each of up to six bytes (`\\uXXXX`)."""
MAX_EVENT_BYTES = 16_000_000
"""The longest event. The body of a request comes in one event, as text and again in base64."""
ANSWER = b'{"id":'
"""The first bytes of an answer to a command, both from Chromium and from Playwright's driver."""
_ENDS = 300
_HEAD = re.compile(rb'\A\{"(?:id":(?P<id>\d+)|method":"(?P<method>[\w.]{1,80})")')
_SESSION = re.compile(rb'"sessionId":"(\w+)"\}\Z')


@dataclass(frozen=True, slots=True)
class TooLong:
    """What is known of a message that was not kept."""

    length: int
    id: int | None
    """The id of the command that it answers; `None` for an event."""
    method: str
    """The method of an event."""
    session: str
    """The session that it was for; empty if it names none."""

    @classmethod
    def of(cls, length: int, head: bytes, tail: bytes) -> Self:
        """Made from both ends: Chromium writes the id or the method first, and the session last."""
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
        """The beginning of a message that is too long. Of its chunks, only the end of the last one is kept then."""

    def cut(self, data: bytes) -> Iterator[str | TooLong]:
        """Takes new output, and yields the messages that it completes."""
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
            self._chunks.clear()  # before the text is made, which needs as much memory again
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
