"""The only way to get a Redis client: by URL, or to the embedded server.

Owns time-outs, retries and the check at the beginning. Must not know queues or keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pagemill.broker.address import shown_address
from pagemill.broker.embedded import EmbeddedServer
from pagemill.broker.patience import PatientRetry, is_disk_full
from pagemill.errors import RedisUnavailable
from pagemill.model import ConnectionCounts
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

SOCKET_TIMEOUT_S = 10.0
CONNECT_TIMEOUT_S = 5.0
PATIENCE_S = 60.0
_FIRST_TIMEOUT_S = 3.0
_HEALTH_CHECK_INTERVAL_S = 30

_log = get_logger("redis")


@contextmanager
def open_redis(
    redis_url: str,
    data_folder: Path,
    *,
    socket_timeout_s: float = SOCKET_TIMEOUT_S,
    patience_s: float = PATIENCE_S,
) -> Iterator[redis.Redis]:
    """A Redis client for the `with` block; its answers are bytes, as RQ needs them.

    First a separate client checks the server, without retries. After that, a command whose connection is lost is
    retried for up to `patience_s`. So a command may be executed twice.

    Args:
        redis_url: `redis://`, `rediss://` or `unix://`; empty for the embedded server.
        data_folder: where the embedded server keeps its files.
        socket_timeout_s: how long one answer may take. A command that blocks on the server (RQ's dequeue) must block
            for less. RQ raises this for connections that it opens later; at that time none is open.
        patience_s: for how long a failing command is retried.

    Raises:
        UsageError: not a Redis URL.
        RedisUnavailable: no answer within a few seconds; the message names the server, the cause and the remedy.
    """
    with ExitStack() as stack:
        if redis_url:
            shown = shown_address(redis_url)
            url = redis_url
        else:
            server = stack.enter_context(EmbeddedServer(data_folder))
            shown = str(server.socket_path)
            url = f"unix://{shown}"
        _check(url, shown)
        yield stack.enter_context(
            closing(
                redis.Redis.from_url(
                    url,
                    socket_timeout=socket_timeout_s,
                    socket_connect_timeout=CONNECT_TIMEOUT_S,
                    health_check_interval=_HEALTH_CHECK_INTERVAL_S,
                    retry=PatientRetry(patience_s),
                )
            )
        )


def redis_connection_counts(client: redis.Redis) -> ConnectionCounts:
    """How many connections the client has now."""
    pool = client.connection_pool
    # redis-py publishes these figures to OpenTelemetry only.
    return ConnectionCounts(
        in_use=len(pool._in_use_connections), idle=len(pool._available_connections), most=pool.max_connections
    )


def _check(url: str, shown: str) -> None:
    """Checks that the server answers, and logs a warning if it evicts keys. Uses its own client, without retries."""
    client = redis.Redis.from_url(
        url,
        socket_timeout=_FIRST_TIMEOUT_S,
        socket_connect_timeout=_FIRST_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    with closing(client):
        try:
            client.ping()
        except (redis.RedisError, OSError, UnicodeError) as error:
            if is_disk_full(error):
                return  # it answers; later writes are retried until there is space
            raise RedisUnavailable(
                f"Redis at {shown} does not answer: {str(error).rstrip('.')}. Start it, or correct PAGEMILL_REDIS_URL "
                "(empty means the embedded server)"
            ) from error
        try:
            policy = client.info("memory").get("maxmemory_policy")
        except redis.RedisError:
            # The server may forbid INFO; then the policy cannot be checked.
            return
    if policy not in (None, "noeviction"):
        _log.warning(
            events.REDIS_POLICY,
            server=shown,
            maxmemory_policy=policy,
            remedy="set maxmemory-policy to noeviction: any other throws queued batches away when memory is short",
        )
