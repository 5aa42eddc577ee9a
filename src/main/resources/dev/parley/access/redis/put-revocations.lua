-- Keeps revocations, and drops those whose time is over.
--
-- KEYS[1]  revocations  sorted set  each revocation (JSON), by the time when it ends (ms)
-- KEYS[2]  revision     string      changes with each change of the set
-- ARGV[1]  revision     text        a new one
-- ARGV[2]  most         integer     revocations that are kept at most
-- ARGV[3…] end (ms), revocation (JSON), end, revocation …
--
-- Returns 1; 2 if some were left out because they have ended by the clock of this server; 0 if there would
-- be more than that, and then nothing has changed. The revision stays the same if nothing has changed.
-- Otherwise a pod whose clock is behind would give back a revocation that has ended here again and again,
-- and each time all pods would read the whole set.
local revocations, revision_key = KEYS[1], KEYS[2]
local revision, most = ARGV[1], tonumber(ARGV[2])

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', revocations, '-inf', string.format('%d', now))
local answer = 1
local more = 0
local later = {}
for i = 3, #ARGV, 2 do
  local stop, revocation = tonumber(ARGV[i]), ARGV[i + 1]
  local known = redis.call('ZSCORE', revocations, revocation)
  if stop > now and not known then
    more = more + 1
  elseif not known then
    answer = 2
  end
  -- One that is there already keeps the later of both ends.
  if stop > now and (not known or tonumber(known) < stop) then
    later[#later + 1] = {stop = ARGV[i], revocation = revocation}
  end
end
if redis.call('ZCARD', revocations) + more > most then
  return 0
end
if #later == 0 then
  return answer
end
for _, entry in ipairs(later) do
  redis.call('ZADD', revocations, entry.stop, entry.revocation)
end
local last = redis.call('ZREVRANGE', revocations, 0, 0, 'WITHSCORES')
redis.call('PEXPIREAT', revocations, string.format('%d', tonumber(last[2])))
redis.call('SET', revision_key, revision)
return answer
