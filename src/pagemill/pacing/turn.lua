-- Gives a platform's next turn. Needs `clock.lua`, `pace.lua` and `seats.lua`.
--
-- In: the time between two places of the fleet (0: no limit), how far ahead a place may be taken, how long a probe may
-- take, and whether this visit is the probe. Then how many seats there are (0: no limit), this visit's seat, and for
-- how long that is kept beyond its place.
--
-- Out: `go` or `probe` with the wait until the place, when place and seat are taken. Or `paused`, `open`, `later` or
-- `full` with the wait until it makes sense to ask again, without a seat; `full` gets a ticket for one. Then by how
-- much to stretch waits, and whether all is well, so that good answers need not be reported.

local share, horizon, probe_for, probing = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local seats, seat, seat_for = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local next, pause, open, probe, slow, trouble, blocks =
  read('next_us', 'pause_us', 'open_us', 'probe_us', 'slow', 'trouble', 'blocks')
local clean = slow == 0 and trouble == 0 and blocks == 0 and open == 0
local function answer(word, wait) return {word, whole(wait), tostring(1 + slow), clean and 1 or 0} end
local function denied(word, wait)
  if seats > 0 then leave_seat(seat) end
  return answer(word, wait)
end
if pause > now then return denied('paused', pause - now) end
local word = 'go'
if open > 0 and not probing then
  if open > now then return denied('open', open - now) end
  if probe > now then return denied('later', math.min(probe - now, 1000000)) end
  word = 'probe'
end
local wait = 0
if share > 0 then
  wait = math.max(0, next - now)
  if wait > horizon then return denied('later', wait - horizon / 2) end
end
if seats > 0 then
  local look = take_seat(seat, seats, wait + seat_for)
  if look > 0 then return answer('full', look) end
end
if share > 0 then redis.call('HSET', KEYS[1], 'next_us', whole(now + wait + share * (1 + slow))) end
if word == 'probe' then redis.call('HSET', KEYS[1], 'probe_us', whole(now + wait + probe_for)) end
if share > 0 or word == 'probe' then redis.call('PEXPIRE', KEYS[1], KEEP_MS) end
return answer(word, wait)
