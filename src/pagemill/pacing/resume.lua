-- Ends a platform's pause, whoever asked for it. Needs `clock.lua` and `pace.lua`.
--
-- Out: how much of it was left; 0 if there was none.

local next, pause = read('next_us', 'pause_us')
if pause <= now then return '0' end
redis.call('HSET', KEYS[1], 'pause_us', '0')
if next <= pause then redis.call('HSET', KEYS[1], 'next_us', whole(now)) end
redis.call('HDEL', KEYS[1], 'pause_why')
return whole(pause - now)
