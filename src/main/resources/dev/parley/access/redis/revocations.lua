-- Returns the revocations in force, if they have changed.
--
-- KEYS[1]  revocations  sorted set  each revocation (JSON), by the time when it ends (ms)
-- KEYS[2]  revision     string      changes with each change of the set
-- ARGV[…]  revisions that the pod knows
--
-- Returns {revision}, or {revision, revocation, end (ms), revocation, end …} if the pod does not know
-- the revision. If there is no set, the revision is '-', whatever the second key says: a program may have
-- removed the set alone, or Redis may have evicted it, and the pods then give it back. If the set is there
-- and the second key is not, the revision is '+', so that the loss of the set is noticed later too.
local revocations, revision_key = KEYS[1], KEYS[2]
local known_revisions = ARGV

local revision = '-'
if redis.call('EXISTS', revocations) == 1 then
  revision = redis.call('GET', revision_key) or '+'
end
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
