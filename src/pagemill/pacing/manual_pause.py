"""Pausing a platform for the whole fleet because somebody said so, and ending its pause.

The pause stands where those that shops ask for stand (`pace_script`), on Redis' clock, so that nobody who looks at the
pace need know of it. A longer pause that a shop has asked for is not shortened.
"""

from __future__ import annotations

import redis

from pagemill.pacing.pace_script import KEY_PREFIX, PAUSE, RESUME

WHY = "by hand"


def pause(client: redis.Redis, platform: str, seconds: float) -> float:
    """Has nobody visit that platform for so long, from now; for how many seconds it is paused then.

    Visits that are under way end as they would have.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    return _micros(client, PAUSE, platform, round(seconds * 1_000_000), WHY) / 1_000_000


def resume(client: redis.Redis, platform: str) -> float:
    """Ends the pause, whoever asked for it; how many seconds of it were left, 0 when there was none.

    A breaker that is open stays open: it closes by a visit that goes well.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    return _micros(client, RESUME, platform) / 1_000_000


def _micros(client: redis.Redis, script: str, platform: str, *values: int | str) -> int:
    return int(client.register_script(script)(keys=[KEY_PREFIX + platform], args=list(values)))
