"""Tokens that were revoked, on a real server that goes on running."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from pagemill.fleet.snapshot import publish
from tests.redis.control_room.api_world import SECRET, Client, World, a_worker, api_running
from tests.unit.cli.command import Said, run

pytestmark = pytest.mark.redis

PATH = "/memory/status"
NOTICED_S = 5.0


@pytest.fixture
def world(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> Iterator[World]:
    """An API that asks for tokens."""
    publish(redis_client, a_worker())
    with api_running(redis_server, tmp_path) as world:
        yield world


def token(folder: Path, *arguments: str) -> Said:
    """`pagemill token`, with the database of that API."""
    url = f"sqlite:///{folder / 'results.db'}"
    return run(folder, "token", *arguments, PAGEMILL_API_SECRET=SECRET, PAGEMILL_DATABASE_URL=url)


def soon(is_so: Callable[[], bool]) -> bool:
    ends_at = time.monotonic() + NOTICED_S
    while not is_so():
        if time.monotonic() > ends_at:
            return False
        time.sleep(0.05)
    return True


def is_revoked(client: Client) -> bool:
    reply = client.get(PATH)
    return reply.status == 401 and reply.json["error"]["code"] == "token_revoked"


def test_all_tokens_end_at_once(world: World, tmp_path: Path) -> None:
    """In the header and as a cookie, to read and to change; one that is made afterwards is good."""
    cookie = {"Cookie": f"pagemill_token={world.admin.token}"}
    assert (world.planner.get(PATH).status, world.nobody.get(PATH, **cookie).status) == (200, 200)
    said = token(tmp_path, "--revoke-all")
    assert said.code == 0, said.err
    fresh = Client(world.url, token(tmp_path, "--role", "admin").out.strip())
    assert soon(lambda: is_revoked(world.planner))
    assert world.nobody.get(PATH, **cookie).status == 401
    assert world.admin.post("/api/performance/platforms/musinsa/resume").status == 401
    assert world.nobody.post("/api/login", {"token": world.admin.token}).json["error"]["code"] == "token_revoked"
    assert fresh.get(PATH).status == 200


def test_one_token_ends_and_the_others_stay(world: World, tmp_path: Path) -> None:
    """It is named by itself."""
    other = Client(world.url, token(tmp_path, "--role", "planner").out.strip())
    said = token(tmp_path, "--revoke", world.planner.token)
    assert (said.code, world.planner.token in said.out + said.err) == (0, False), said.err
    assert soon(lambda: is_revoked(world.planner))
    assert (other.get(PATH).status, world.admin.get(PATH).status) == (200, 200)


def test_a_live_connection_ends_with_its_token(world: World, tmp_path: Path) -> None:
    """That of another token goes on."""
    url = world.url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
    with connect(url) as ended, connect(url) as kept:
        for live, shown in ((ended, world.planner.token), (kept, world.admin.token)):
            live.send(f'40{{"token":"{shown}"}}')
        assert token(tmp_path, "--revoke", world.planner.token).code == 0
        began_at = time.monotonic()
        with pytest.raises(ConnectionClosed):
            while True:
                ended.recv(timeout=10)
        assert time.monotonic() - began_at < 2 * NOTICED_S
        kept.send('42["subscribe:metrics"]')
        while not str(kept.recv(timeout=10)).startswith('42["metrics:update"'):
            pass


def test_what_was_revoked_stays_so(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> None:
    """After a restart of the API, and after Redis was emptied."""
    with api_running(redis_server, tmp_path) as world:
        before = world.planner.token
    assert token(tmp_path, "--revoke-all").code == 0
    redis_client.flushall()
    with api_running(redis_server, tmp_path) as world:
        assert is_revoked(Client(world.url, before))
        assert world.planner.get(PATH).status == 200
