-- Needs `clock.lua`. Gives `read`: numbers of a platform's state by their names; what is missing is 0.

local function read(...)
  local values = redis.call('HMGET', KEYS[1], ...)
  for i = 1, #values do values[i] = tonumber(values[i]) or 0 end
  return unpack(values)
end
