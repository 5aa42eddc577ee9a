-- Returns what a ticket stands for, and keeps it for some time more.
--
-- KEYS[1]  ticket  string  <end in ms> <idle in ms> <content>
--
-- Returns the content; nil if there is no such ticket, or its time is over.
local ticket = KEYS[1]

local value = redis.call('GET', ticket)
if not value then
  return nil
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local stop, idle, content = string.match(value, '^(%d+) (%d+) (.*)$')
local left = (tonumber(stop) or 0) - now
if left <= 0 then
  return nil
end
-- Redis may refuse writes, because it has too few replicas for example. The ticket counts all the same, so
-- that readers can come back; then it ends when its present time is over.
redis.pcall('PEXPIRE', ticket, string.format('%d', math.min(tonumber(idle), left)))
return content
