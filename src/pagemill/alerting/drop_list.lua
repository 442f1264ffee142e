-- The history was a list once, and commands for streams refuse that.

if redis.call('TYPE', KEYS[1]).ok == 'list' then redis.call('DEL', KEYS[1]) end
