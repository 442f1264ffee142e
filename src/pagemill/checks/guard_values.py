"""Lists each value of the guard and where it comes from, for `pagemill check`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from redis import RedisError

from pagemill.broker.connection import open_redis
from pagemill.checks.finding import Finding
from pagemill.config.changeable import changed
from pagemill.config.origins import Origin, guard_origins
from pagemill.config.settings import Config
from pagemill.config.shape import as_written
from pagemill.errors import RedisUnavailable
from pagemill.fleet.overrides import read_overrides

_PATIENCE_S = 2.0


def look_at_guard(config: Config, data_folder: Path | None) -> list[Finding]:
    """One finding for each value. A value that was changed in the running fleet, in Redis, beats the files.

    Args:
        config: files and environment.
        data_folder: the folder of the embedded Redis; `None` if no Redis answers.

    Raises:
        RedisUnavailable: Redis went away during the check.
    """
    changes = {} if data_folder is None else _changes(config, data_folder)
    rejected = []
    try:
        changed(config.settings.guard, changes)
    except ValueError as error:
        text = (
            f"what was changed through the control API does not go with these files, and is not in force: {error}. "
            "Change it there, or take all of it back: redis-cli DEL pagemill:overrides"
        )
        rejected, changes = [Finding("guard", True, " ".join(text.split()), is_advice=True)], {}
    return rejected + [_line(origin, changes) for origin in guard_origins(config)]


def _changes(config: Config, data_folder: Path) -> Mapping[str, Any]:
    with open_redis(config.environment.redis_url, data_folder, patience_s=_PATIENCE_S) as client:
        try:
            return read_overrides(client).guard
        except RedisError as error:
            raise RedisUnavailable.gone(error) from error


def _line(origin: Origin, changes: Mapping[str, Any]) -> Finding:
    value = as_written(origin.value)
    name = origin.key.removeprefix("guard.").replace(".", "_")
    if name in changes:
        now = as_written(changes[name])
        return Finding(origin.key, True, f"{now}: changed through the control API, before {origin.place} ({value})")
    text = f"{value}: {origin.place}"
    if not origin.profile:
        return Finding(origin.key, True, text)
    theirs = as_written(origin.profile_value)
    if not origin.hides_profile:
        return Finding(origin.key, True, f"{text}, before the {theirs} of {origin.profile}")
    text += f". That is the default, and it hides the {theirs} of {origin.profile}: "
    return Finding(origin.key, True, f"{text}remove the line, unless {value} is meant", is_advice=True)
