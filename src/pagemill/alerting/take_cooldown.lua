-- Starts the cooldown of an alert, or ends the script if it is running already. Scripts that are appended to this one run
-- in the same step.
--
-- In: `KEYS[2]`, the cooldown's key, if there is one; `ARGV[2]`, a name that is unique for this call; `ARGV[5]`, the
-- cooldown in milliseconds. Out: 0; or 1 if this very call has started the cooldown: the client repeats a command whose
-- answer was lost, and its alert must still be sent.

if KEYS[2] then
  local held = redis.call('GET', KEYS[2])
  if held then return held == ARGV[2] and 1 or 0 end
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[5])
end
