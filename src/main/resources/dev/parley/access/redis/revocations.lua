-- Returns the revocations in force, if they have changed.
--
-- KEYS[1]  revocations  sorted set  each revocation (JSON), by the time when it ends (ms)
-- KEYS[2]  revision     string      changes with each change of the set
-- ARGV[…]  revisions that the pod knows
--
-- Returns {revision}, or {revision, revocation, end (ms), revocation, end …} if the pod does not know
-- the revision. The set of a server that lost its keys has the revision '-'.
local revocations, revision_key = KEYS[1], KEYS[2]
local known_revisions = ARGV

local revision = redis.call('GET', revision_key) or '-'
for _, known in ipairs(known_revisions) do
  if known == revision then
    return {revision}
  end
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local reply = {revision}
local entries = redis.call('ZRANGEBYSCORE', revocations, string.format('(%d', now), '+inf', 'WITHSCORES')
for i = 1, #entries do
  reply[i + 1] = entries[i]
end
return reply
