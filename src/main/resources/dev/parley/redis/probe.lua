-- Tries a write, then publishes a pod's message to itself.
--
-- KEYS[1]  key             string  written and removed again, so that nothing is left
-- ARGV[1]  channel         text    only this pod subscribes to it
-- ARGV[2]  message         text    when it was sent
-- ARGV[3]  publish         text    PUBLISH, or SPUBLISH on a Cluster where the channel is in the slot of the key
-- ARGV[4]  legacy_channel  text    its subscribers at this server are counted
--
-- Returns {error, subscribers, uncounted}: the error is an empty string, or the text of the one that the write
-- got; subscribers are those of the legacy channel, or 0 if they cannot be counted, and uncounted is the text of
-- the error then, otherwise an empty string. On a replica the script fails with the error and publishes
-- nothing, so that the pod does not take the replica for the primary. After any other error it publishes,
-- because messages still flow and reading works. It also fails if the account lacks a right that every publish
-- needs, and has since version 0.1 (TIME, INFO): a pod that was ready all the same would take the place of one
-- that delivers.
local key = KEYS[1]
local channel = ARGV[1]
local message = ARGV[2]
local publish, legacy_channel = ARGV[3], ARGV[4]

local written = redis.pcall('SET', key, message)
if written.err then
  if string.find(written.err, 'READONLY', 1, true) or string.find(written.err, 'MASTERDOWN', 1, true) then
    return written
  end
else
  redis.call('DEL', key)
end
redis.call('TIME')
redis.call('INFO', 'replication')
redis.call(publish, channel, message)
local subscribed = redis.pcall('PUBSUB', 'NUMSUB', legacy_channel)
return {written.err or '', subscribed.err and 0 or subscribed[2], subscribed.err or ''}
