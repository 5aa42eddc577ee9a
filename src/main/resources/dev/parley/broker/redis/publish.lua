-- Accepts one message under the next offset of its room, at most once per idempotency key, and
-- announces it to the pods that read the room.
--
-- KEYS[1]  head     hash     the room's count; its fields are below
-- KEYS[2]  log      stream   the room's messages: entry ids <offset>-0, fields at (ms), body (JSON)
--                            and before (bytes that were accepted before this message)
-- KEYS[3]  receipt  string   <id> <digest of the body> of the sender's first publish under this
--                            idempotency key; absent when the publisher gave no key, as the next one
-- KEYS[4]  receipt_of_all    string  <id>: the receipt of version 0.1, one for all senders; written too while a
--                            pod of version 0.1 is subscribed, so that it knows a repeat that comes to it
-- ARGV[1]  channel      text     the room's channel, where the message is announced
-- ARGV[2]  of_all       text     the channel of all rooms; announced there too while a pod of version
--                                0.1 is subscribed to it
-- ARGV[3]  room         text     name of the room
-- ARGV[4]  body         JSON     text, from, event, ttl, verified
-- ARGV[5]  new_epoch    text     taken if an epoch begins
-- ARGV[6]  max_length   integer  messages that the log keeps, and up to a hundred more, which read.lua
--                                leaves out: Redis drops whole blocks of them ('~'), which takes half the time
-- ARGV[7]  max_age      integer  ms that the log keeps a message
-- ARGV[8]  max_bytes    integer  bytes of bodies that the log keeps
-- ARGV[9]  receipt_age  integer  ms that the receipt is kept
-- ARGV[10] publish      text     PUBLISH, or SPUBLISH on a Cluster of Redis 7 or later, where only the node
--                                that has the slot knows the channel's subscribers
-- ARGV[11] elsewhere    integer  1 if a pod of version 0.1 is subscribed to of_all at another node, else 0
--
-- Returns {id, outcome, foreign, lost_log}: outcome 0 for a new message, 1 for a repeat, 2 if the key
-- was used for another message; foreign is the number of entries of other programs that were removed;
-- lost_log is 1 if the log was gone before its time, and no script noticed it before.
--
-- Fields of the head:
--   epoch   text     the present epoch
--   offset  integer  offset of the newest message ever accepted
--   server  text     replication id of the server that counts in this epoch
--   past    text     epochs that have ended and their last offsets, oldest first, at most 64:
--                    '0:0 k3f9:5 9xx1:12'; absent in a head that version 0.1 wrote, which counts as 0:0
--   ended   text     as past, and not emptied by end-epoch.lua: the ids that this server gave, for receipts
--   lost    integer  highest offset that was lost with the log before its time; 0 or absent if none was
--   bytes   integer  bytes of bodies that were ever accepted
--   expires integer  ms: when the log ends by itself; absent in a head that version 0.1 wrote
--   first_at      integer  ms: no message of the log is older; absent if no script has looked yet
--   first_before  integer  field before of the oldest message of the log, or less
local head, log, receipt, receipt_of_all = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local channel, of_all, room, body, new_epoch = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local max_length, max_age = ARGV[6], tonumber(ARGV[7])
local max_bytes, receipt_age = tonumber(ARGV[8]), tonumber(ARGV[9])
local publish, elsewhere = ARGV[10], ARGV[11] == '1'

-- The message gets the server's time, because a pod's clock may be wrong.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Redis's replication id: each start of a server as a primary, and each promotion, draws a new one.
local server = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)') or ''

local function integer(number)
  return string.format('%d', number)
end

local state = redis.call('HMGET', head, 'epoch', 'offset', 'server', 'past', 'lost', 'bytes', 'expires',
  'first_at', 'first_before')
local epoch, offset, former_server = state[1], tonumber(state[2] or 0), state[3]
local past, lost, bytes = state[4] or '0:0', tonumber(state[5] or 0), tonumber(state[6] or 0)
local expires = tonumber(state[7] or 0)
local first_at, first_before = tonumber(state[8] or 0) or 0, tonumber(state[9] or 0) or 0
local log_exists = redis.call('EXISTS', log) == 1
local lost_log = 0
if epoch and offset > lost and not log_exists then
  -- A log that is gone earlier than it expires was deleted or evicted. A second is left for the clocks
  -- of TIME and of PEXPIRE, which differ a little. When a log ends in time, nothing is lost: the messages
  -- were too old, and their receipts go on counting. The head of version 0.1 does not say when its log
  -- expires. Its messages count as lost: published twice is better than not at all.
  lost_log = now + 1000 < expires and 1 or 0
  if lost_log == 1 or not state[7] then
    lost = offset
  end
end

-- Tells whether an id was given by this server, or by one whose count it took over, and its message was not
-- lost with the log since. The head does not say which messages a lost log had: all earlier ones count as
-- lost, also those that had left it because of their age or its size. An epoch that end-epoch.lua has ended
-- counts: no position of a client continues in it, but the messages that the log has are there.
local function is_certified(id)
  local its_epoch, its_offset = string.match(id, '^(%w+)%-(%d+)$')
  its_offset = tonumber(its_offset)
  if not epoch or not its_offset or its_offset <= lost then
    return false
  end
  if its_epoch == epoch then
    return its_offset <= offset
  end
  local ended = past .. ' ' .. (redis.call('HGET', head, 'ended') or '')
  for its_name, last in string.gmatch(ended, '(%w+):(%d+)') do
    if its_name == its_epoch then
      return its_offset <= tonumber(last)
    end
  end
  return false
end

local digest = receipt and redis.sha1hex(body)
if receipt then
  local id, its_digest = string.match(redis.call('GET', receipt) or '', '^(%S+) (%S+)$')
  -- If the message was lost since, the repeat is accepted as a new one.
  if id and is_certified(id) then
    return {id, its_digest == digest and 1 or 2, 0, 0}
  end
  -- A pod of version 0.1 may have accepted the first publish. It notes neither sender nor digest: any
  -- message under the key counts as a repeat, as it does there.
  id = redis.call('GET', receipt_of_all)
  if id and is_certified(id) then
    return {id, 1, 0, 0}
  end
end

if not epoch then
  -- The room is new, or its head was lost. In the second case a log may be left, of an epoch that is
  -- not known any more.
  epoch, offset, past, lost, bytes = new_epoch, 0, '0:0', 0, 0
  if log_exists then
    redis.call('DEL', log)
  end
elseif former_server and former_server ~= server then
  -- Another server takes over the count. The former one may have accepted messages that this one
  -- does not have, under the offsets that come next: those ids must not be given to other messages.
  past = past .. (past == '' and '' or ' ') .. epoch .. ':' .. integer(offset)
  epoch = new_epoch
  local ended = {}
  for one in string.gmatch(past, '%S+') do
    ended[#ended + 1] = one
  end
  -- Bounds the head. A client with a position in an older epoch gets a gap.
  past = table.concat(ended, ' ', math.max(1, #ended - 63))
end

offset = offset + 1
local offset_text, now_text, before = integer(offset), integer(now), integer(bytes)
local id, entry = epoch .. '-' .. offset_text, offset_text .. '-0'
local function append()
  return redis.pcall('XADD', log, 'MAXLEN', '~', max_length, entry,
    'at', now_text, 'body', body, 'before', before)
end
local function is_error(reply)
  return type(reply) == 'table' and reply.err
end

local foreign, is_rewritten = 0, false
local added = append()
if is_error(added) and string.find(added.err, 'equal or smaller', 1, true) then
  -- Another program added an entry at or above our offset, and Redis accepts no lower id after it, not
  -- even when the entry is deleted. The log is written anew with our messages alone. Only the newest
  -- 10,000 are kept, because the server answers no other command meanwhile.
  local ours = {}
  for _, one in ipairs(redis.call('XREVRANGE', log, '+', '-', 'COUNT', 10000)) do
    local its_offset = tonumber(string.match(one[1], '^(%d+)%-0$') or offset)
    if its_offset < offset then
      ours[#ours + 1] = one
    else
      foreign = foreign + 1
    end
  end
  -- Redis does not let the log be written again after DEL while the slot of its keys moves away from this
  -- node of a Cluster: there a key that does not exist counts as the next node's. The same is true of any
  -- other key without a value, so one is tried before anything is deleted. The pod sends the call again
  -- after TRYAGAIN, until the slot has moved.
  if is_error(redis.pcall('EXISTS', log .. ':absent')) then
    return redis.error_reply('TRYAGAIN the log cannot be written anew while its slot moves')
  end
  is_rewritten = true
  redis.call('DEL', log)
  for i = #ours, 1, -1 do
    redis.call('XADD', log, ours[i][1], unpack(ours[i][2]))
  end
  added = append()
end
if is_error(added) then
  return added
end

-- The head is written after the entry: if adding the entry fails, the offset was not used.
bytes = bytes + #body
redis.call('HSET', head, 'offset', offset_text, 'bytes', integer(bytes))
if epoch ~= state[1] or server ~= former_server or lost ~= tonumber(state[5]) then
  redis.call('HSET', head, 'epoch', epoch, 'server', server, 'past', past, 'lost', integer(lost))
end

-- Drops messages that are too old, at most 32 in one publish: that bounds the script's time, and drops
-- messages faster than they are added. The newest message stays. Reading the oldest one costs as much as
-- a third of the script, so it is read when it may be too old by what the head says of it, and the head is
-- corrected then. What is beyond the bytes is dropped with these 32. It may be more of them: a long message
-- takes the place of thousands of short ones, and drop_bytes drops the rest.
local function time_and_bytes(one)
  local fields = one[2]
  return fields[1] == 'at' and tonumber(fields[2]), fields[5] == 'before' and tonumber(fields[6])
end
-- What version 0.1 wrote has no field before. It counts as accepted together with the message behind it,
-- or before all others if none of those that were read has the field: it must not keep the messages
-- behind it in a room that is full.
local function bytes_before(entries, i)
  for j = i, #entries do
    local _, before = time_and_bytes(entries[j])
    if before then
      return before
    end
  end
  return 0
end
local function is_expired(entries, i)
  if entries[i][1] == entry then
    return false
  end
  local at = time_and_bytes(entries[i])
  -- An entry without a time was written by another program; it is dropped when it is the oldest.
  return not at or at <= now - max_age or bytes - bytes_before(entries, i) > max_bytes
end
-- Returns the field before of the first message at or after an offset that has it; nil if none near it has.
local function bytes_before_offset(number)
  for _, count in ipairs({1, 8}) do
    for _, one in ipairs(redis.call('XRANGE', log, integer(number), '+', 'COUNT', count)) do
      local _, before = time_and_bytes(one)
      if before then
        return before
      end
    end
  end
end
-- Drops what is beyond the bytes and comes after these entries, all of which are. The first message that stays
-- is found by bisection, because the field before rises with the offsets. One publish drops the bytes that it
-- adds and 1 MiB more at least, and not much more, so that a bound that was lowered does not stop the server
-- for long; the next ones drop what is left, and read.lua leaves it out meanwhile. What version 0.1 wrote has no
-- such field and stays here, so it is dropped 32 at a time, when it is the oldest. pcall, because an account
-- with the rights for 0.1 may lack XTRIM: then more stays for the next publishes.
local function drop_bytes(dropped)
  local beyond = math.min(bytes - max_bytes, bytes_before(dropped, 1) + #body + 1048576)
  local low, high = tonumber(string.match(dropped[#dropped][1], '^%d+')) + 1, offset
  while low < high do
    local middle = math.floor((low + high) / 2)
    local before = bytes_before_offset(middle)
    if before and before < beyond then
      low = middle + 1
    else
      high = middle
    end
  end
  redis.pcall('XTRIM', log, 'MINID', integer(low))
end
if first_at <= now - max_age or bytes - first_before > max_bytes then
  local expired = {}
  local oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)
  if is_expired(oldest, 1) then
    oldest = redis.call('XRANGE', log, '-', '+', 'COUNT', 32)
  end
  for i, one in ipairs(oldest) do
    if not is_expired(oldest, i) then
      -- What another program wrote may be any number, and a time that has not come.
      local at = time_and_bytes(one)
      redis.call('HSET', head, 'first_at', integer(math.min(at, now)),
        'first_before', integer(bytes_before(oldest, i)))
      break
    end
    expired[#expired + 1] = one[1]
  end
  if #expired > 0 then
    redis.call('XDEL', log, unpack(expired))
  end
  local _, last_before = time_and_bytes(oldest[#oldest])
  if #expired == #oldest and last_before and bytes - last_before > max_bytes then
    drop_bytes(oldest)
  end
end

-- Both keys last at least as long as their newest message. They are given a hundredth more, so that not
-- each publish has to tell it to Redis, its replicas and its append-only file. The head lasts as long as the
-- receipts too, which are worth nothing without it. And it lasts an hour in any case: where messages last for
-- seconds only, the pods that read the room would otherwise see it begin anew after each pause, before they
-- read it again (parley.log.audit) and so keep it.
local ends, more = now + max_age, math.ceil(max_age / 100)
if not log_exists or is_rewritten or expires < ends or expires > ends + more then
  redis.call('HSET', head, 'expires', integer(ends + more))
  redis.call('PEXPIRE', head, math.max(math.max(max_age, receipt_age) + more, 3600000))
  redis.call('PEXPIRE', log, max_age + more)
end

-- Pods of this version receive the channel of all rooms by a pattern, which is not counted here.
local subscribed = redis.pcall('PUBSUB', 'NUMSUB', of_all)
local has_0_1 = elsewhere or not is_error(subscribed) and subscribed[2] > 0
if receipt then
  redis.call('SET', receipt, id .. ' ' .. digest, 'PX', integer(receipt_age))
  if has_0_1 then
    redis.call('SET', receipt_of_all, id, 'PX', integer(receipt_age))
  end
end
local announcement = room .. ' ' .. id .. ' ' .. now_text .. ' ' .. body
redis.call(publish, channel, announcement)
if has_0_1 then
  redis.call('PUBLISH', of_all, announcement)
end
return {id, 0, foreign, lost_log}
