-- Takes a batch from the first platform that has one, from the first of its queues that has one. Leaves a safety copy, as
-- RQ itself does for a single queue.
--
-- In: for each platform the key of its pace, then its queues; as arguments, each platform's number of queues. A platform
-- that is paused, or whose breaker is open, keeps its batches. Out: a queue and a job; or the number of such batches.
--
-- RQ marks a safety copy with the time when it first sees it, for a day. An old mark would make RQ's maintenance take
-- this new copy for a stuck one at once, so the mark is deleted.

if redis.call('EXISTS', 'rq:suspended') == 1 then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local held_back = 0
local first = 1
for _, count in ipairs(ARGV) do
  local pace, last = first, first + count
  first = last + 1
  if redis.call('EXISTS', unpack(KEYS, pace + 1, last)) > 0 then
    local closed = redis.call('HMGET', KEYS[pace], 'pause_us', 'open_us')
    local is_closed = math.max(tonumber(closed[1]) or 0, tonumber(closed[2]) or 0) > now
    for i = pace + 1, last do
      local key = KEYS[i]
      if is_closed then
        held_back = held_back + redis.call('LLEN', key)
      else
        local id = redis.call('LMOVE', key, key .. ':intermediate', 'LEFT', 'RIGHT')
        if id then
          redis.call('DEL', key .. ':intermediate:first_seen:' .. id)
          return {key, id}
        end
      end
    end
  end
end
return held_back
