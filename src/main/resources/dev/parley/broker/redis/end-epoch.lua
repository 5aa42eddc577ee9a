-- Puts a room whose log lost messages into a new epoch, once however many pods notice.
--
-- KEYS[1]  head of the room
-- ARGV     the epoch that has ended, new epoch
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2])
end
return 1
