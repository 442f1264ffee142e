"""Checks that Redis answers and that its user may run all commands of pagemill and RQ. Changes nothing in Redis."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from redis import Redis, RedisError, ResponseError
from redis.exceptions import NoPermissionError

from pagemill.broker.connection import open_redis
from pagemill.checks.finding import Finding
from pagemill.errors import RedisUnavailable

NEEDED_RIGHTS = "resetkeys ~rq:* ~pagemill:* resetchannels &rq:* &pagemill:* +@all -@dangerous"
"""The rights that the user needs, as `ACL SETUSER` takes them. `+info` also shows the version and the policy."""

_PATIENCE_S = 2.0
_NOTHING = "pagemill-check"
"""The end of key names that do not exist."""

_TRIES: dict[str, Callable[[Redis], object]] = {
    "the keys of RQ (~rq:*)": lambda client: client.delete(f"rq:{_NOTHING}"),
    "the keys of pagemill (~pagemill:*)": lambda client: client.delete(f"pagemill:{_NOTHING}"),
    "lists": lambda client: client.lpushx(f"rq:{_NOTHING}", ""),
    "sorted sets": lambda client: client.zadd(f"rq:{_NOTHING}", {"": 0}, xx=True),
    "hashes": lambda client: client.hdel(f"rq:{_NOTHING}", ""),
    "scripts": lambda client: client.eval("return 1", 0),
    "the commands to workers (&rq:*)": lambda client: _subscribe(client, f"rq:{_NOTHING}"),
    "the news of queues (&pagemill:*)": lambda client: _subscribe(client, f"pagemill:{_NOTHING}"),
}
"""The commands of a worker's daily work, on keys that do not exist."""


def look_at_redis(redis_url: str, data_folder: Path) -> Finding:
    """Checks the connection, the user's rights, the version, eviction and persistence.

    Raises:
        UsageError: not a Redis URL.
        RedisUnavailable: no answer within a few seconds, or Redis went away during the check.
    """
    where = "at PAGEMILL_REDIS_URL" if redis_url else "embedded"
    with open_redis(redis_url, data_folder, patience_s=_PATIENCE_S) as client:
        try:
            refused = _refused(client)
            version, unseen = _version(client)
            doubts = [] if unseen else [*_eviction(client), *_persistence(client)]
        except RedisError as error:
            raise RedisUnavailable.gone(error) from error
    if refused:
        text = f"{where}, but it refuses {'; '.join(refused)}. Give its user these rights: {NEEDED_RIGHTS}"
        return Finding("redis", False, text, RedisUnavailable.exit_code)
    if unseen:
        remedy = "See yourself that the policy is noeviction and appendonly yes, or allow its user INFO (+info)"
        text = f"{where}; its version and its maxmemory-policy cannot be seen, nor what it keeps: {unseen}. {remedy}"
        return Finding("redis", True, text, is_advice=True)
    return Finding("redis", True, "; ".join([f"{where}, version {version}", *doubts]), is_advice=bool(doubts))


def _version(client: Redis) -> tuple[str, str]:
    """The version, or the reason why it cannot be seen."""
    try:
        return client.info("server").get("redis_version", "?"), ""
    except NoPermissionError as error:
        return "", str(error).rstrip(".")


def _eviction(client: Redis) -> list[str]:
    policy = client.info("memory").get("maxmemory_policy")
    if policy is None:
        return ["its maxmemory-policy is not seen: it must be noeviction"]
    if policy != "noeviction":
        return [f"its maxmemory-policy is {policy}, by which queued batches go when memory is short: set noeviction"]
    return []


def _persistence(client: Redis) -> list[str]:
    """What is wrong with Redis' persistence; empty if the queue survives a restart."""
    appends = client.info("persistence").get("aof_enabled")
    if appends is None:
        return ["whether it keeps anything on disk is not seen: it must have appendonly yes"]
    if appends:
        return []
    try:
        snapshots = client.config_get("save").get("save")
    except ResponseError:  # `CONFIG` may be forbidden, because it is a dangerous command, or be renamed
        snapshots = None
    if snapshots is None:
        return ["it appends to no file, and whether it takes snapshots is not seen (CONFIG GET): set appendonly yes"]
    if snapshots:
        return ["it keeps snapshots only, so a crash loses what was queued since the last one: set appendonly yes"]
    return ["it keeps nothing on disk, so a restart loses what is queued: set appendonly yes"]


def _refused(client: Redis) -> list[str]:
    found = []
    for what, attempt in _TRIES.items():
        try:
            attempt(client)
        except ResponseError as error:
            found.append(f"{what} ({str(error).rstrip('.')})")
    return found


def _subscribe(client: Redis, channel: str) -> None:
    with client.pubsub() as listening:  # type: ignore[no-untyped-call]
        listening.subscribe(channel)
        listening.get_message(timeout=_PATIENCE_S)
