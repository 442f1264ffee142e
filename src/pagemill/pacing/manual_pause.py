"""Pauses a platform for the whole fleet because somebody asked for it, and ends such a pause.

The pause is stored where the pauses that shops ask for are stored (`pace_script`), on Redis' clock. So whoever reads
the pace need not know of it. A longer pause that a shop has asked for is not shortened.
"""

from __future__ import annotations

import redis

from pagemill.pacing.pace_script import KEY_PREFIX, PAUSE, RESUME

WHY = "by hand"


def pause(client: redis.Redis, platform: str, seconds: float) -> float:
    """Stops the visits to a platform for that many seconds from now. Returns for how many seconds it is paused.

    Visits that are under way go on.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    return _micros(client, PAUSE, platform, round(seconds * 1_000_000), WHY) / 1_000_000


def resume(client: redis.Redis, platform: str) -> float:
    """Ends the pause, whoever asked for it. Returns how many seconds of it were left, 0 if there was none.

    An open breaker stays open: only a visit that goes well closes it.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    return _micros(client, RESUME, platform) / 1_000_000


def _micros(client: redis.Redis, script: str, platform: str, *values: int | str) -> int:
    return int(client.register_script(script)(keys=[KEY_PREFIX + platform], args=list(values)))
