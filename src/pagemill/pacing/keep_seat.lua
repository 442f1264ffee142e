-- Has a seat that is still taken run out so long from now. Needs `clock.lua`.
--
-- In: the seat, and how long. Out: whether it was.

local until_us = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not until_us or tonumber(until_us) <= now then return 0 end
redis.call('ZADD', KEYS[2], whole(now + tonumber(ARGV[2])), ARGV[1])
return 1
