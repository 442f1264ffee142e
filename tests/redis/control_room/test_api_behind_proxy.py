"""An API without a secret and a proxy on the same machine: nobody becomes admin by it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from pagemill.fleet.snapshot import publish
from pagemill.pacing.pace_state import read_paces
from tests.redis.control_room.api_world import Client, Reply, World, a_worker, api_running
from tests.unit.cli.command import run

pytestmark = pytest.mark.redis

NOBODY = 65534
FORWARDER = textwrap.dedent(
    """
    import encodings.idna, os, socket, sys, threading
    os.setuid(int(sys.argv[2]))
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    while True:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
        for pair in ((client, server), (server, client)):
            threading.Thread(target=pump, args=pair, daemon=True).start()
    """
)
"""A proxy of the plainest kind: it passes on what it gets, and says nothing of itself."""


@pytest.fixture
def world(redis_client: redis.Redis, redis_server: str, tmp_path: Path) -> Iterator[World]:
    """An API that asks nobody for a token."""
    publish(redis_client, a_worker())
    with api_running(redis_server, tmp_path, secret="") as world:
        yield world


@contextmanager
def forwarded(world: World, user: int) -> Iterator[Client]:
    """A client that reaches the API through a proxy of that user."""
    command = [sys.executable, "-c", FORWARDER, str(urlsplit(world.url).port), str(user)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdout is not None
        try:
            yield Client(f"http://127.0.0.1:{int(proxy.stdout.readline())}")
        finally:
            proxy.kill()


def tried(client: Client, **headers: str) -> list[Reply]:
    changing = client.post("/api/performance/platforms/musinsa/resume", **headers)
    return [changing, *(client.get(path, **headers) for path in ("/memory/status", "/api/session", "/docs", "/health"))]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process of another user")
def test_a_proxy_of_another_user_lets_nobody_in(world: World) -> None:
    """Proxies run as users of their own; what they say or keep to themselves does not matter."""
    with forwarded(world, NOBODY) as client:
        for reply in tried(client, Host="localhost"):
            assert (reply.status, reply.json["error"]["code"]) == (403, "not_direct")
            assert "PAGEMILL_API_SECRET" in reply.json["error"]["message"]
    assert {reply.status for reply in tried(world.nobody)} == {200}


def test_a_forwarder_of_ones_own_is_oneself(world: World) -> None:
    """A tunnel by ssh, say: whoever may start one here may do all that the API can."""
    with forwarded(world, os.getuid()) as client:
        assert {reply.status for reply in tried(client, Host="localhost")} == {200}


@pytest.mark.parametrize(
    "header",
    [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "localhost"),
        ("X-Real-IP", "127.0.0.1"),
        ("Forwarded", "for=203.0.113.9"),
        ("Via", "1.1 proxy"),
        ("CF-Connecting-IP", "203.0.113.9"),
        ("True-Client-IP", "203.0.113.9"),
    ],
)
def test_what_a_proxy_says_of_itself_counts(world: World, header: tuple[str, str]) -> None:
    """Also one that runs as the same user."""
    name, value = header
    for reply in tried(world.nobody, **{name: value}):
        assert (reply.status, reply.json["error"]["code"]) == (403, "not_direct")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process of another user")
def test_a_client_that_does_not_wait_for_the_answer_changes_nothing(world: World) -> None:
    """The kernel forgets whose a closed connection was, and calls it root's."""
    port = urlsplit(world.url).port
    script = (
        "import encodings.idna, os, socket, sys\n"
        "os.setuid(int(sys.argv[2]))\n"
        "with socket.create_connection(('127.0.0.1', int(sys.argv[1]))) as c:\n"
        "    c.sendall(b'POST /api/performance/platforms/musinsa/pause HTTP/1.1\\r\\nHost: localhost\\r\\n'\n"
        "              b'Content-Type: application/json\\r\\nContent-Length: 15\\r\\n\\r\\n{\"minutes\": 60}')\n"
    )
    for _ in range(10):
        subprocess.run([sys.executable, "-c", script, str(port), str(NOBODY)], check=True)
    assert world.nobody.get("/memory/status").status == 200
    assert read_paces(world.redis, ["musinsa"])[0].paused_s == 0


def test_a_path_of_a_proxy_needs_a_secret(tmp_path: Path) -> None:
    """`--root-path` says that there is one."""
    (tmp_path / "config").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:  # if it went on, it would end for this
        port = taken.getsockname()[1]
        said = run(tmp_path, "api", "--root-path", "/pagemill", "--port", str(port))
    assert (said.code, "PAGEMILL_API_SECRET" in said.err) == (2, True), said.err
