-- Accepts one message: at most once per idempotency key, under the next offset of its room, and
-- announces it to every pod.
--
-- KEYS[1]  head     hash     the room's count: fields epoch (text) and offset (integer)
-- KEYS[2]  log      stream   the room's messages: entry ids <offset>-0, fields at (ms) and body (JSON)
-- KEYS[3]  receipt  string   id that the first publish under this idempotency key was given;
--                            absent when the publisher gave no key
-- ARGV[1]  channel      text     where the message is announced
-- ARGV[2]  room         text     name of the room
-- ARGV[3]  body         JSON     text, from, event
-- ARGV[4]  at           integer  when the publishing pod accepted it, ms since 1970
-- ARGV[5]  new_epoch    text     taken if the room has no head
-- ARGV[6]  max_length   integer  messages that the log keeps
-- ARGV[7]  max_age      integer  ms that the log keeps a message
-- ARGV[8]  receipt_age  integer  ms that the receipt is kept
--
-- Returns {id, 1 if this repeats an earlier publish else 0, number of foreign entries removed}
local head, log, receipt = KEYS[1], KEYS[2], KEYS[3]
local channel, room, body, at = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local new_epoch, max_length, max_age, receipt_age = ARGV[5], ARGV[6], tonumber(ARGV[7]), ARGV[8]

if receipt then
  local first = redis.call('GET', receipt)
  if first then
    return {first, 1, 0}
  end
end

local epoch, offset = unpack(redis.call('HMGET', head, 'epoch', 'offset'))
if not epoch then
  epoch, offset = new_epoch, 0
  redis.call('HSET', head, 'epoch', epoch)
  -- The head was evicted alone: the stream's offsets are of an epoch that has ended.
  if redis.call('EXISTS', log) == 1 then
    redis.call('DEL', log)
  end
end

offset = string.format('%d', tonumber(offset) + 1)
local id = epoch .. '-' .. offset
local function append()
  return redis.pcall('XADD', log, 'MAXLEN', max_length, offset .. '-0', 'at', at, 'body', body)
end
local function failed(reply)
  return type(reply) == 'table' and reply.err
end

-- Another program may have added an entry, for instance with an id of the present time. Redis accepts
-- no id below it, so every entry at or above our offset is removed; none of them is a message.
local removed = 0
local added = append()
if failed(added) then
  repeat
    local entries = redis.call('XRANGE', log, offset .. '-0', '+', 'COUNT', 64)
    for _, entry in ipairs(entries) do
      removed = removed + redis.call('XDEL', log, entry[1])
    end
  until #entries == 0
  redis.call('XSETID', log, string.format('%d-18446744073709551615', tonumber(offset) - 1))
  added = append()
end
if failed(added) then
  return added
end
-- Counted only after the entry is there: a failure before would leave a hole.
redis.call('HSET', head, 'offset', offset)

-- Every 16th message drops up to 32 that are too old, so trimming keeps up with publishing.
if tonumber(offset) % 16 == 0 then
  local expired = {}
  for _, entry in ipairs(redis.call('XRANGE', log, '-', '+', 'COUNT', 32)) do
    local said_at = tonumber(entry[2][2])
    -- An entry without a time was written by another program; it is dropped when it is the oldest.
    if said_at and said_at > tonumber(at) - max_age then
      break
    end
    expired[#expired + 1] = entry[1]
  end
  if #expired > 0 then
    redis.call('XDEL', log, unpack(expired))
  end
end

redis.call('PEXPIRE', head, max_age)
redis.call('PEXPIRE', log, max_age)
if receipt then
  redis.call('SET', receipt, id, 'PX', receipt_age)
end
redis.call('PUBLISH', channel, room .. ' ' .. id .. ' ' .. at .. ' ' .. body)
return {id, 0, removed}
