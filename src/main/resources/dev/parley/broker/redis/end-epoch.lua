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

local state = redis.call('HMGET', head, 'epoch', 'offset', 'past', 'ended')
if state[1] ~= ended then
  return 0
end
-- For the receipts of messages that the log still has. The newest 64 epochs are kept.
local epochs = {}
local text = (state[4] or '') .. ' ' .. (state[3] or '') .. ' ' .. ended .. ':' .. (state[2] or '0')
for one in string.gmatch(text, '%S+') do
  epochs[#epochs + 1] = one
end
redis.call('HSET', head, 'epoch', new_epoch, 'past', '',
  'ended', table.concat(epochs, ' ', math.max(1, #epochs - 63)))
return 1
