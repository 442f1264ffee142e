"""Orders to processes that do not use RQ's command channel: each process polls one Redis key every few seconds.

An order that is not read in time expires, because it must not be carried out when its sender no longer waits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from redis import Redis

PREFIX = "pagemill:letter:"
_KEPT_S = 10


def leave(redis: Redis, name: str, command: str, **payload: Any) -> None:
    """Stores an order, replacing an unread one. Has the signature of RQ's `send_command`."""
    redis.set(PREFIX + name, json.dumps({"command": command, **payload}), ex=_KEPT_S)


def take(redis: Redis, name: str) -> Mapping[str, Any] | None:
    """Reads and deletes the order; `None` without one."""
    with redis.pipeline(transaction=True) as pipeline:
        pipeline.get(PREFIX + name)
        pipeline.delete(PREFIX + name)
        text, _ = cast("tuple[bytes | None, int]", tuple(pipeline.execute()))
    return None if text is None else cast("Mapping[str, Any]", json.loads(text))
