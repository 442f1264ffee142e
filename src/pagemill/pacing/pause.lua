-- Pauses a platform because somebody asked for it. Needs `clock.lua` and `pace.lua`.
--
-- In: for how long, and why; a longer pause is not shortened. Out: for how long the platform is paused now.

local pause_for, why = tonumber(ARGV[1]), ARGV[2]
local next, pause = read('next_us', 'pause_us')
if now + pause_for > pause then
  pause = now + pause_for
  redis.call('HSET', KEYS[1], 'pause_us', whole(pause), 'pause_why', why, 'next_us', whole(math.max(next, pause)))
end
redis.call('PEXPIRE', KEYS[1], whole(KEEP_MS + (pause - now) / 1000))
return whole(pause - now)
