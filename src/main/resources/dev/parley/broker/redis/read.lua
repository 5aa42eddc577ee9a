-- Reads a page of a room's log, and what the log is like at this moment.
--
-- KEYS[1]  head  hash    as in publish.lua
-- KEYS[2]  log   stream  as in publish.lua
-- ARGV[1]  direction  text     'after' or 'before'
-- ARGV[2]  offset     integer  the page lies after or before it
-- ARGV[3]  limit      integer  messages in the page at most
-- ARGV[4]  budget     integer  bytes of bodies in the page, about; two messages are returned anyway
-- ARGV[5]  max_age    integer  ms that the log keeps a message
-- ARGV[6]  max_length integer  messages that the log keeps
-- ARGV[7]  receipt_age integer ms that receipts are kept
-- ARGV[8]  max_bytes  integer  bytes of bodies that the log keeps
--
-- Returns {epoch, past, oldest, newest, {offset, at, body, offset, at, body, ...}, lost_log, now} with the
-- messages in the order of reading; past is as in the head; at and body are empty where another program
-- wrote the entry; lost_log is 1 if the log is gone before its time, and no script noticed it before; now
-- is the server's time in ms.
--
-- Messages older than max_age are not returned, also where nothing was published since, nor those beyond
-- max_length or max_bytes. Reading creates no key, and works where writing is refused. A room without a head
-- is in epoch 0, with newest 0. A client that reads it has the position 0-0, and can resume from there: the
-- past of the room's first message begins with 0:0.
local head, log = KEYS[1], KEYS[2]
local direction, offset = ARGV[1], ARGV[2]
local limit, budget, max_age = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local max_length, receipt_age, max_bytes = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local state = redis.call('HMGET', head, 'epoch', 'offset', 'past', 'lost', 'expires', 'bytes')
if not state[1] then
  return {'0', '', '1', '0', {}, 0, string.format('%d', now)}
end
-- A head that version 0.1 wrote has no past. A client that read the room before there was a head has the
-- position 0-0 and continues, as in a room of this version. The epoch's own start comes first, so that a
-- client without a message is given that position: a pod of version 0.1 knows it, and does not know 0-0.
local epoch, newest = state[1], state[2] or '0'
local past = state[3] or epoch .. ':0 0:0'
-- A room that is read keeps its head, although nothing is published in it: for as long as publish.lua lets
-- it last, and not where that set a later end, which another pod may have in its settings.
-- pcall, because a server that refuses to write, such as a replica, can still be read.
if tonumber(state[5] or 0) < now + max_age then
  redis.pcall('PEXPIRE', head,
    math.max(math.max(max_age, receipt_age) + math.ceil(max_age / 100), 3600000))
end

-- Other programs may write into the stream. Entries whose ids are not <offset>-0 are not of this log.
local function offset_of(entry)
  return string.match(entry[1], '^(%d+)%-0$')
end

-- Returns the first entries at or after an offset, up to the newest message.
local function entries_from(from, count)
  return redis.call('XRANGE', log, string.format('%d', from), newest .. '-0', 'COUNT', count)
end

-- Tells whether the first of these entries that has a time is too old; nil if none has one, because all
-- were written by another program.
local function are_too_old(some)
  for _, entry in ipairs(some) do
    local at = entry[2][1] == 'at' and tonumber(entry[2][2])
    if at then
      return at <= now - max_age
    end
  end
end
-- Tells whether an entry is beyond the bytes. The newest message is not, however long it is. What version
-- 0.1 wrote does not say how many bytes were accepted before it, and stays until publish.lua drops it.
local beyond = tonumber(state[6] or 0) - max_bytes
local function is_beyond_bytes(entry)
  local before = entry[2][5] == 'before' and tonumber(entry[2][6])
  return before and before < beyond and offset_of(entry) ~= newest
end
local function is_dropped_from(from)
  local some = entries_from(from, 1)
  local too_old = are_too_old(some)
  if too_old == nil then
    too_old = are_too_old(entries_from(from, 64))
  end
  return too_old or some[1] and is_beyond_bytes(some[1])
end

-- Finds the first offset that is neither too old nor beyond the bytes, in about as many steps as the log's
-- length has bits, because times and the bytes before a message rise with the offsets. (After a failover to a
-- server whose clock is behind the times fall once. Then messages may leave the log earlier or later by that
-- difference: the bisection may find the fall, and what comes after a message that is not too old yet stays as
-- long as that.) What is too old is removed here too, since no publish does it in a quiet room. Messages beyond
-- the bytes are there if the bound was lowered, until enough is published. '~' removes whole blocks of entries,
-- which is quick; what stays of a block, here and where publish.lua drops what is beyond max_length, is skipped
-- by each read. pcall, because a server may refuse to write.
local lowest = math.max(1, tonumber(newest) - max_length + 1)
local stored_first = entries_from(lowest, 1)[1]
local first = stored_first
if stored_first and (are_too_old({stored_first}) ~= false or is_beyond_bytes(stored_first))
    and is_dropped_from(lowest) then
  local high = tonumber(newest) + 1
  while lowest < high do
    local middle = math.floor((lowest + high) / 2)
    if is_dropped_from(middle) then
      lowest = middle + 1
    else
      high = middle
    end
  end
  redis.pcall('XTRIM', log, 'MINID', '~', string.format('%d', lowest))
  first = entries_from(lowest, 1)[1]
end
local oldest = string.format('%d', tonumber(newest) + 1)
if first then
  oldest = string.match(first[1], '^%d+')
end

-- A log that is gone earlier than it expires was deleted or evicted. The head takes note, so that one
-- reading tells it. A second is left for the clocks of TIME and of PEXPIRE, which differ a little.
local function notice_lost_log()
  local known = tonumber(newest) <= tonumber(state[4] or 0)
  if stored_first or known or redis.call('EXISTS', log) == 1 then
    return 0
  end
  if now + 1000 >= tonumber(state[5] or 0) then
    return 0
  end
  local noted = redis.pcall('HSET', head, 'lost', newest)
  return type(noted) == 'table' and noted.err and 0 or 1
end
local lost_log = notice_lost_log()

local function fields_of(entry)
  local fields = entry[2]
  if fields[1] == 'at' and fields[3] == 'body' then
    return fields[2], fields[4]
  end
  return '', ''
end

-- Reading starts at this offset, in either direction. It is not above the newest, because entries there
-- were not accepted by publish.lua.
local position
if direction == 'after' then
  position = math.max(tonumber(offset) + 1, lowest)
else
  position = math.min(tonumber(offset) - 1, tonumber(newest))
end
local function next_chunk(size)
  if position < lowest or position > tonumber(newest) then
    return {}
  end
  local here = string.format('%d-0', position)
  if direction == 'after' then
    return redis.call('XRANGE', log, here, newest .. '-0', 'COUNT', size)
  end
  return redis.call('XREVRANGE', log, here, string.format('%d', lowest), 'COUNT', size)
end
-- Moves the position beyond an entry. A foreign entry such as 5-3 comes after 5-0, so reading backwards
-- goes on at 5-0.
local function move_past(entry)
  local number = tonumber(string.match(entry[1], '^%d+'))
  if direction == 'after' then
    position = number + 1
  else
    position = offset_of(entry) and number - 1 or number
  end
end

-- Reads in chunks, so that the budget is checked before all of a page of long texts is in memory. Two
-- messages are returned however long they are: the caller may have the first one already, and read it
-- only to compare.
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

return {epoch, past, oldest, newest, entries, lost_log, string.format('%d', now)}
