"""Whether a Redis has room for more. Reads only."""

from __future__ import annotations

from redis import Redis, ResponseError

_MIB = 1024 * 1024
_FOR_QUEUES = 0.9
"""Of what Redis may use. The rest is for workers: without any they could neither take a batch nor end one, and a queue
that has filled Redis up would stay as it is."""


def lack_of_room(client: Redis) -> str:
    """Why nothing more should be queued; empty while there is room, and where nobody may ask (INFO).

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
