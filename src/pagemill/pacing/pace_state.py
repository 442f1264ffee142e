"""The state of a platform's pace, for those who want to see it. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import redis

from pagemill.pacing.pace_script import KEY_PREFIX


@dataclass(frozen=True, slots=True)
class PaceState:
    """One platform's pace at one moment, on Redis' clock."""

    platform: str
    paused_s: float
    """Seconds for which it will not be visited because the shop asked for a pause; 0 if it may be visited."""
    why: str
    open_s: float
    """Seconds for which the open breaker allows no visit; 0 if it is not open, or if a visit is to try it."""
    trying: bool
    """Whether the breaker waits for the outcome of one visit."""
    slow: float
    """By how much waits are stretched, from 1."""


def read_paces(client: redis.Redis, platforms: Sequence[str]) -> list[PaceState]:
    """One state for each platform, in their order.

    Raises:
        redis.RedisError: Redis went away.
    """
    with client.pipeline(transaction=False) as pipeline:
        pipeline.time()
        for platform in platforms:
            pipeline.hgetall(KEY_PREFIX + platform)
        (seconds, micros), *states = pipeline.execute()
    now_us = seconds * 1_000_000 + micros
    return [_state(platform, state, now_us) for platform, state in zip(platforms, states, strict=True)]


def _state(platform: str, values: Mapping[bytes, bytes], now_us: int) -> PaceState:
    pause_us, open_us = (int(values.get(name, 0)) for name in (b"pause_us", b"open_us"))
    paused_s, open_s = (max(0, until_us - now_us) / 1_000_000 for until_us in (pause_us, open_us))
    why = values.get(b"pause_why", b"").decode(errors="replace") if paused_s else ""
    return PaceState(
        platform=platform,
        paused_s=paused_s,
        why=why,
        open_s=open_s,
        trying=open_us > 0 and not open_s,
        slow=1 + float(values.get(b"slow", 0)),
    )
