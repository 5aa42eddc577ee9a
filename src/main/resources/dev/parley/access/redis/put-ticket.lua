-- Keeps a ticket.
--
-- KEYS[1]  ticket   string   <end in ms> <idle in ms> <content>
-- ARGV[1]  content  JSON     what the ticket stands for
-- ARGV[2]  idle     integer  ms that the ticket is kept after each use
-- ARGV[3]  left     integer  ms until the ticket ends at the latest
--
-- Returns 1.
local ticket = KEYS[1]
local content, idle, left = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local value = string.format('%d %d ', now + left, idle) .. content
redis.call('SET', ticket, value, 'PX', string.format('%d', math.max(1, math.min(idle, left))))
return 1
