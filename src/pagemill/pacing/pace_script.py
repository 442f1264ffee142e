"""What Redis does in one step, on its own clock: gives turns, and takes account of how visits went.

Owns the scripts and the key that they keep a platform's state in; `fleet_pace` and `by_hand` call them. What is kept of
seats is `seat_script`'s. Every number that is a moment or a span counts microseconds.

The state, a hash whose missing fields mean 0:

    next_us     the fleet's next free place
    pause_us    no visit before that moment; `pause_why` says why
    blocks      answers in a row that were blocks
    opens       how often in a row the breaker has opened
    open_us     the breaker is open until then; after that moment one visit at a time tries whether it may close
    probe_us    such a visit is under way, or was lost, until then
    trouble     share of bad answers among the latest ones, an exponential average
    slow        by how much waits are stretched, less 1
    since       answers since `slow` was changed
"""

from __future__ import annotations

from pagemill.pacing.seat_script import KEEP_MS, NOW, SEATS_LUA

KEY_PREFIX = "pagemill:pacing:"

_NOW = (
    NOW
    + """
local function read(...)
  local values = redis.call('HMGET', KEYS[1], ...)
  for i = 1, #values do values[i] = tonumber(values[i]) or 0 end
  return unpack(values)
end
"""
)

TURN = (
    _NOW
    + SEATS_LUA
    + f"""
local share, horizon, probe_for, probing = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local seats, seat, seat_for = tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local next, pause, open, probe, slow, trouble, blocks =
  read('next_us', 'pause_us', 'open_us', 'probe_us', 'slow', 'trouble', 'blocks')
local clean = slow == 0 and trouble == 0 and blocks == 0 and open == 0
local function answer(word, wait) return {{word, whole(wait), tostring(1 + slow), clean and 1 or 0}} end
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
if share > 0 or word == 'probe' then redis.call('PEXPIRE', KEYS[1], {KEEP_MS}) end
return answer(word, wait)
"""
)
"""Gives a platform's next turn.

In: a visit's share of the time (0: no limit), how far ahead a place may be taken, how long a probe may take, and
whether the asking visit is the probe. Then how many seats there are (0: no limit), the visit's, and for how long it is
kept beyond its place.

Out: `go` or `probe` with the wait until the place that was taken, and the seat taken; or `paused`, `open`, `later` or
`full` with the wait until it makes sense to ask again, and no seat: `full` has a ticket for one. Then by how much to
stretch waits, and whether all is well, so that good answers need not be reported.
"""

REPORT = (
    _NOW
    + f"""
local word, pause_for, why = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local most_blocks, open_for, open_most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local slow_most, probing = tonumber(ARGV[7]), ARGV[8] == '1'
local next, pause, open, blocks, opens, trouble, slow, since =
  read('next_us', 'pause_us', 'open_us', 'blocks', 'opens', 'trouble', 'slow', 'since')
local probe_ends = probing and open > 0
local changes = {{}}
local function note(change) changes[#changes + 1] = change end

local function hold(until_us) next = math.max(next, until_us) end
local known = pause_for > 0 and pause > now
if pause_for > 0 and now + pause_for > pause then
  if pause <= now then note('paused') end
  pause = now + pause_for
  redis.call('HSET', KEYS[1], 'pause_us', whole(pause), 'pause_why', why)
  hold(pause)
end

if word == 'blocked' and not known then blocks = blocks + 1 elseif word == 'good' then blocks = 0 end
if probe_ends and word == 'good' then
  open, opens = 0, 0
  note('closed')
elseif probe_ends or (open == 0 and most_blocks > 0 and blocks >= most_blocks) then
  if word == 'blocked' then opens = opens + 1 end
  open = now + math.min(open_for * 2 ^ math.max(0, opens - 1), open_most)
  hold(open)
  note('opened')
end

trouble = trouble * 0.9
if word ~= 'good' then trouble = trouble + 0.1 end
if trouble < 0.01 then trouble = 0 end
since = since + 1
if slow_most > 0 and trouble >= 0.3 and since >= 5 and slow < slow_most then
  slow, since = math.min(slow_most, (1 + slow) * 1.5 - 1), 0
  note('slower')
elseif slow > 0 and trouble < 0.05 and since >= 20 then
  slow, since = (1 + slow) * 0.9 - 1, 0
  if slow < 0.05 then slow = 0 end
  note('faster')
end

redis.call('HSET', KEYS[1], 'next_us', whole(next), 'open_us', whole(open), 'blocks', blocks, 'opens', opens,
  'trouble', tostring(trouble), 'slow', tostring(slow), 'since', since)
if probe_ends then redis.call('HSET', KEYS[1], 'probe_us', 0) end
redis.call('PEXPIRE', KEYS[1], {KEEP_MS})
return {{tostring(1 + slow), whole(math.max(0, math.max(pause, open) - now)), unpack(changes)}}
"""
)
"""Takes account of one visit.

In: `good`, `blocked`, `challenged` or `trouble`, of which the last two count alike; for how long the shop asked to be
left alone (0: not at all), and why; after how many blocks in a row the breaker opens (0: never), for how long at first
and at most; how far waits may be stretched, less 1; and whether the visit was the probe. A visit that was under way
when the shop asked for quiet, and is answered in the same way, is no further block.

Out: by how much to stretch waits, for how long there will be no visit, and what has changed: `paused`, `opened`,
`closed`, `slower`, `faster`.
"""

PAUSE = (
    _NOW
    + f"""
local pause_for, why = tonumber(ARGV[1]), ARGV[2]
local next, pause = read('next_us', 'pause_us')
if now + pause_for > pause then
  pause = now + pause_for
  redis.call('HSET', KEYS[1], 'pause_us', whole(pause), 'pause_why', why, 'next_us', whole(math.max(next, pause)))
end
redis.call('PEXPIRE', KEYS[1], whole({KEEP_MS} + (pause - now) / 1000))
return whole(pause - now)
"""
)
"""Has nobody visit a platform, because somebody asked for it.

In: for how long, and why; a longer pause is not shortened. Out: for how long there is one now.
"""

RESUME = (
    _NOW
    + """
local next, pause = read('next_us', 'pause_us')
if pause <= now then return '0' end
redis.call('HSET', KEYS[1], 'pause_us', '0')
if next <= pause then redis.call('HSET', KEYS[1], 'next_us', whole(now)) end
redis.call('HDEL', KEYS[1], 'pause_why')
return whole(pause - now)
"""
)
"""Ends a platform's pause, whoever asked for it. Out: how much of it was left, 0 when there was none."""
