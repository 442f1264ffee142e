"""The protocol's connection to one Chromium: commands out, answers and events in, over a pair of pipes.

Messages are JSON. A command goes to the browser or, with a session, to one page. Errors have the types and messages of
Playwright's, so that they are handled in the same way. Nothing here has a deadline.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from typing import Any

from pagemill.browser.protocol_messages import Messages, TooLong
from pagemill.playwright_errors import PlaywrightError
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("browser")

CLOSED = "Target page, context or browser has been closed"
CRASHED = "Target crashed"
SAID_TOO_MUCH = "the page said more at once than is listened to"
_NO_SUCH_SESSION = -32001

Event = Callable[[dict[str, Any]], None]


class Connection(asyncio.Protocol):
    """Open from `opened` until `close`, or until Chromium goes away."""

    def __init__(self, on_lost: Callable[[], None]) -> None:
        self._on_lost = on_lost
        self._number = 0
        self._waiting: dict[int, tuple[asyncio.Future[dict[str, Any]], str]] = {}
        self._handlers: dict[tuple[str, str], list[Event]] = {}
        self._ended: dict[str, str] = {}
        self._news = asyncio.Event()
        self._messages = Messages()
        self._reader: asyncio.ReadTransport | None = None
        self._writer: asyncio.WriteTransport | None = None
        self._lost = asyncio.Event()

    @classmethod
    async def opened(cls, answers: int, commands: int, on_lost: Callable[[], None]) -> Connection:
        """Takes over two descriptors: one to read answers from, one to write commands to.

        Args:
            answers: the end of the pipe that Chromium writes to.
            commands: the end of the pipe that Chromium reads.
            on_lost: called once when Chromium closes its ends, which happens when it ends.
        """
        loop = asyncio.get_running_loop()
        connection = cls(on_lost)
        reader, _ = await loop.connect_read_pipe(lambda: connection, os.fdopen(answers, "rb", 0))
        writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(commands, "wb", 0))
        connection._reader, connection._writer = reader, writer
        return connection

    async def send(self, method: str, parameters: dict[str, Any] | None = None, session: str = "") -> dict[str, Any]:
        """Sends a command and returns its result.

        Raises:
            PlaywrightError: Chromium refused it, the page crashed, or the page or the browser is gone.
        """
        if self._lost.is_set() or self._writer is None:
            raise PlaywrightError(CLOSED)
        if session in self._ended:
            raise PlaywrightError(self._ended[session])
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method}
        if parameters:
            message["params"] = parameters
        if session:
            message["sessionId"] = session
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = (answer, session)
        self._writer.write(json.dumps(message).encode() + b"\0")
        try:
            return await answer
        finally:
            self._waiting.pop(message["id"], None)

    def on(self, session: str, event: str, handler: Event) -> None:
        """Adds a handler for an event; it gets the event's parameters and must not raise."""
        self._handlers.setdefault((session, event), []).append(handler)

    def forget(self, session: str) -> None:
        """Removes all handlers of a session that has ended."""
        self._ended.pop(session, None)
        for key in [key for key in self._handlers if key[0] == session]:
            del self._handlers[key]

    async def wait_detached(self, session: str) -> None:
        """Returns when the session's page is really gone, and not only asked to close."""
        while self._ended.get(session) != CLOSED and not self._lost.is_set():
            await self._news.wait()

    def end_session(self, session: str, reason: str) -> None:
        """Fails all present and later commands to that page, until `forget` is called."""
        self._ended[session] = reason
        self._tell()
        for answer, its_session in list(self._waiting.values()):
            if its_session == session and not answer.done():
                answer.set_exception(PlaywrightError(reason))

    async def wait_closed(self) -> None:
        """Returns when Chromium has closed its ends."""
        await self._lost.wait()

    def close(self) -> None:
        """Closes both pipes, which ends Chromium; safe to call twice."""
        for transport in (self._reader, self._writer):
            if transport is not None:
                transport.close()

    def data_received(self, data: bytes) -> None:
        """asyncio's hook."""
        for message in self._messages.cut(data):
            if isinstance(message, TooLong):
                self._give_up(message)
            else:
                self._dispatch(json.loads(message))

    def connection_lost(self, _error: Exception | None) -> None:
        """asyncio's hook."""
        self._lost.set()
        self._tell()
        self.close()
        for answer, _session in list(self._waiting.values()):
            if not answer.done():
                answer.set_exception(PlaywrightError(CLOSED))
        self._on_lost()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def _give_up(self, message: TooLong) -> None:
        """Ends the session of a page whose messages are too long. The command that got such an answer fails as well."""
        log.warning(events.MESSAGE_DROPPED, bytes=message.length, method=message.method)
        if message.session:
            self.end_session(message.session, SAID_TOO_MUCH)
        answer, _session = self._waiting.get(message.id or 0, (None, ""))
        if answer is not None and not answer.done():
            answer.set_exception(PlaywrightError(SAID_TOO_MUCH))

    def _dispatch(self, message: dict[str, Any]) -> None:
        if "id" in message:
            answer, _session = self._waiting.get(message["id"], (None, ""))
            if answer is None or answer.done():
                return
            if "error" in message:
                error = message["error"]
                said = CLOSED if error.get("code") == _NO_SUCH_SESSION else str(error.get("message", "unknown error"))
                answer.set_exception(PlaywrightError(said))
            else:
                answer.set_result(message["result"])
            return
        session = message.get("sessionId", "")
        method, parameters = message["method"], message.get("params", {})
        if method == "Inspector.targetCrashed":
            self.end_session(session, CRASHED)
        elif method == "Target.detachedFromTarget":
            self.end_session(parameters["sessionId"], CLOSED)
        for handler in self._handlers.get((session, method), ()):
            handler(parameters)
