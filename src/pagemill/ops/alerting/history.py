"""The alerts that went out lately: a stream in Redis that is bounded by its length. Reading it; the desk writes."""

from __future__ import annotations

from typing import cast

from redis import Redis, ResponseError

from pagemill.ops.alerting.alert import Alert, decode
from pagemill.script_files import read_script

STREAM = "pagemill:alerts"
FIELD = b"alert"
KEPT = 1000
"""Entries, or a few more: Redis trims by whole blocks."""

DROP_LIST = read_script(__file__, "drop_list.lua")

Entries = list[tuple[bytes, dict[bytes, bytes]]]
"""What Redis answers: the entry's number in the stream, and its fields."""


def recent_alerts(redis: Redis, count: int = 50) -> list[Alert]:
    """What the whole fleet raised lately, the newest first; about a thousand are kept.

    Raises:
        RedisError: Redis does not answer.
    """
    if count <= 0:
        return []
    try:
        entries = cast(Entries, redis.xrevrange(STREAM, count=count))
    except ResponseError as error:
        if str(error).startswith("WRONGTYPE"):
            return []  # still the list of before; the next alert makes it a stream
        raise
    return [alert for _, alert in alerts_of(entries)]


def alerts_after(redis: Redis, cursor: str = "0-0", count: int = 100) -> list[tuple[str, Alert]]:
    """What was raised after that place in the history, the oldest first, each with its own place.

    Raises:
        RedisError: Redis does not answer.
    """
    return alerts_of(cast(Entries, redis.xrange(STREAM, min=f"({cursor}", count=count)))


def latest_cursor(redis: Redis) -> str:
    """The place of the newest alert; `alerts_after` it gives what is raised from now on.

    Raises:
        RedisError: Redis does not answer.
    """
    entries = cast(Entries, redis.xrevrange(STREAM, count=1))
    return entries[0][0].decode() if entries else "0-0"


def alerts_of(entries: Entries) -> list[tuple[str, Alert]]:
    """The alerts among entries of the stream; what is none is passed over."""
    found = []
    for entry, values in entries:
        try:
            found.append((entry.decode(), decode(values.get(FIELD, b""))))
        except ValueError:
            continue
    return found
