"""The seats of a platform that bears only so many visits at one time: who has one, and who waits in which order.

Owns two keys beside that of `pace_script`, whose script for turns calls `take_seat` and `leave_seat`. Every number that
is a moment or a span counts microseconds, on Redis' clock.

    KEYS[2]   a sorted set: each seat that is taken, by when it runs out if nobody gives it back
    KEYS[3]   a sorted set: each ticket of those who wait, by when it runs out if its holder does not look again

A seat's name is that of its worker, a colon and a number. A ticket is the moment of its arrival, always as long, and
the name of the seat that is waited for: tickets sort in the order of their arrivals.
"""

from __future__ import annotations

SEATS, LINE = ":seats", ":line"
"""What follows the platform's key in the names of the two keys."""

KEEP_MS = 24 * 3600 * 1000
"""How long a platform's state outlives its last visit."""

NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function whole(number) return string.format('%.0f', number) end
"""

_LOOK_US = 250_000
"""How often the first in the line looks whether a seat is free; the next ones look less often."""
_LOOK_MOST_US = 2_000_000
"""How often, at least, everybody does."""
_SILENT_US = 3_000_000
"""Who is late for a look by more has died, and holds up the line no longer."""

SEATS_LUA = f"""
local function ticket_of(seat)
  for _, ticket in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
    if string.sub(ticket, 18) == seat then return ticket end
  end
end
local function leave_seat(seat)
  redis.call('ZREM', KEYS[2], seat)
  local ticket = ticket_of(seat)
  if ticket then redis.call('ZREM', KEYS[3], ticket) end
end
local function take_seat(seat, seats, hold)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(now))
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', whole(now))
  local taken = redis.call('ZRANGE', KEYS[2], 0, -1)
  local ticket = ticket_of(seat) or string.format('%016.0f %s', now, seat)
  local ahead = #taken
  for _, other in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
    if other < ticket then ahead = ahead + 1 end
  end
  if redis.call('ZSCORE', KEYS[2], seat) or ahead < seats then
    redis.call('ZREM', KEYS[3], ticket)
    redis.call('ZADD', KEYS[2], whole(now + hold), seat)
    redis.call('PEXPIRE', KEYS[2], {KEEP_MS})
    return 0
  end
  local worker, all_own = string.match(seat, '^[^:]*'), #taken > 0
  for _, other in ipairs(taken) do all_own = all_own and string.match(other, '^[^:]*') == worker end
  local look = {_LOOK_MOST_US}
  if not all_own then look = math.min(look, {_LOOK_US} * (ahead - seats + 1)) end
  redis.call('ZADD', KEYS[3], whole(now + look + {_SILENT_US}), ticket)
  redis.call('PEXPIRE', KEYS[3], {KEEP_MS})
  return look
end
"""
"""`take_seat` takes a seat, or keeps it, for so long from now: 0; where none is free, or others came before, it takes a
ticket, or keeps it, and says when to look again. A worker that has all seats itself knows when one becomes free, and
need not look. `leave_seat` gives up seat and ticket, where there are any."""

KEEP_SEAT = (
    NOW
    + """
local until_us = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not until_us or tonumber(until_us) <= now then return 0 end
redis.call('ZADD', KEYS[2], whole(now + tonumber(ARGV[2])), ARGV[1])
return 1
"""
)
"""Has a seat that is still taken run out so long from now. In: the seat, and how long. Out: whether it was."""

LEAVE_SEAT = (
    NOW
    + SEATS_LUA
    + """
leave_seat(ARGV[1])
return 0
"""
)
"""Gives up a seat, or the ticket for it. In: the seat."""
