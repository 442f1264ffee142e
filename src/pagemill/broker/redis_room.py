"""Whether Redis has memory for more batches. Reads only."""

from __future__ import annotations

from redis import Redis, ResponseError

_MIB = 1024 * 1024
_FOR_QUEUES = 0.9
"""The share of Redis' memory that queues may fill. Workers need the rest to take and finish batches; otherwise a full
queue would stay full for ever."""


def lack_of_room(client: Redis) -> str:
    """Why nothing more should be queued. Empty while there is room, and if Redis does not allow INFO.

    Raises:
        RedisError: Redis does not answer.
    """
    try:
        memory = client.info("memory")
    except ResponseError:
        return ""
    used, most = memory.get("used_memory", 0), memory.get("maxmemory", 0)
    if not most or used < _FOR_QUEUES * most:
        return ""
    return f"it is full: {used // _MIB} of {most // _MIB} MB are taken (maxmemory), and the rest is for workers"
