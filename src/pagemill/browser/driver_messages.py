"""Keeps out of Python what Playwright's driver hands on of a page that says too much at once.

Playwright reads every message whole, however long a page makes it, and has no setting for that.
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
    """Stands in for the stream that the driver's messages are read from, each behind its length in four bytes.

    A message that is too long is passed over. Who waits for it waits until its own deadline.
    """

    def __init__(
        self, output: asyncio.StreamReader, max_bytes: int = MAX_BYTES, max_event_bytes: int = MAX_EVENT_BYTES
    ) -> None:
        self._output = output
        self._max_bytes = max_bytes
        self._max_event_bytes = min(max_event_bytes, max_bytes)
        self._left = 0
        """Of the message that is being read."""
        self._begun = b""
        """Its beginning, which was looked at."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)

    async def readexactly(self, count: int) -> bytes:
        """As the stream's own."""
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
    """Stands in for the method by which Playwright connects to its driver."""

    def __init__(self, connect: Callable[[Any], Awaitable[None]]) -> None:
        self._connect = connect

    def __get__(self, transport: Any, _kind: type | None = None) -> Callable[[], Awaitable[None]]:
        async def connect() -> None:
            await self._connect(transport)
            transport._proc.stdout = BoundedOutput(transport._proc.stdout)
            # That the driver has gone is told as such; Playwright asks for this after its start no more.
            transport.on_error_future.add_done_callback(lambda over: over.cancelled() or over.exception())

        return connect
