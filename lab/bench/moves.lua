-- Each thread has separate clients and moves one after the other, there and back.
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
local at, pass = 0, 0
function request()
  local id = $first + number * $each + at
  local body = string.format('"to_stage":"%s","reason":"bench","expected_version":%d}',
    pass % 2 == 0 and "cleanup" or "weekly", pass)
  at = at + 1
  if at == $each then at = 0; pass = pass + 1 end
  return $request
end
