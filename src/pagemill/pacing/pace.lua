-- Gives `read`: numbers of a platform's state by their names; 0 for those that are missing. Needs `clock.lua`.

local function read(...)
  local values = redis.call('HMGET', KEYS[1], ...)
  for i = 1, #values do values[i] = tonumber(values[i]) or 0 end
  return unpack(values)
end
