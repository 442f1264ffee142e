"""Limits connections of clients that have shown no token: their number and their time, without harm to other clients.

uvicorn limits neither the time nor the size of a request's head, and its connection limit counts all clients together.
So both of its protocols register their connection here, and `Porch` keeps those that are not known yet. If it is full,
the address with the most connections loses its oldest one. So whoever fills it loses only their own connections.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from pagemill.control_room.frame.access import INTRODUCE
from pagemill.control_room.frame.loopback_peer import IS_OWN, is_own_end
from pagemill.control_room.frame.origin import party
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

STRANGERS = 200
STRANGER_S = 10.0
"""Seconds in which a request's head must be complete, and in which a WebSocket must show a token."""
_HEAD_MAX_BYTES = 64 * 1024
_TOLD_EVERY_S = 60.0

_log = get_logger("api")


class Porch:
    """The connections of one server that have shown no token. Lives on the server's event loop."""

    def __init__(
        self, room: int = STRANGERS, patience_s: float = STRANGER_S, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        """
        room: the most connections without a token.
        patience_s: how many seconds a connection has for the step that it owes.
        now_s: monotonic seconds.
        """
        self.patience_s = patience_s
        self._room = room
        self._now_s = now_s
        self._parties: dict[str, dict[Guest, None]] = {}
        self._dropped = 0
        self._told_s: float | None = None

    def __len__(self) -> int:
        return sum(map(len, self._parties.values()))

    def enter(self, guest: Guest) -> None:
        """Adds a new connection; if there is no room, another one is ended."""
        if len(self) >= self._room:
            fullest = max(self._parties.values(), key=len)
            self._drop(next(iter(fullest)))
        self._parties.setdefault(guest.party, {})[guest] = None

    def leave(self, guest: Guest) -> None:
        """Removes a connection that has shown a token or has ended; may be called again."""
        own = self._parties.get(guest.party, {})
        own.pop(guest, None)
        if not own:
            self._parties.pop(guest.party, None)

    def is_stranger(self, guest: Guest) -> bool:
        """Whether the connection is open and has shown no token."""
        return guest in self._parties.get(guest.party, {})

    def _drop(self, guest: Guest) -> None:
        self.leave(guest)
        guest.end()
        self._dropped += 1
        now_s = self._now_s()
        if self._told_s is None or now_s - self._told_s >= _TOLD_EVERY_S:
            _log.warning(events.STRANGERS_DROPPED, connections=self._dropped, address=guest.address, room=self._room)
            self._told_s, self._dropped = now_s, 0


class Guest:
    """One connection, HTTP or WebSocket."""

    def __init__(self, porch: Porch, transport: asyncio.Transport) -> None:
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self.party = party(self.address)
        self._porch = porch
        self._transport = transport
        self._deadline: asyncio.TimerHandle | None = None
        porch.enter(self)

    def is_own(self) -> bool:
        """Whether the client is a process of this process' user, as the kernel says; asked on each call."""
        ends = [self._transport.get_extra_info(end) for end in ("sockname", "peername")]
        return None not in ends and is_own_end(ends[0][:2], ends[1][:2])

    def introduce(self) -> None:
        """To be called when the client has shown a token."""
        self._porch.leave(self)

    def expect(self, what_is_due: Callable[[], bool]) -> None:
        """Ends the connection after `patience_s` if `what_is_due()` is true then; replaces an earlier call."""
        self.settle()
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._porch.patience_s, lambda: self.end() if what_is_due() else None)

    def expect_introduction(self) -> None:
        """Like `expect`; the client must show a token in that time."""
        self.expect(lambda: self._porch.is_stranger(self))

    def settle(self) -> None:
        """Cancels the deadline of `expect`."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def end(self) -> None:
        """Ends the connection at once, without waiting until the client has read everything."""
        self._transport.abort()

    def left(self) -> None:
        """To be called when the connection has ended."""
        self.settle()
        self._porch.leave(self)


class _Http(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with a limit on the size and time of a request's head."""

    def __init__(self, *arguments: Any, porch: Porch, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._porch = porch
        self._head_bytes: int | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._guest = Guest(self._porch, transport)
        self.app_state = {**self.app_state, INTRODUCE: self._guest.introduce, IS_OWN: cache(self._guest.is_own)}
        self.ws_protocol_class = partial(_WebSocket, guest=self._guest)  # type: ignore[assignment]
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._guest.left()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_bytes is not None:
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_MAX_BYTES:
                self._guest.end()

    def on_headers_complete(self) -> None:
        self._guest.settle()
        self._head_bytes = None
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        is_last = not self.pipeline
        super().on_response_complete()
        if is_last and not self.transport.is_closing():
            self._expect_head()

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._guest.expect(lambda: True)


class _WebSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol; the client must show a token in time."""

    def __init__(self, *arguments: Any, guest: Guest, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._guest = guest

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._guest.expect_introduction()

    def connection_lost(self, exc: Exception | None) -> None:
        self._guest.left()
        super().connection_lost(exc)


def watched(config: Config, porch: Porch) -> Config:
    """The server's configuration, with protocols that register their connections in `porch`."""
    config.http = partial(_Http, porch=porch)  # type: ignore[assignment]
    return config
