-- Takes the cooldown of an alert, and ends the script where somebody else has it. What is put behind this runs in the same
-- step.
--
-- In: `KEYS[2]`, the cooldown's mark, if there is one; `ARGV[2]`, the call's own name, and `ARGV[5]`, how many
-- milliseconds it takes. Out: 0, or 1 for the very call that has it already: the client repeats a command whose answer was
-- lost, and then the alert goes out instead of counting as somebody else's.

if KEYS[2] then
  local held = redis.call('GET', KEYS[2])
  if held then return held == ARGV[2] and 1 or 0 end
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[5])
end
