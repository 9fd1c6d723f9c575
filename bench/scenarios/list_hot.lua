-- SPDX-License-Identifier: MIT
-- Lists 100 tasks by due date, with a status and a range of due dates. All ranges begin in the last days.
local common = require("common")

function request()
	return common.list(common.hot_window())
end
