-- Makes wrk end after so many answers, with nothing in flight, and print how many had which status.
-- Arguments: how many requests, and how many of them are sent at once on a connection.

local total, depth, issued, answered = 0, 1, 0, 0
local statuses = {}
local pipeline

function init(arguments)
  total, depth = tonumber(arguments[1]), tonumber(arguments[2])
  wrk.method = "POST"
  pipeline = string.rep(wrk.format(), depth)
end

-- wrk asks before each of its requests how many ms to wait: with all of them issued, for ever.
function delay()
  if issued >= total then return 1e9 end
  issued = issued + depth
  return 0
end

function request() return pipeline end

function response(status)
  statuses[status] = (statuses[status] or 0) + 1
  answered = answered + 1
  if answered == total then
    for each, times in pairs(statuses) do print(string.format("[%d] %d responses", each, times)) end
    io.stdout:flush()
    os.exit(0)
  end
end
