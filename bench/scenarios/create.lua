-- SPDX-License-Identifier: MIT
-- Creates tasks, which are spread over days, cases and staff members.
request = require("common").create
