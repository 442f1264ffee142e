"""The live connection: Socket.IO with the events of `/api/performance`, for clients that may read.

Everything is limited: the number of connections, the size of requests, and the messages that wait for a client. A
client that is too slow is disconnected, and others do not notice. Alerts are read from the fleet's history by cursor,
so each client gets each alert once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import socketio  # type: ignore[import-untyped]
from pydantic import BaseModel
from redis import RedisError
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from pagemill.alerting.alert import GRAVE
from pagemill.alerting.history import alerts_after, latest_cursor
from pagemill.control_room.api import performance_view as view
from pagemill.control_room.api.dependencies import Parts
from pagemill.control_room.api.performance_data import alert_text_of
from pagemill.control_room.api.performance_models import PERIODS_S
from pagemill.control_room.frame.access import AccessRules
from pagemill.control_room.frame.origin import is_own_origin
from pagemill.control_room.frame.roles import Access
from pagemill.errors import AccessRefused, RedisUnavailable, TokenRefused
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("live")

T = TypeVar("T")

MOST_CLIENTS = 100
MOST_WAITING = 30
"""Messages that may wait for a slow client before it is disconnected."""
_MOST_BYTES = 64 * 1024
_CHANNEL = "live"
_METRICS = "metrics"
_ALERTS = "alerts"
_STRANGER_LOOKS = 5
"""Rounds of the metrics after which a connection without a token is closed."""


@dataclass(slots=True)
class _Client:
    access: Access
    wants: set[str] = field(default_factory=set)


class Live:
    """The live connections of one API process. Lives on the server's event loop."""

    def __init__(self, parts: Parts, rules: AccessRules, metrics_s: float = 2.0, alerts_s: float = 1.0) -> None:
        """
        Args:
            parts: used on separate threads, because their calls block.
            rules: who may connect.
            metrics_s: seconds between two rounds of metrics.
            alerts_s: seconds between two looks for alerts.
        """
        self._parts = parts
        self._rules = rules
        self._metrics_s = metrics_s
        self._alerts_s = alerts_s
        self._threads = ThreadPoolExecutor(4, "live")
        self._clients: dict[str, _Client] = {}
        self._strangers: dict[str, int] = {}
        self._cursor: str | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._server = socketio.AsyncServer(
            async_mode="asgi",
            async_handlers=False,  # handles a client's requests one by one, so that they cannot pile up
            cors_allowed_origins=_is_own,
            max_http_buffer_size=_MOST_BYTES,
            always_connect=False,
            logger=False,
            engineio_logger=False,
        )
        handlers: dict[str, Callable[..., Awaitable[None]]] = {
            "connect": self._connect,
            "disconnect": self._disconnect,
            "subscribe:metrics": self._subscribe_metrics,
            "subscribe:alerts": self._subscribe_alerts,
            "unsubscribe:metrics": self._unsubscribe_metrics,
            "unsubscribe:alerts": self._unsubscribe_alerts,
            "request:history": self._send_history,
            "request:dashboard": self._send_dashboard,
        }
        for event, handler in handlers.items():
            self._server.on(event, handler)

    @property
    def app(self) -> ASGIApp:
        """The ASGI application for `/socket.io`."""
        app: ASGIApp = socketio.ASGIApp(self._server, socketio_path=None)
        return app

    async def open(self) -> None:
        """Begins to send metrics, and alerts that are raised from now on."""
        self._tasks = [
            asyncio.create_task(self._repeat(self._metrics_s, self._tell_metrics), name="live metrics"),
            asyncio.create_task(self._repeat(self._alerts_s, self._tell_alerts), name="live alerts"),
        ]

    async def close(self) -> None:
        """Stops sending, closes all connections, and waits for calls to Redis that are under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for sid in tuple(self._clients):
            await self._let_go(sid)
        await self._server.shutdown()
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _connect(self, sid: str, environ: dict[str, Any], auth: object = None) -> None:
        token = auth.get("token") if isinstance(auth, dict) else None
        connection = HTTPConnection(environ["asgi.scope"])
        try:
            access = self._rules.access_of_token(token if isinstance(token, str) else None, connection)
        except (TokenRefused, AccessRefused) as error:
            raise socketio.exceptions.ConnectionRefusedError(str(error), {"code": error.code}) from error
        if len(self._clients) >= MOST_CLIENTS:
            raise socketio.exceptions.ConnectionRefusedError("too many connections: try again", {"code": "full"})
        self._clients[sid] = _Client(access)

    async def _disconnect(self, sid: str, reason: object = None) -> None:
        self._clients.pop(sid, None)

    async def _subscribe_metrics(self, sid: str, _data: object = None) -> None:
        if self._want(sid, _METRICS):
            await self._answer(sid, "metrics:update", self._metrics)

    async def _subscribe_alerts(self, sid: str, _data: object = None) -> None:
        self._want(sid, _ALERTS)

    async def _unsubscribe_metrics(self, sid: str, _data: object = None) -> None:
        self._want(sid, _METRICS, wanted=False)

    async def _unsubscribe_alerts(self, sid: str, _data: object = None) -> None:
        self._want(sid, _ALERTS, wanted=False)

    async def _send_history(self, sid: str, data: object = None) -> None:
        said = data.get("period", "hourly") if isinstance(data, dict) else data or "hourly"
        period = next((each for each in PERIODS_S if each == said), None)
        if period is None:
            known = ", ".join(PERIODS_S)
            await self._send(sid, "request:error", _trouble("request:history", f"period is one of {known}"))
            return
        await self._answer(sid, "history:data", lambda: view.history(self._parts, period), "request:history")

    async def _send_dashboard(self, sid: str, _data: object = None) -> None:
        await self._answer(sid, "dashboard:data", self._dashboard, "request:dashboard")

    def _want(self, sid: str, what: str, *, wanted: bool = True) -> bool:
        client = self._clients.get(sid)
        if client is None:
            return False
        (client.wants.add if wanted else client.wants.discard)(what)
        return wanted

    def _metrics(self) -> BaseModel:
        return view.current(self._parts, self._rules.clock())

    def _dashboard(self) -> BaseModel:
        return view.dashboard(self._parts, self._rules.clock(), self._parts.view.picture().alive)

    async def _answer(self, sid: str, event: str, make: Callable[[], BaseModel], asked: str = "") -> None:
        try:
            found = await self._on_thread(lambda: make().model_dump(mode="json", by_alias=True))
        except RedisUnavailable as error:
            if asked:
                await self._send(sid, "request:error", _trouble(asked, str(error)))
            return
        await self._send(sid, event, found)

    async def _repeat(self, interval_s: float, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await step()
            except (RedisError, RedisUnavailable):
                pass  # /health reports the outage
            except Exception:
                log.exception(events.UNEXPECTED, where="live connections")
            await asyncio.sleep(interval_s)

    async def _tell_metrics(self) -> None:
        await self._send_strangers_away()
        for sid, client in tuple(self._clients.items()):
            if self._rules.is_over(client.access):
                await self._let_go(sid)
        if not self._listeners(_METRICS):
            return
        found = await self._on_thread(lambda: self._metrics().model_dump(mode="json", by_alias=True))
        for sid in self._listeners(_METRICS):
            await self._send(sid, "metrics:update", found)

    async def _tell_alerts(self) -> None:
        redis = self._parts.redis
        if self._cursor is None:
            self._cursor = await self._on_thread(lambda: latest_cursor(redis))
        cursor = self._cursor
        for place, alert in await self._on_thread(lambda: alerts_after(redis, cursor)):
            self._cursor = place
            if not alert.goes_to(_CHANNEL):
                continue
            told = alert_text_of(alert).model_dump(mode="json", by_alias=True)
            for sid in self._listeners(_ALERTS):
                await self._send(sid, "alert:new", told)
                if alert.level in GRAVE:
                    await self._send(sid, "alert:critical", told)

    def _listeners(self, what: str) -> list[str]:
        return [sid for sid, client in self._clients.items() if what in client.wants]

    async def _send(self, sid: str, event: str, data: object) -> None:
        """Sends without waiting for the client. Disconnects it if too many messages wait."""
        if sid not in self._clients:
            return
        socket = self._socket_of(sid)
        if socket is None or socket.queue.qsize() > MOST_WAITING:
            await self._let_go(sid)
            return
        await self._server.emit(event, data, to=sid)

    async def _let_go(self, sid: str) -> None:
        socket = self._socket_of(sid)
        self._clients.pop(sid, None)
        if socket is not None:
            # Not `disconnect`, because that waits until the client has read everything.
            while not socket.queue.empty():
                socket.queue.get_nowait()
                socket.queue.task_done()
            with contextlib.suppress(Exception):
                await socket.close(wait=False, reason=self._server.reason.SERVER_DISCONNECT)
            socket.queue.put_nowait(None)  # ends the writer, and with it the WebSocket

    def _socket_of(self, sid: str) -> Any:
        return self._server.eio.sockets.get(self._server.manager.eio_sid_from_sid(sid, "/"))

    async def _send_strangers_away(self) -> None:
        """Closes connections that have shown no token in time."""
        known = {self._server.manager.eio_sid_from_sid(sid, "/") for sid in self._clients}
        unknown = {eio_sid: socket for eio_sid, socket in self._server.eio.sockets.items() if eio_sid not in known}
        self._strangers = {eio_sid: self._strangers.get(eio_sid, 0) + 1 for eio_sid in unknown}
        for eio_sid, looks in self._strangers.items():
            if looks > (1 if len(unknown) > MOST_CLIENTS else _STRANGER_LOOKS):
                with contextlib.suppress(Exception):
                    await unknown[eio_sid].close(wait=False)
                self._server.eio.sockets.pop(eio_sid, None)

    async def _on_thread(self, call: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def _is_own(_origin: str, environ: dict[str, Any]) -> bool:
    """Whether the connection comes from one of our own pages. Only browsers send an `Origin`; others pass."""
    return is_own_origin(Headers(scope=environ["asgi.scope"]))


def _trouble(event: str, message: str) -> dict[str, str]:
    return {"event": event, "message": message}
