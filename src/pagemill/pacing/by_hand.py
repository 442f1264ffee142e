"""Pausing a platform for the whole fleet because somebody said so, and ending its pause.

The pause stands where those that shops ask for stand (`pace_script`), on Redis' clock, so that nobody who looks at the
pace need know of it. A longer pause that a shop has asked for is not shortened. Scripts count in microseconds.
"""

from __future__ import annotations

import redis

from pagemill.pacing.pace_script import KEY_PREFIX

WHY = "by hand"

_KEEP_MS = 24 * 3600 * 1000
"""How long a platform's state outlives its pause."""

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function whole(number) return string.format('%.0f', number) end
local function read(name) return tonumber(redis.call('HGET', KEYS[1], name)) or 0 end
local next, pause = read('next_us'), read('pause_us')
"""

_PAUSE = (
    _NOW
    + f"""
if now + ARGV[1] > pause then
  pause = now + ARGV[1]
  redis.call('HSET', KEYS[1], 'pause_us', whole(pause), 'pause_why', ARGV[2], 'next_us', whole(math.max(next, pause)))
end
redis.call('PEXPIRE', KEYS[1], whole({_KEEP_MS} + (pause - now) / 1000))
return whole(pause - now)
"""
)

_RESUME = (
    _NOW
    + """
if pause <= now then return '0' end
redis.call('HSET', KEYS[1], 'pause_us', '0')
if next <= pause then redis.call('HSET', KEYS[1], 'next_us', whole(now)) end
redis.call('HDEL', KEYS[1], 'pause_why')
return whole(pause - now)
"""
)


def pause(client: redis.Redis, platform: str, seconds: float) -> float:
    """Has nobody visit that platform for so long, from now; for how many seconds it is paused then.

    Visits that are under way end as they would have.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    return _micros(client, _PAUSE, platform, round(seconds * 1_000_000), WHY) / 1_000_000


def resume(client: redis.Redis, platform: str) -> float:
    """Ends the pause, whoever asked for it; how many seconds of it were left, 0 when there was none.

    A breaker that is open stays open: it closes by a visit that goes well.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    return _micros(client, _RESUME, platform) / 1_000_000


def _micros(client: redis.Redis, script: str, platform: str, *values: int | str) -> int:
    return int(client.register_script(script)(keys=[KEY_PREFIX + platform], args=list(values)))
