-- Deletes a history that is a list, as an older version wrote it, because stream commands fail on a list.

if redis.call('TYPE', KEYS[1]).ok == 'list' then redis.call('DEL', KEYS[1]) end
