"""One real redis-server for the session, emptied for every test that uses it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import redis

from pagemill.broker.embedded import EmbeddedServer
from pagemill.errors import RedisUnavailable


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
