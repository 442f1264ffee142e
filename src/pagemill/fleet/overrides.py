"""Settings that were changed while the fleet runs: kept in Redis, so that they survive every process.

They beat the files. Workers look at the version each time they publish, so that one that missed an order takes the
change over all the same. Only what can be changed in a running worker is here.
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
    """What was changed, and how often."""

    version: int = 0
    guard: Mapping[str, Any] = field(default_factory=dict)
    """By the keys of `config.changeable`."""
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    """Of alerts, as they were put."""


def read_overrides(redis: Redis) -> Overrides:
    """What was changed so far.

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
    """How often something was changed.

    Raises:
        RedisError: Redis does not answer.
    """
    return int(cast("bytes | None", redis.hget(_KEY, "version")) or 0)


def override_guard(redis: Redis, changes: Mapping[str, Any]) -> int:
    """Changes settings of the guard for the whole fleet, beside those that were changed before; the new version.

    Raises:
        RedisError: Redis does not answer.
    """
    return _merge(redis, "guard", changes)


def override_thresholds(redis: Redis, thresholds: Mapping[str, Any]) -> int:
    """Changes thresholds of alerts, beside those that were changed before; the new version.

    Raises:
        RedisError: Redis does not answer.
    """
    return _merge(redis, "thresholds", thresholds)


def _merge(redis: Redis, name: str, changes: Mapping[str, Any]) -> int:
    """Two who change something at the same moment do not lose each other's."""
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
