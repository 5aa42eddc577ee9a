-- Accepts one message: at most once per idempotency key, under the next offset, and tells every pod.
--
-- KEYS[1]  head of the room: hash of epoch and offset
-- KEYS[2]  log of the room: stream whose entry ids are <offset>-0
-- KEYS[3]  receipt of the idempotency key; absent when the publisher gave none
-- ARGV     channel, room, body, sent at (ms), new epoch, max length, max age (ms), receipt age (ms)
-- Returns  {id, 1 if this repeats an earlier publish else 0, how many entries of others were removed}
local head, log, receipt = KEYS[1], KEYS[2], KEYS[3]
local channel, room, body, at = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local size, age = ARGV[6], tonumber(ARGV[7])

if receipt then
  local first = redis.call('GET', receipt)
  if first then
    return {first, 1, 0}
  end
end

local epoch, offset = unpack(redis.call('HMGET', head, 'epoch', 'offset'))
if not epoch then
  epoch, offset = ARGV[5], 0
  redis.call('HSET', head, 'epoch', epoch)
  -- A head that was evicted alone must not count again from where the stream already is.
  if redis.call('EXISTS', log) == 1 then
    redis.call('DEL', log)
  end
end

offset = string.format('%d', tonumber(offset) + 1)
local id = epoch .. '-' .. offset
local function append()
  return redis.pcall('XADD', log, 'MAXLEN', size, offset .. '-0', 'at', at, 'body', body)
end
local function failed(reply)
  return type(reply) == 'table' and reply.err
end

-- An entry that somebody else added, such as one under the present time, may stand where ours are to
-- come, and Redis takes none before it. It is no message: it goes.
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
-- Counted only now: had it failed, there would be a hole.
redis.call('HSET', head, 'offset', offset)

-- Age is looked at once in 16 messages and may drop 32, so trimming keeps up with publishing.
if tonumber(offset) % 16 == 0 then
  local expired = {}
  for _, entry in ipairs(redis.call('XRANGE', log, '-', '+', 'COUNT', 32)) do
    local said = tonumber(entry[2][2])
    -- Somebody else may have written an entry without a time: it goes when its turn comes.
    if said and said > tonumber(at) - age then
      break
    end
    expired[#expired + 1] = entry[1]
  end
  if #expired > 0 then
    redis.call('XDEL', log, unpack(expired))
  end
end

redis.call('PEXPIRE', head, age)
redis.call('PEXPIRE', log, age)
if receipt then
  redis.call('SET', receipt, id, 'PX', ARGV[8])
end
redis.call('PUBLISH', channel, room .. ' ' .. id .. ' ' .. at .. ' ' .. body)
return {id, 0, removed}
