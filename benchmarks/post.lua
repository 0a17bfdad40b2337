-- A load of POSTs for wrk, each with an event id of its own.
-- Arguments: path, file of bodies (one a line), key, prefix of the ids, how many ids before they repeat.
-- The path or the bodies hold the mark @ID@; ids have one length, so that requests are cut and pasted.

local MARK = "@ID@"
local heads, tails, sent, prefix, count = {}, {}, 0, "", 1

function init(arguments)
  local path, bodies, key = arguments[1], arguments[2], arguments[3]
  prefix, count = arguments[4], tonumber(arguments[5])
  local headers = {
    ["Ocp-Apim-Subscription-Key"] = key,
    ["Content-Type"] = "application/json",
  }
  local blank = string.rep("~", #prefix + 10)
  for body in io.lines(bodies) do
    local request = wrk.format("POST", path:gsub(MARK, blank), headers, (body:gsub(MARK, blank)))
    local first, last = request:find(blank, 1, true)
    heads[#heads + 1] = request:sub(1, first - 1)
    tails[#tails + 1] = request:sub(last + 1)
  end
end

function request()
  local body = sent % #heads + 1
  local id = string.format("%s%010d", prefix, sent % count)
  sent = sent + 1
  return heads[body] .. id .. tails[body]
end

function done(summary, latency, requests)
  local failed = summary.errors
  io.write(string.format(
    '{"requests":%d,"duration_us":%d,"refused":%d,"broken":%d,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.duration, failed.status,
    failed.connect + failed.read + failed.write + failed.timeout,
    latency:percentile(50), latency:percentile(99)))
end
