-- Takes or renews the lead. In: the claimant's name, and for how many milliseconds. Out: 1 if it leads now.

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
