-- Publishes a pod's message to itself, and tries a write on the way.
--
-- KEYS[1]  string  key that is written and removed again, so that nothing is left
-- ARGV[1]  string  channel on which the pod hears itself
-- ARGV[2]  string  the message
--
-- Returns an empty string, or the error that the write got. A replica answers with that error, and nothing is published:
-- the pod must not take it for the primary. Other errors do not keep the message from being published: reading works then.

local key = KEYS[1]
local channel = ARGV[1]
local message = ARGV[2]

local written = redis.pcall('SET', key, message)
if written.err then
    if string.find(written.err, 'READONLY', 1, true) or string.find(written.err, 'MASTERDOWN', 1, true) then
        return written
    end
else
    redis.call('DEL', key)
end
redis.call('PUBLISH', channel, message)
return written.err or ''
