-- Tries a write, then publishes a pod's message to itself.
--
-- KEYS[1]  key      string  written and removed again, so that nothing is left
-- ARGV[1]  channel  text    only this pod subscribes to it
-- ARGV[2]  message  text    when it was sent
--
-- Returns an empty string, or the text of the error that the write got. On a replica the script fails
-- with that error and publishes nothing, so that the pod does not take the replica for the primary. After
-- any other error it publishes, because messages still flow and reading works.
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
