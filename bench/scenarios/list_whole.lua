-- SPDX-License-Identifier: MIT
-- Lists 100 tasks by due date, with a status and a range of due dates. The ranges lie anywhere in the account.
local common = require("common")

function request()
	return common.list(common.any_window())
end
