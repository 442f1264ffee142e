"""Getting a client: by URL or embedded, quickly refused at first, patient afterwards."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest
import redis
from structlog.testing import capture_logs

from pagemill.broker import connection
from pagemill.broker.connection import open_redis
from pagemill.broker.embedded import EmbeddedServer
from pagemill.errors import RedisUnavailable, UsageError

pytestmark = pytest.mark.redis


def test_a_url_leads_to_that_server(redis_server: str, redis_client: redis.Redis, tmp_path: Path) -> None:
    """Nothing is started and the data folder is not touched."""
    redis_client.set("here", "yes")

    with open_redis(redis_server, tmp_path / "data") as client:
        assert client.get("here") == b"yes"

    assert not (tmp_path / "data").exists()


def test_without_a_url_the_embedded_server_is_used_and_left(tmp_path: Path) -> None:
    """The block is the time of its use."""
    with open_redis("", tmp_path) as client:
        client.set("kept", "yes")
    with open_redis("", tmp_path) as client:
        assert client.get("kept") == b"yes"
    assert not EmbeddedServer(tmp_path).socket_path.exists()


def test_a_server_that_is_away_fails_at_once_and_hides_the_password(tmp_path: Path) -> None:
    """The message names the place, the cause and what to do."""
    begun = time.monotonic()
    with (
        pytest.raises(RedisUnavailable, match=r"127\.0\.0\.1:1 .*refused.*PAGEMILL_REDIS_URL") as raised,
        open_redis("redis://:hushhush@127.0.0.1:1/0", tmp_path),
    ):
        pass

    assert time.monotonic() - begun < 2
    assert "hushhush" not in str(raised.value)
    assert raised.value.exit_code == 69


def test_a_server_that_says_nothing_fails_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts the connection and never answers."""
    monkeypatch.setattr(connection, "_FIRST_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        begun = time.monotonic()
        with (
            pytest.raises(RedisUnavailable, match=r"[Tt]imeout"),
            open_redis(f"redis://127.0.0.1:{mute.getsockname()[1]}", tmp_path),
        ):
            pass

    assert time.monotonic() - begun < 3


def test_what_is_no_url_is_a_usage_error(tmp_path: Path) -> None:
    """Nothing is tried."""
    with pytest.raises(UsageError, match="not a Redis URL"), open_redis("localhost:6379", tmp_path):
        pass


@pytest.mark.parametrize(("policy", "warnings"), [("noeviction", 0), ("allkeys-lru", 1)])
def test_a_policy_that_throws_batches_away_is_warned_of(
    redis_server: str, redis_client: redis.Redis, tmp_path: Path, policy: str, warnings: int
) -> None:
    """The log line says what to set."""
    redis_client.config_set("maxmemory-policy", policy)

    with capture_logs() as lines, open_redis(redis_server, tmp_path):
        pass

    found = [line for line in lines if line["log_level"] == "warning"]
    assert len(found) == warnings
    assert all("noeviction" in line["remedy"] and line["maxmemory_policy"] == policy for line in found)


def test_a_lost_server_is_waited_for(tmp_path: Path) -> None:
    """A command in the middle of the work survives a server that is away for a moment."""
    with open_redis("", tmp_path, patience_s=30) as client:
        client.set("kept", "yes")
        os.kill(client.info("server")["process_id"], signal.SIGKILL)
        again = EmbeddedServer(tmp_path)
        restart = threading.Timer(0.3, again.open)
        restart.start()

        assert client.get("kept") == b"yes"

        restart.join()
        again.close()


def test_a_disk_that_is_full_is_an_outage_for_an_idle_connection_too(tmp_path: Path) -> None:
    """Over a Unix socket, which has no port: redis-py 8.1 looks for one where the check of a connection has failed
    finally, and would end whoever asked with an error that is none of Redis'."""

    def refuse() -> None:
        raise redis.ResponseError("MISCONF Errors writing to the AOF file: No space left on device")

    with open_redis("", tmp_path, patience_s=0.1) as client:
        idle = client.connection_pool.get_connection()
        with pytest.raises(redis.ConnectionError, match="No space left"):
            idle.retry.call_with_retry(refuse, idle._ping_failed, with_failure_count=True)
        client.connection_pool.release(idle)
        assert client.ping()


def test_patience_has_an_end(tmp_path: Path) -> None:
    """However redis-py nests its own retries."""
    with open_redis("", tmp_path, patience_s=0.5) as client:
        client.ping()
        os.kill(client.info("server")["process_id"], signal.SIGKILL)

        begun = time.monotonic()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        with pytest.raises(redis.ConnectionError):
            client.ping()

    assert time.monotonic() - begun < 4


def test_no_connection_is_open_at_the_beginning(redis_server: str, redis_client: redis.Redis, tmp_path: Path) -> None:
    """RQ's worker can still set the time-out that its blocking dequeue needs: every connection gets it."""
    with open_redis(redis_server, tmp_path, patience_s=0) as client:
        client.connection_pool.connection_kwargs["socket_timeout"] = 0.1

        with pytest.raises(redis.TimeoutError):
            client.blpop(["nothing"], timeout=5)
