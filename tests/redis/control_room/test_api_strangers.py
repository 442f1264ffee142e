"""Clients that hold connections and show no token, on a real server: they cannot keep the others from their answers."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from pagemill.fleet.snapshot import publish
from tests.redis.control_room.api_world import World, a_worker, api_running

pytestmark = pytest.mark.redis

HELD = 600
AT_ONCE_S = 1.0
HALF_A_HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
WEB_SOCKET = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
LONG_POLL = b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: localhost\r\n\r\n"
HELD_BY = {"half a head": HALF_A_HEAD, "nothing": b"", "a silent WebSocket": WEB_SOCKET, "an open session": LONG_POLL}


@pytest.fixture(autouse=True)
def _many_files() -> Iterator[None]:
    """Client and server are in one process here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def world(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> Iterator[World]:
    """An API that asks for tokens, with a worker."""
    publish(redis_client, a_worker())
    with api_running(redis_server, tmp_path, stranger_s=2.0) as world:
        yield world


def hold(stack: ExitStack, world: World, said: bytes, number: int, address: str) -> list[socket.socket]:
    """So many connections from there, over which only that is said."""
    place = urlsplit(world.url)
    held = []
    for _ in range(number):
        connection = stack.enter_context(
            socket.create_connection((place.hostname, place.port), timeout=10, source_address=(address, 0))
        )
        with contextlib.suppress(OSError):  # it may be gone already
            connection.sendall(said)
        held.append(connection)
    return held


def is_dropped(connection: socket.socket, within_s: float) -> bool:
    """Whether the server ends it by then, whatever it says before that."""
    ends_at = time.monotonic() + within_s
    try:
        while (left_s := ends_at - time.monotonic()) > 0:
            connection.settimeout(left_s)
            if not connection.recv(65536):
                return True
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return False


@pytest.mark.parametrize("spread", [1, 8])
@pytest.mark.parametrize("said", HELD_BY.values(), ids=HELD_BY)
def test_who_has_a_token_is_answered_while_a_stranger_holds_600(world: World, said: bytes, spread: int) -> None:
    """At once, whatever is held open, from one address, also the user's own, or from several."""
    with ExitStack() as stack:
        for number in range(spread):
            hold(stack, world, said, HELD // spread, f"127.0.0.{1 + number}")
        for _ in range(5):
            began_at = time.monotonic()
            reply = world.planner.get("/memory/status")
            assert (reply.status, time.monotonic() - began_at < AT_ONCE_S) == (200, True)


@pytest.mark.parametrize("said", [HALF_A_HEAD, b"", WEB_SOCKET], ids=["half a head", "nothing", "a silent WebSocket"])
def test_who_says_nothing_is_dropped(world: World, said: bytes) -> None:
    """Within the time for it, also when nobody needs the room."""
    with ExitStack() as stack:
        (connection,) = hold(stack, world, said, 1, "127.0.0.1")
        assert is_dropped(connection, 6)


def test_a_head_that_never_ends_is_dropped(world: World) -> None:
    """A byte now and then does not keep a connection, neither in the head nor behind an answer; nor does a lot at once
    fill the server."""
    place = urlsplit(world.url)
    for begins_with in (HALF_A_HEAD, b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"):
        with socket.create_connection((place.hostname, place.port)) as slow:
            slow.sendall(begins_with)
            ends_at, dropped = time.monotonic() + 8, False
            while not dropped and time.monotonic() < ends_at:
                try:
                    slow.sendall(b"x")
                except OSError:
                    dropped = True
                dropped = dropped or is_dropped(slow, 0.2)
            assert dropped
    with socket.create_connection((place.hostname, place.port)) as large:
        large.sendall(HALF_A_HEAD)
        with pytest.raises(OSError):
            for _ in range(1000):
                large.sendall(b"x" * 65536)


def test_a_connection_that_has_shown_a_token_stays(world: World) -> None:
    """It is not dropped for strangers, however many come."""
    place = urlsplit(world.url)
    with ExitStack() as stack:
        known = stack.enter_context(contextlib.closing(HTTPConnection(str(place.hostname), place.port, timeout=10)))
        assert status_of(known, world) == 200
        connected = known.sock
        hold(stack, world, HALF_A_HEAD, HELD, "127.0.0.1")
        assert (status_of(known, world), known.sock) == (200, connected)


def status_of(connection: HTTPConnection, world: World) -> int:
    """The answer's status; its body is read too, so that the connection stays."""
    connection.request("GET", "/memory/status", headers={"Authorization": f"Bearer {world.planner.token}"})
    with connection.getresponse() as answer:
        answer.read()
    return answer.status


def test_a_crowd_at_one_address_costs_no_other_address(world: World) -> None:
    """A stranger from elsewhere, who may be about to log in, keeps the connection."""
    place = urlsplit(world.url)
    with ExitStack() as stack:
        quiet = stack.enter_context(socket.create_connection((place.hostname, place.port), timeout=10))
        hold(stack, world, b"", HELD, "127.0.0.2")
        quiet.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert quiet.recv(65536).startswith(b"HTTP/1.1 200")
