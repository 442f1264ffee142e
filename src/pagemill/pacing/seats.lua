-- Who has a seat, and who waits for one: `take_seat` and `leave_seat`. Needs `clock.lua`; the keys are `seat_script`'s.
--
-- `take_seat` takes or keeps a seat for a given time from now, and returns 0. If none is free, or others came first, it
-- takes or keeps a ticket instead, and returns when to look again. A worker that has all seats itself knows when one
-- becomes free, so it looks less often. `leave_seat` gives up seat and ticket, if there are any.

-- How often the first in the line looks whether a seat is free. Those behind it look less often.
local LOOK_US = 250000
-- The longest time between two looks.
local LOOK_MOST_US = 2000000
-- Whoever is later than this for a look has died, and does not hold up the line any longer.
local SILENT_US = 3000000

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
    redis.call('PEXPIRE', KEYS[2], KEEP_MS)
    return 0
  end
  local worker, all_own = string.match(seat, '^[^:]*'), #taken > 0
  for _, other in ipairs(taken) do all_own = all_own and string.match(other, '^[^:]*') == worker end
  local look = LOOK_MOST_US
  if not all_own then look = math.min(look, LOOK_US * (ahead - seats + 1)) end
  redis.call('ZADD', KEYS[3], whole(now + look + SILENT_US), ticket)
  redis.call('PEXPIRE', KEYS[3], KEEP_MS)
  return look
end
