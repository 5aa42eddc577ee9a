-- Reads a page of a room's log together with what the log is like at this moment.
--
-- KEYS[1]  head of the room, KEYS[2] log of the room, as in publish.lua
-- ARGV     'after' or 'before', offset, limit, byte budget, new epoch, max age (ms)
-- Returns  {epoch, oldest, newest, {offset, at, body, offset, at, body, …}} in the order of reading
--
-- A room without a head gets one, so that a reader of an empty room has a position to resume from.
local head, log = KEYS[1], KEYS[2]
local direction, offset = ARGV[1], ARGV[2]
local limit, budget = tonumber(ARGV[3]), tonumber(ARGV[4])

if redis.call('EXISTS', head) == 0 then
  redis.call('HSET', head, 'epoch', ARGV[5], 'offset', 0)
  redis.call('DEL', log)
end
redis.call('PEXPIRE', head, ARGV[6])
local state = redis.call('HMGET', head, 'epoch', 'offset')
local newest = state[2]

local function offset_of(entry)
  return string.match(entry[1], '^%d+')
end

local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
local oldest = first and offset_of(first) or string.format('%d', tonumber(newest) + 1)

local entries, bytes = {}, 0
local function next_chunk(size)
  if direction == 'after' then
    return redis.call('XRANGE', log, string.format('%d', tonumber(offset) + 1), '+', 'COUNT', size)
  end
  local last = tonumber(offset) - 1
  if last < 1 then
    return {}
  end
  return redis.call('XREVRANGE', log, string.format('%d', last), '-', 'COUNT', size)
end

-- In chunks: a page of the longest texts must not be built up whole before the budget is looked at.
-- Two messages there are at any rate: one may be known already, and read for comparison only.
local function is_full()
  return limit == 0 or bytes >= budget and #entries >= 6
end
while not is_full() do
  local size = math.min(limit, 64)
  local chunk = next_chunk(size)
  for _, entry in ipairs(chunk) do
    offset = offset_of(entry)
    entries[#entries + 1] = offset
    entries[#entries + 1] = entry[2][2]
    entries[#entries + 1] = entry[2][4]
    bytes = bytes + #entry[2][4]
    limit = limit - 1
    if is_full() then
      break
    end
  end
  if #chunk < size then
    break
  end
end

return {state[1], oldest, newest, entries}
