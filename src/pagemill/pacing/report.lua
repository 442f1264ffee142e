-- Notes how the shop answered one visit. Needs `clock.lua` and `pace.lua`.
--
-- In: `good`, `blocked`, `challenged` or `trouble` (the last two count alike); for how long the shop asked to be left
-- alone (0: not at all), and why; after how many blocks in a row the breaker opens (0: never), for how long at first
-- and at most; by how much waits may be stretched, less 1; whether the visit was the probe. A block with such a request
-- does not count if the platform is paused already: the visit was under way when the shop first asked.
--
-- Out: by how much to stretch waits, for how long there will be no visit, and what has changed: `paused`, `opened`,
-- `closed`, `slower`, `faster`.

local word, pause_for, why = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local most_blocks, open_for, open_most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local slow_most, probing = tonumber(ARGV[7]), ARGV[8] == '1'
local next, pause, open, blocks, opens, trouble, slow, since =
  read('next_us', 'pause_us', 'open_us', 'blocks', 'opens', 'trouble', 'slow', 'since')
local probe_ends = probing and open > 0
local changes = {}
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
redis.call('PEXPIRE', KEYS[1], KEEP_MS)
return {tostring(1 + slow), whole(math.max(0, math.max(pause, open) - now)), unpack(changes)}
