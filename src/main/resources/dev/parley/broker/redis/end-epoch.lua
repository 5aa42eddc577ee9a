-- Puts a room whose log lacks delivered messages into a new epoch, once however many pods notice. The
-- past is emptied: every position from before is outside the new lineage, so its client gets a gap.
--
-- KEYS[1]  head       hash  as in publish.lua
-- ARGV[1]  ended      text  the epoch that has ended
-- ARGV[2]  new_epoch  text  the epoch that follows
--
-- Returns 1 if the room was in the ended epoch, else 0
local head = KEYS[1]
local ended, new_epoch = ARGV[1], ARGV[2]

if redis.call('HGET', head, 'epoch') == ended then
  redis.call('HSET', head, 'epoch', new_epoch, 'past', '')
  return 1
end
return 0
