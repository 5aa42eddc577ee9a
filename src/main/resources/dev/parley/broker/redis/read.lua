-- Reads a page of a room's log, and what the log is like at this moment.
--
-- KEYS[1]  head  hash    as in publish.lua
-- KEYS[2]  log   stream  as in publish.lua
-- ARGV[1]  direction  text     'after' or 'before'
-- ARGV[2]  offset     integer  the page lies after or before it
-- ARGV[3]  limit      integer  messages in the page at most
-- ARGV[4]  budget     integer  bytes of bodies in the page, about; two messages are returned anyway
-- ARGV[5]  max_age    integer  ms that a head lives on after it was read
--
-- Returns {epoch, past, oldest, newest, {offset, at, body, offset, at, body, ...}} in the order of
-- reading; past is as in the head; at and body are empty where another program wrote the entry.
--
-- Reading creates nothing, and works where writing is refused. A room without a head is in epoch 0,
-- with newest 0: a reader of it has a position to resume from, which is the beginning of whatever
-- epoch begins with the first message.
local head, log = KEYS[1], KEYS[2]
local direction, offset = ARGV[1], ARGV[2]
local limit, budget, max_age = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]

local state = redis.call('HMGET', head, 'epoch', 'offset', 'past')
if not state[1] then
  return {'0', '', '1', '0', {}}
end
local epoch, newest, past = state[1], state[2] or '0', state[3] or ''
-- A room that is read keeps its epoch, though nothing is published in it. Where the server refuses to
-- write, as a replica does, that is no reason not to read.
redis.pcall('PEXPIRE', head, max_age)

-- Other programs may write into the stream. Entries whose ids are not <offset>-0 are not of this log.
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

-- Reading starts here, in either direction; never past the newest, since nothing there was accepted.
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

-- In chunks, so that a page of the longest texts is not built up whole before the budget is checked.
-- Two messages are returned whatever they weigh: the caller may have one already, and read it only to
-- compare.
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

return {epoch, past, oldest, newest, entries}
