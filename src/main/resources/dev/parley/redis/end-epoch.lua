-- Puts a room whose log lost messages into a new epoch, once however many pods notice.
--
-- KEYS[1]  head of the room
-- ARGV     the epoch that has ended, new epoch
-- Returns  1 if the room was in that epoch, else 0
if redis.call('HGET', KEYS[1], 'epoch') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2])
  return 1
end
return 0
