-- What every script of the pace needs: `now`, in microseconds of Redis' own clock, and numbers as Redis keeps them.

-- How long a platform's state outlives its last visit.
local KEEP_MS = 24 * 3600 * 1000

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function whole(number) return string.format('%.0f', number) end
