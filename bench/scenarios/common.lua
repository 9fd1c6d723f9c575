-- SPDX-License-Identifier: MIT
-- What the scenarios share: values from the command line, the requests, and the result as one line of JSON.
--
--     wrk -s get.lua URL -- seed=1 access=TOKEN tasks=1000000 cases=25002 staff=203 first=20100 today=20800 span=7
--
-- Days count from 1970-01-01. `first` is the day from which on all days have many due tasks. `span` is the
-- number of days of a list. Every thread of wrk has its own random numbers, which follow from `seed`.
local random = math.random
local FIRST_CASE = 245
local HOT_DAYS = 30 -- a hot window begins on one of the last days
local DAYS = 365 -- a new task is due within so many days before or after today
local STATUSES = {"none", "needs_action", "in_progress", "complete"}
local VERBS = {"Call", "Interview", "Photograph", "Review the file of", "Locate", "Write to", "Serve",
	"Follow up with"}
local WHOM = {"the claimant", "a witness", "the neighbour", "counsel", "the employer", "the driver",
	"the landlord", "the bank"}
local CREATE = '{"task":{"casefile_id":%d,"calendar_id":1,"due_on":"%s","users_list":[%s],"title":"%s %s %d",'
	.. '"body":"Ask for the signed statement and note the time of the call."}}'
local PATCH = '{"task":{"status":"%s","due_on":"%s"}}'

local common, given, dates, head, threads = {}, {}, {}, nil, 0

function setup(thread)
	threads = threads + 1
	thread:set("number", threads)
end

function init(args)
	for _, arg in ipairs(args) do
		local name, value = arg:match("^(%w+)=(.*)$")
		given[name] = tonumber(value) or value
	end
	math.randomseed(given.seed * 100 + number)
	for day = math.min(given.first, given.today - DAYS), given.today + DAYS + given.span do
		dates[day] = os.date("!%Y-%m-%d", day * 86400)
	end
	head = " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic " .. given.access .. "\r\n"
end

local function get(path)
	return "GET /api/v1/tasks" .. path .. head .. "\r\n"
end

local function send(method, path, body)
	return method .. " /api/v1/tasks" .. path .. head .. "Content-Type: application/json\r\nContent-Length: "
		.. #body .. "\r\n\r\n" .. body
end

local function due_day()
	return dates[given.today - DAYS + random(2 * DAYS)]
end

local function window(status, begin)
	return "?status=" .. status .. "&due_from=" .. dates[begin] .. "&due_to=" .. dates[begin + given.span - 1]
end

function common.hot_window()
	return window("needs_action", given.today - random(HOT_DAYS))
end

-- Nearly all tasks that were due long ago are complete.
function common.any_window()
	return window("complete", given.first + random(given.today - given.first) - 1)
end

function common.get()
	return get("/" .. random(given.tasks))
end

function common.list(filters)
	return get(filters .. "&sort=due_on&per_page=100")
end

function common.count(filters)
	return get(filters .. "&mode=count")
end

-- Spread over days, cases and staff; half of the tasks have two staff members.
function common.create()
	local user = random(given.staff)
	local users = user < given.staff and random(2) == 2 and user .. "," .. user + 1 or user
	return send("POST", "", CREATE:format(FIRST_CASE - 1 + random(given.cases), due_day(), users,
		VERBS[random(#VERBS)], WHOM[random(#WHOM)], random(10000)))
end

function common.patch()
	return send("PATCH", "/" .. random(given.tasks), PATCH:format(STATUSES[random(#STATUSES)], due_day()))
end

-- Times are in ms.
function done(summary, latency)
	local bad = summary.errors
	io.write(string.format(
		'\n{"rate": %.1f, "mb_s": %.1f, "p50": %.3f, "p99": %.3f, "p999": %.3f, "max": %.3f, "requests": %d,'
		.. ' "failed": %d}\n',
		summary.requests / summary.duration * 1e6, summary.bytes / summary.duration,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency:percentile(99.9) / 1000,
		latency.max / 1000, summary.requests, bad.connect + bad.read + bad.write + bad.status + bad.timeout))
end

return common
