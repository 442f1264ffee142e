-- For every script of the pace: `now`, in microseconds of Redis' own clock, and `whole`, a number as Redis stores it.

-- How long a platform's state is kept after its last visit.
local KEEP_MS = 24 * 3600 * 1000

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function whole(number) return string.format('%.0f', number) end
