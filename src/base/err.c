/* SPDX-License-Identifier: MIT */
/* The text for each error, in the log and on the command line. */
#include "base/err.h"

#include <stddef.h>

#include "base/array.h"

static const char *const texts[] = {
	[OK] = "no error",
	[ERR_NOMEM] = "out of memory",
	[ERR_NOT_FOUND] = "not found",
	[ERR_EXISTS] = "exists already",
	[ERR_BUSY] = "busy",
	[ERR_IN_PROGRESS] = "is already running",
	[ERR_TIMEOUT] = "took too long",
	[ERR_FULL] = "no room left on the disk",
	[ERR_IO] = "the storage failed",
	[ERR_UNKNOWN_STATE] = "the storage failed, and its state is unknown",
	[ERR_UNREACHABLE] = "the database cannot be reached",
	[ERR_COMMIT_UNKNOWN] =
		"the connection was lost during the commit: the change may be stored or not",
	[ERR_CORRUPT] = "the stored data is damaged",
	[ERR_SCHEMA] = "the database is of another version of docket",
	[ERR_CONSTRAINT] = "a rule of the schema forbids it",
	[ERR_INVALID] = "invalid argument",
	[ERR_STOPPED] = "the program is stopping",
	[ERR_INTERNAL] = "a bug in docket",
};

const char *err_text(enum err err)
{
	size_t at = (size_t)err;

	if (at >= COUNT_OF(texts) || !texts[at])
		return "unknown error";
	return texts[at];
}
