-- Notes at a server which list of servers is in force, and returns all lists that were noted there. Each
-- list has a number, its generation.
--
-- KEYS[1]  servers  hash  id: random, names this hash; name: the server's; generations: the lists with
--                         their numbers, oldest first, such as '1:a,b 2:a,b,c'
-- ARGV[1]  name    text  the name of this server in the list
-- ARGV[2]  list    text  names in alphabetical order, with commas in between
-- ARGV[3]  new_id  text  taken if nothing is noted yet
-- ARGV[4]  mode    text  'join' puts the list in force; 'look' does so only if nothing is noted yet
--
-- Returns {id, generations}
local servers = KEYS[1]
local name, list, new_id, mode = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local noted = redis.call('HMGET', servers, 'id', 'name', 'generations')
local id, former_name, generations = noted[1], noted[2], noted[3]
if not id then
  id, generations = new_id, '1:' .. list
  redis.call('HSET', servers, 'id', id, 'name', name, 'generations', generations)
  return {id, generations}
end

local number, newest = string.match(generations, '(%d+):(%S*)$')
if mode == 'look' or (newest == list and former_name == name) then
  return {id, generations}
end
local entry = string.format('%d', tonumber(number) + 1) .. ':' .. list
if former_name ~= name then
  -- Under another name the server had other rooms, so nothing is known of its present ones.
  generations = entry
else
  generations = generations .. ' ' .. entry
  local kept = {}
  for one in string.gmatch(generations, '%S+') do
    kept[#kept + 1] = one
  end
  -- Bounds the hash. Rooms that were here for longer than all lists that are left get a gap, once.
  generations = table.concat(kept, ' ', math.max(1, #kept - 255))
end
redis.call('HSET', servers, 'name', name, 'generations', generations)
return {id, generations}
