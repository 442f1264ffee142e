"""One real redis-server for the session, emptied for every test that uses it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
import redis

from pagemill.broker.embedded import EmbeddedServer
from pagemill.checks.redis_server import NEEDED_RIGHTS
from pagemill.errors import RedisUnavailable

UrlOf = Callable[[str], str]

RIGHTS = {
    "limited": NEEDED_RIGHTS,
    "seeing": f"{NEEDED_RIGHTS} +info",
    "narrow": "~rq:* +@all",
    "blind": "+ping",
}
"""Users of the server that may not do everything."""


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The `unix://` URL of a server. Without a redis-server these tests skip; where `CI` is set they fail."""
    server = EmbeddedServer(tmp_path_factory.mktemp("redis-data"))
    try:
        server.open()
    except RedisUnavailable as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI must not skip: {error}")
        pytest.skip(str(error))
    yield f"unix://{server.socket_path}"
    server.close()


@pytest.fixture
def redis_client(redis_server: str) -> Iterator[redis.Redis]:
    """A client of the emptied server; its answers are bytes."""
    with redis.Redis.from_url(redis_server) as client:
        client.config_set("maxmemory", "0")
        client.config_set("maxmemory-policy", "noeviction")
        client.flushall()
        yield client


@pytest.fixture
def url_of(redis_server: str, redis_client: redis.Redis) -> Iterator[UrlOf]:
    """The emptied server's URL for one of the users of `RIGHTS`."""
    for user, rights in RIGHTS.items():
        redis_client.execute_command("ACL", "SETUSER", user, "on", ">secret", *rights.split())  # type: ignore[no-untyped-call]
    yield lambda user: f"unix://{user}:secret@{urlsplit(redis_server).path}"
    redis_client.execute_command("ACL", "DELUSER", *RIGHTS)  # type: ignore[no-untyped-call]
