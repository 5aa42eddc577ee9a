-- Tells what the server does when its memory is full, and how often it has done it.
--
-- KEYS[1]  string  a key of the pod, which is not touched; on a Cluster it decides which node answers
--
-- Returns {server, max_memory, policy, evicted}: the id of the server's process; its limit in bytes, 0 for none; its
-- maxmemory-policy; and the keys that it has evicted since it started. What a server does not tell is an empty string.

local function field(section, name)
  return string.match(redis.call('INFO', section), '\n' .. name .. ':([^\r\n]*)') or ''
end

return {
  field('server', 'run_id'),
  field('memory', 'maxmemory'),
  field('memory', 'maxmemory_policy'),
  field('stats', 'evicted_keys'),
}
