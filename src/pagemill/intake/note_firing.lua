-- Stores the note about a firing, if the scheduler `ARGV[1]` leads. Out: whether it leads.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[2], 'due', ARGV[2], 'outcome', ARGV[3], 'run', ARGV[4], 'detail', ARGV[5],
  'rule', ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[7])
return 1
