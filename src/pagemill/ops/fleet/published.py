"""How processes of the fleet publish themselves in Redis: one key each, which expires. Knows nothing of what they say.

A key outlives its process for some minutes, so that it can be seen to have died. How old a key is follows from its
expiry, so only Redis' clock counts.
"""

from __future__ import annotations

from redis import Redis

KEPT_S = 600
"""How long a dead process' entry is kept."""
ALIVE_S = 30.0
"""One that has been silent for longer counts as dead."""


def publish_at(redis: Redis, key: str, body: bytes) -> None:
    """Stores it, in place of what was there."""
    redis.set(key, body, ex=KEPT_S)


def read_published(redis: Redis, prefix: str) -> list[tuple[bytes, float]]:
    """Whatever was published below that prefix within the last ten minutes, by key; each with how long ago that was."""
    keys = sorted(set(redis.scan_iter(match=prefix + "*", count=1000)))  # SCAN may name a key twice
    with redis.pipeline(transaction=False) as pipeline:
        for key in keys:
            pipeline.get(key)
            pipeline.pttl(key)
        answers = pipeline.execute()
    pairs = zip(answers[::2], answers[1::2], strict=True)
    return [
        (body, round(max(0.0, KEPT_S - ttl_ms / 1000), 1)) for body, ttl_ms in pairs if body is not None and ttl_ms > 0
    ]
