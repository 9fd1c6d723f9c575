-- SPDX-License-Identifier: MIT
-- 40 % lists, each followed by the count of the same filters; 30 % reads by id; 15 % creates; 15 % changes.
local common = require("common")
local counted

function request()
	local dice = math.random(100)
	if counted then
		local filters = counted
		counted = nil
		return common.count(filters)
	elseif dice <= 40 then
		counted = common.hot_window()
		return common.list(counted)
	elseif dice <= 70 then
		return common.get()
	elseif dice <= 85 then
		return common.create()
	end
	return common.patch()
end
