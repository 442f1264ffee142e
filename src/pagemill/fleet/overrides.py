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

from pydantic import BaseModel, ConfigDict
from redis import ConnectionError as RedisConnectionError
from redis import Redis, WatchError

from pagemill.config.settings import GuardSettings

_KEY = "pagemill:overrides"
_VERSION = b"version"

_TRIES = 20


class GuardInForce(BaseModel):
    """The guard's settings that can be changed while it runs, as they are in a worker; see `config.settings`."""

    model_config = ConfigDict(frozen=True)

    sample_interval_s: float
    cleanup_interval_s: float
    gc_interval_s: float = 300
    """Workers of before 0.2 do not tell it."""
    recover_percent: float
    warning_percent: float
    cleanup_percent: float
    critical_percent: float
    emergency_percent: float
    enable_auto_gc: bool
    max_cache_size: int
    cache_cleanup_ratio: float
    history_size: int
    alerts_enabled: bool
    alerts_cooldown_minutes: float

    @classmethod
    def of(cls, settings: GuardSettings) -> GuardInForce:
        """Those of a configuration."""
        alerts = {
            "alerts_enabled": settings.alerts.enabled,
            "alerts_cooldown_minutes": settings.alerts.cooldown_minutes,
        }
        return cls.model_validate({**settings.model_dump(), **alerts})


@dataclass(frozen=True, slots=True)
class Overrides:
    """What was changed, and how often."""

    version: int = 0
    guard: Mapping[str, Any] = field(default_factory=dict)
    """Fields of `GuardInForce`."""
    thresholds: Mapping[str, Any] = field(default_factory=dict)
    """Of alerts, as they were put."""


def changed(settings: GuardSettings, changes: Mapping[str, Any]) -> GuardSettings:
    """The configuration with fields of `GuardInForce` changed.

    Raises:
        pydantic.ValidationError: a value is impossible, or does not go with the others.
    """
    values = settings.model_dump()
    for name, value in changes.items():
        if name.startswith("alerts_"):
            values["alerts"] = {**values["alerts"], name.removeprefix("alerts_"): value}
        else:
            values[name] = value
    return GuardSettings.model_validate(values)


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
    """Changes fields of `GuardInForce` for the whole fleet, beside those that were changed before; the new version.

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
