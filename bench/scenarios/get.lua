-- SPDX-License-Identifier: MIT
-- Reads one record, by a random id.
request = require("common").get
