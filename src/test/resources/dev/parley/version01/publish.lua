-- publish.lua of version 0.1.0, without its comments.
local head, log, receipt = KEYS[1], KEYS[2], KEYS[3]
local channel, room, body, at = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local size, age = ARGV[6], tonumber(ARGV[7])

if receipt then
  local first = redis.call('GET', receipt)
  if first then
    return {first, 1}
  end
end

local epoch = redis.call('HGET', head, 'epoch')
if not epoch then
  epoch = ARGV[5]
  redis.call('HSET', head, 'epoch', epoch, 'offset', 0)
  if redis.call('EXISTS', log) == 1 then
    redis.call('DEL', log)
  end
end

local offset = string.format('%d', redis.call('HINCRBY', head, 'offset', 1))
local id = epoch .. '-' .. offset
redis.call('XADD', log, 'MAXLEN', size, offset .. '-0', 'at', at, 'body', body)

if tonumber(offset) % 16 == 0 then
  local expired = {}
  for _, entry in ipairs(redis.call('XRANGE', log, '-', '+', 'COUNT', 32)) do
    local said = tonumber(entry[2][2])
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
return {id, 0}
