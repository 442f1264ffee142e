-- Adds an alert to the history. In: `ARGV[1]`, the alert; `ARGV[3]`, the number of entries to keep; `ARGV[4]`, the name of
-- the field. Out: 1.

redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', ARGV[4], ARGV[1])
return 1
