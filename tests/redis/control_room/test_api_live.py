"""The live connection with python-socketio's own client, on a real server."""

from __future__ import annotations

import asyncio
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis
import socketio  # type: ignore[import-untyped]
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from pagemill.alerting.alert_desk import AlertDesk
from pagemill.config.settings import AlertSettings
from pagemill.fleet.snapshot import publish
from tests.redis.control_room.api_world import World, a_worker, api_running, write_history

pytestmark = pytest.mark.redis

WAIT_S = 10


@pytest.fixture
def world(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> Iterator[World]:
    """An API with a worker that has a past."""
    publish(redis_client, a_worker())
    write_history(redis_client)
    with api_running(redis_server, tmp_path) as world:
        yield world


class Listener:
    """A client, and what it was sent."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._found: dict[str, asyncio.Queue[Any]] = {}
        for event in (
            "metrics:update",
            "alert:new",
            "alert:critical",
            "history:data",
            "dashboard:data",
            "request:error",
            "disconnect",
        ):
            self._found[event] = asyncio.Queue()
            client.on(event, self._taking(event))

    def _taking(self, event: str) -> Callable[..., Awaitable[None]]:
        async def take(data: Any = None, *_: Any) -> None:
            self._found[event].put_nowait(data)

        return take

    async def emit(self, event: str, data: Any = None) -> None:
        await self._client.emit(event, data)

    async def next(self, event: str) -> Any:
        return await asyncio.wait_for(self._found[event].get(), WAIT_S)

    def has(self, event: str) -> bool:
        return not self._found[event].empty()


@asynccontextmanager
async def connected(world: World, token: str, transport: str = "websocket") -> AsyncIterator[Listener]:
    client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
    listener = Listener(client)
    await client.connect(world.url, auth={"token": token}, transports=[transport], wait_timeout=WAIT_S)
    try:
        yield listener
    finally:
        # Over polling, a polite good-bye waits for the answer to the request that hangs: half a minute.
        await client.eio.disconnect(abort=transport == "polling")
        if transport != "polling":
            await client.wait()


async def data_of(world: World, path: str) -> Any:
    return (await asyncio.to_thread(world.planner.get, path)).data


@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_metrics_come_to_who_subscribed(world: World, transport: str) -> None:
    """In the shape of `metrics/current`, again and again, until they are unsubscribed."""
    async with connected(world, world.planner.token, transport) as listener:
        await listener.emit("subscribe:metrics")
        first, second = await listener.next("metrics:update"), await listener.next("metrics:update")
        assert set(first) == set(await data_of(world, "/api/performance/metrics/current"))
        assert second["timestamp"] > first["timestamp"]


async def test_alerts_come_once(world: World, redis_client: redis.Redis) -> None:
    """Each to each subscriber; grave ones as critical in addition."""
    desk = AlertDesk(redis_client, AlertSettings(), "w1")
    desk.raise_alert("before", "warning", "nobody listened")
    await asyncio.sleep(1.5)  # longer than from one look for alerts to the next
    async with connected(world, world.planner.token) as one, connected(world, world.planner.token) as other:
        for listener in (one, other):
            await listener.emit("subscribe:alerts")
            await listener.emit("request:history")
            await listener.next("history:data")  # what came before it has been dealt with
        desk.raise_alert("leak", "warning", "w1 grows")
        desk.raise_alert("oom", "emergency", "w1 is killed")
        for listener in (one, other):
            assert [(await listener.next("alert:new"))["name"] for _ in range(2)] == ["leak", "oom"]
            assert (await listener.next("alert:critical"))["message"] == "w1 is killed"
            assert not listener.has("alert:new")
            assert not listener.has("alert:critical")


async def test_history_and_dashboard_on_request(world: World) -> None:
    """In the shapes of their paths; a period that is not known is told."""
    async with connected(world, world.planner.token) as listener:
        await listener.emit("request:history", {"period": "daily"})
        assert (await listener.next("history:data"))["period"] == "daily"
        await listener.emit("request:history", "weekly")
        assert (await listener.next("history:data"))["period"] == "weekly"
        await listener.emit("request:history")
        assert (await listener.next("history:data"))["period"] == "hourly"
        await listener.emit("request:history", {"period": "yearly"})
        assert "hourly, daily, weekly" in (await listener.next("request:error"))["message"]
        await listener.emit("request:dashboard")
        assert set(await listener.next("dashboard:data")) == set(await data_of(world, "/api/performance/dashboard"))


@pytest.mark.parametrize("token", ["", "nonsense"])
async def test_a_connection_needs_a_token(world: World, token: str) -> None:
    """The client is told why."""
    client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
    errors: asyncio.Queue[Any] = asyncio.Queue()
    client.on("connect_error", errors.put)
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(world.url, auth={"token": token}, wait_timeout=WAIT_S)
    await client.wait()
    error = await asyncio.wait_for(errors.get(), WAIT_S)
    assert error["message"]
    assert error["data"]["code"]


def test_another_site_may_not_connect(world: World) -> None:
    """Whatever token it has; a page of the API's own may."""
    path = f"{world.url}/socket.io/?EIO=4&transport=polling"
    foreign = urllib.request.Request(path, headers={"Origin": "https://shop.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(foreign, timeout=WAIT_S)
    with refused.value as error:
        assert error.code == 400
    own = urllib.request.Request(path, headers={"Origin": world.url})
    with urllib.request.urlopen(own, timeout=WAIT_S) as answer:
        assert answer.status == 200


async def test_without_a_secret_loopback_connects(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> None:
    """Without a token."""
    publish(redis_client, a_worker())
    with api_running(redis_server, tmp_path, secret="") as world:
        async with connected(world, "") as listener:
            await listener.emit("subscribe:metrics")
            assert (await listener.next("metrics:update"))["activeRequests"] == 3


async def test_a_client_that_takes_nothing_harms_nobody(world: World) -> None:
    """It is let go, while others are told as before."""

    def be_slow() -> bool:
        url = world.url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        with connect(url, max_queue=1, ping_interval=None, compression=None) as slow:
            slow.send(f'40{{"token":"{world.planner.token}"}}')
            try:
                for _ in range(4000):
                    slow.send('42["request:dashboard"]')
                time.sleep(6)  # meanwhile, more waits for it than the kernel's buffers hold
                while True:
                    slow.recv(timeout=WAIT_S)
            except ConnectionClosed:
                return True
            except TimeoutError:
                return False

    async with connected(world, world.planner.token) as listener:
        slow = asyncio.create_task(asyncio.to_thread(be_slow))
        await listener.emit("subscribe:metrics")
        for _ in range(4):
            await listener.next("metrics:update")
        assert await asyncio.wait_for(slow, 40)
