"""Orders to processes that do not hear RQ's command channel: one key each, at which they look every few seconds.

A letter that nobody has taken in time is gone: an order must not be carried out when nobody waits for it any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from redis import Redis

PREFIX = "pagemill:letter:"
_KEPT_S = 10


def leave(redis: Redis, name: str, command: str, **payload: Any) -> None:
    """Leaves a letter, in place of one that was not taken yet; called like RQ's `send_command`."""
    redis.set(PREFIX + name, json.dumps({"command": command, **payload}), ex=_KEPT_S)


def take(redis: Redis, name: str) -> Mapping[str, Any] | None:
    """The letter, once; `None` without one."""
    with redis.pipeline(transaction=True) as pipeline:
        pipeline.get(PREFIX + name)
        pipeline.delete(PREFIX + name)
        text, _ = cast("tuple[bytes | None, int]", tuple(pipeline.execute()))
    return None if text is None else cast("Mapping[str, Any]", json.loads(text))
