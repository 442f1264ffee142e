"""Settings that were changed in the running fleet. They are kept in Redis, so that they survive every process.

They beat the files. Workers compare the version each time they publish, so a worker that missed the order applies the
change anyway. Only settings that a running worker can change are here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

from redis import ConnectionError as RedisConnectionError
from redis import Redis, WatchError

_KEY = "pagemill:overrides"
_VERSION = b"version"

_TRIES = 20


@dataclass(frozen=True, slots=True)
class Overrides:
    """All changed settings, and their version, which counts the changes."""

    version: int = 0
    guard: Mapping[str, Any] = field(default_factory=dict)
    """The changed settings of the guard, by the keys of `config.changeable`."""
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    """Alert thresholds, as they were set."""


def read_overrides(redis: Redis) -> Overrides:
    """All changes so far.

    Raises:
        RedisError: Redis does not answer.
    """
    found = cast("dict[bytes, bytes]", redis.hgetall(_KEY))
    return Overrides(
        version=int(found.get(_VERSION, 0)),
        guard=json.loads(found.get(b"guard", b"{}")),
        thresholds=json.loads(found.get(b"thresholds", b"{}")),
    )


def read_version(redis: Redis) -> int:
    """The number of changes so far.

    Raises:
        RedisError: Redis does not answer.
    """
    return int(cast("bytes | None", redis.hget(_KEY, "version")) or 0)


def override_guard(redis: Redis, changes: Mapping[str, Any]) -> int:
    """Changes settings of the guard for the whole fleet and keeps earlier changes. Returns the new version.

    Raises:
        RedisError: Redis does not answer.
    """
    return _merge(redis, "guard", changes)


def override_thresholds(redis: Redis, thresholds: Mapping[str, Any]) -> int:
    """Changes alert thresholds and keeps earlier changes. Returns the new version.

    Raises:
        RedisError: Redis does not answer.
    """
    return _merge(redis, "thresholds", thresholds)


def _merge(redis: Redis, name: str, changes: Mapping[str, Any]) -> int:
    """Adds the changes in an optimistic transaction, so that two simultaneous changes do not overwrite each other."""
    with redis.pipeline() as pipeline:
        for _ in range(_TRIES):
            with suppress(WatchError):
                pipeline.watch(_KEY)  # type: ignore[no-untyped-call]
                before = json.loads(cast("bytes | None", pipeline.hget(_KEY, name)) or b"{}")
                pipeline.multi()
                pipeline.hset(_KEY, name, json.dumps({**before, **changes}))
                pipeline.hincrby(_KEY, _VERSION.decode(), 1)
                return int(pipeline.execute()[-1])
    raise RedisConnectionError("the settings are changed by others again and again")
