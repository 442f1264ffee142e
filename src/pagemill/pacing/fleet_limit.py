"""`max_per_minute`: places in time that are given out by Redis, on Redis' own clock, to the whole fleet.

Each platform has one next free place; taking it moves it on by a minute's share. This is the generic cell rate
algorithm without a burst: two visits are never closer than the share.
"""

from __future__ import annotations

import asyncio

import redis

from pagemill.config.platform import Platform
from pagemill.telemetry import events
from pagemill.telemetry.logging import get_logger

log = get_logger("pacing")

_RETRY_S = 1.0

_RESERVE = """
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local next_us = math.max(now_us, tonumber(redis.call('GET', KEYS[1]) or 0))
local after_us = next_us + ARGV[1]
redis.call('SET', KEYS[1], string.format('%.0f', after_us), 'PX', math.ceil((after_us - now_us) / 1000))
return string.format('%.0f', next_us - now_us)
"""
"""What is kept is kept until that place has come: then it says no more than that the next one is free."""


class RedisFleetLimit:
    """Reservations in Redis. While Redis is away, lanes wait: never faster than allowed."""

    def __init__(self, client: redis.Redis) -> None:
        """The client should fail within seconds, so that a lane can be stopped while Redis is away."""
        self._reserve = client.register_script(_RESERVE)

    async def reserve(self, platform: Platform) -> float:
        """Takes the next free place and returns how many seconds away it is."""
        per_minute = platform.workflow.rate_limit.max_per_minute
        assert per_minute is not None
        share_us = 60_000_000 // per_minute + 1
        while True:
            try:
                wait_us = await asyncio.to_thread(
                    self._reserve, keys=[f"pagemill:pace:{platform.platform}"], args=[share_us]
                )
                return int(wait_us) / 1_000_000
            except redis.RedisError as error:
                log.warning(events.PACING_WAITS, platform=platform.platform, error=str(error))
                await asyncio.sleep(_RETRY_S)
