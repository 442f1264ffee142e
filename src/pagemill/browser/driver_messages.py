"""Drops messages of Playwright's driver that are too long, because a page decides how long they are.

Playwright reads every message whole, whatever its length, and has no setting for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pagemill.browser.protocol_messages import ANSWER, MAX_BYTES, MAX_EVENT_BYTES
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("browser")

_LENGTH_BYTES = 4
_PIECE = 1 << 16


class BoundedOutput:
    """Replaces the stream of the driver's messages. Each message has its length before it, in four bytes.

    A message that is too long is skipped. Whoever waits for it runs into their own deadline.
    """

    def __init__(
        self, output: asyncio.StreamReader, max_bytes: int = MAX_BYTES, max_event_bytes: int = MAX_EVENT_BYTES
    ) -> None:
        self._output = output
        self._max_bytes = max_bytes
        self._max_event_bytes = min(max_event_bytes, max_bytes)
        self._left = 0
        """Bytes left of the message that is being read."""
        self._begun = b""
        """The first bytes of the message, which were read to decide about it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    async def readexactly(self, count: int) -> bytes:
        """Like the stream's own method."""
        if self._left > 0:
            self._left -= count
            begun, self._begun = self._begun[:count], self._begun[count:]
            return begun + await self._output.readexactly(count - len(begun))
        while True:
            head = await self._output.readexactly(_LENGTH_BYTES)
            length = int.from_bytes(head, "little")
            if length > self._max_event_bytes:
                self._begun = await self._output.readexactly(min(length, len(ANSWER)))
                if length > (self._max_bytes if self._begun == ANSWER else self._max_event_bytes):
                    await self._pass_over(length - len(self._begun))
                    self._begun = b""
                    log.warning(events.MESSAGE_DROPPED, bytes=length, method="")
                    continue
            self._left = length
            return head

    async def _pass_over(self, length: int) -> None:
        while length > 0:
            length -= len(await self._output.readexactly(min(length, _PIECE)))


class BoundedConnect:
    """Replaces the method with which Playwright connects to its driver."""

    def __init__(self, connect: Callable[[Any], Awaitable[None]]) -> None:
        self._connect = connect

    def __get__(self, transport: Any, _kind: type | None = None) -> Callable[[], Awaitable[None]]:
        async def connect() -> None:
            await self._connect(transport)
            transport._proc.stdout = BoundedOutput(transport._proc.stdout)
            # The driver's loss is reported elsewhere; Playwright reads this future only at its start.
            transport.on_error_future.add_done_callback(lambda over: over.cancelled() or over.exception())

        return connect
