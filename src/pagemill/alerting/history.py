"""Reads the alerts that were sent recently, from a Redis stream of about 1,000 entries. `alert_desk` writes it."""

from __future__ import annotations

from typing import cast

from redis import Redis, RedisError

from pagemill.alerting.alert import Alert, decode
from pagemill.errors import RedisUnavailable
from pagemill.script_files import read_script

STREAM = "pagemill:alerts"
FIELD = b"alert"
KEPT = 1000
"""Entries at least: Redis trims whole blocks, so a few more may remain."""

DROP_LIST = read_script(__file__, "drop_list.lua")

Entries = list[tuple[bytes, dict[bytes, bytes]]]
"""Redis' answer: each entry's id in the stream, and its fields."""


def recent_alerts(redis: Redis, count: int = 50) -> list[Alert]:
    """The fleet's latest alerts, newest first; about 1,000 are kept.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    if count <= 0:
        return []
    try:
        entries = cast(Entries, redis.xrevrange(STREAM, count=count))
    except RedisError as error:
        if str(error).startswith("WRONGTYPE"):
            return []  # an older version kept a list here; the next alert replaces it by a stream
        raise RedisUnavailable.gone(error) from error
    return [alert for _, alert in alerts_of(entries)]


def alerts_after(redis: Redis, cursor: str = "0-0", count: int = 100) -> list[tuple[str, Alert]]:
    """The alerts after `cursor`, oldest first, each with its own cursor.

    Raises:
        RedisError: Redis does not answer.
    """
    return alerts_of(cast(Entries, redis.xrange(STREAM, min=f"({cursor}", count=count)))


def latest_cursor(redis: Redis) -> str:
    """The cursor of the newest alert. `alerts_after` gives those that are raised after it.

    Raises:
        RedisError: Redis does not answer.
    """
    entries = cast(Entries, redis.xrevrange(STREAM, count=1))
    return entries[0][0].decode() if entries else "0-0"


def alerts_of(entries: Entries) -> list[tuple[str, Alert]]:
    """The alerts in these entries, each with its cursor. Entries that hold no alert are skipped."""
    found = []
    for entry, values in entries:
        try:
            found.append((entry.decode(), decode(values.get(FIELD, b""))))
        except ValueError:
            continue
    return found
