-- read.lua of version 0.1.0, without its comments.
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
  return string.match(entry[1], '^(%d+)%-0$')
end

local oldest = string.format('%d', tonumber(newest) + 1)
local first = redis.call('XRANGE', log, '1', newest .. '-0', 'COUNT', 1)[1]
if first then
  oldest = string.match(first[1], '^%d+')
end

local function fields_of(entry)
  local fields = entry[2]
  if fields[1] == 'at' and fields[3] == 'body' then
    return fields[2], fields[4]
  end
  return '', ''
end

local position
if direction == 'after' then
  position = tonumber(offset) + 1
else
  position = math.min(tonumber(offset) - 1, tonumber(newest))
end
local function next_chunk(size)
  if position < 1 or position > tonumber(newest) then
    return {}
  end
  local here = string.format('%d-0', position)
  if direction == 'after' then
    return redis.call('XRANGE', log, here, newest .. '-0', 'COUNT', size)
  end
  return redis.call('XREVRANGE', log, here, '1', 'COUNT', size)
end
local function move_past(entry)
  local number = tonumber(string.match(entry[1], '^%d+'))
  if direction == 'after' then
    position = number + 1
  else
    position = offset_of(entry) and number - 1 or number
  end
end

local entries, bytes = {}, 0
local function is_full()
  return limit == 0 or bytes >= budget and #entries >= 6
end
local function add(entry)
  local at, body = fields_of(entry)
  entries[#entries + 1] = offset_of(entry)
  entries[#entries + 1] = at
  entries[#entries + 1] = body
  bytes = bytes + #body
  limit = limit - 1
end
while not is_full() do
  local size = math.min(limit, 64)
  local chunk = next_chunk(size)
  for _, entry in ipairs(chunk) do
    move_past(entry)
    if offset_of(entry) then
      add(entry)
    end
    if is_full() then
      break
    end
  end
  if #chunk < size then
    break
  end
end

return {state[1], oldest, newest, entries}
