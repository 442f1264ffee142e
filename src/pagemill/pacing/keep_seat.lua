-- Keeps a seat that is still taken for a given time from now. Needs `clock.lua`.
--
-- In: the seat, and for how long. Out: 1 if it was still taken, else 0.

local until_us = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not until_us or tonumber(until_us) <= now then return 0 end
redis.call('ZADD', KEYS[2], whole(now + tonumber(ARGV[2])), ARGV[1])
return 1
