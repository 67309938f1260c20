-- Calls of many moves each, of clients that did not move yet.
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
local at = 0
function request()
  local items = {}
  for n = 1, $batch do
    items[n] = string.format('{"client_id":%d,"to_stage":"%s","reason":"bench","expected_version":%d}',
      $first + number * $each + at, "cleanup", 0)
    at = at + 1
  end
  return wrk.format("POST", "/rpc/set_stages", nil, '{"items":[' .. table.concat(items, ",") .. ']}')
end
function response(status, headers, body)
  if not body:find('"refused" : 0', 1, true) then print("Non-2xx: a move was refused") end
end
