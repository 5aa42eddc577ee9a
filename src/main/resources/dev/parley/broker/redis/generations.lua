-- Notes at a server which list of servers is in force, and returns all lists that were noted there. Each
-- list has a number, its generation.
--
-- KEYS[1]  servers  hash  id: random, names this hash; name: the server's; generations: the lists with
--                         their numbers, oldest first, such as '1:a,b 2:a,b,c'; peers: what the other
--                         servers had noted when pods looked last, such as 'b:k3f9:2'
-- ARGV[1] name      text     the name of this server in the list
-- ARGV[2] list      text     names in alphabetical order, with commas in between
-- ARGV[3] new_id    text     taken if nothing is noted yet
-- ARGV[4] mode      text     'join' puts the list in force; 'refresh' only if nothing is noted yet;
--                            'peers' notes what the other servers have noted; 'return' does that too, for
--                            a server that was off the list, and begins a generation without a past
-- ARGV[5] expected  integer  'peers' and 'return' do nothing in another generation
-- ARGV[6] peers     text     as above
--
-- Returns {id, generations, peers}
local servers = KEYS[1]
local name, list, new_id, mode = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local expected, new_peers = ARGV[5], ARGV[6]

local noted = redis.call('HMGET', servers, 'id', 'name', 'generations', 'peers')
local id, former_name, generations, peers = noted[1], noted[2], noted[3], noted[4] or ''
if not id then
  id, generations = new_id, '1:' .. list
  redis.call('HSET', servers, 'id', id, 'name', name, 'generations', generations)
  return {id, generations, ''}
end

local number, newest = string.match(generations, '(%d+):(%S*)$')
local next_entry = string.format('%d', tonumber(number) + 1) .. ':' .. list
local is_present = newest == list and former_name == name

if mode == 'join' and not is_present then
  if former_name ~= name then
    -- Under another name the server had other rooms, so nothing is known of its present ones.
    generations, peers = next_entry, ''
  else
    local kept = {}
    for one in string.gmatch(generations .. ' ' .. next_entry, '%S+') do
      kept[#kept + 1] = one
    end
    -- Bounds the hash. Readers of rooms that were here for longer than all lists that are left get a gap.
    -- Half of the lists go at a time, so that they do not get one with each further list.
    generations = table.concat(kept, ' ', #kept > 256 and #kept - 127 or 1)
  end
  redis.call('HSET', servers, 'name', name, 'generations', generations, 'peers', peers)
elseif is_present and number == expected then
  peers = new_peers
  if mode == 'return' then
    generations = next_entry
  end
  redis.call('HSET', servers, 'generations', generations, 'peers', peers)
end
return {id, generations, peers}
