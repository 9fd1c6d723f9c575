/* SPDX-License-Identifier: MIT */
/* The tables of parameters. The filters of a list are in the lists of its kind of record. */
#include "api_private.h"

static const char *const directions[] = {"asc", "desc", NULL};
static const char *const modes[] = {"count", NULL};
static const char *const switches[] = {"0", "1", NULL};

/* clang-format off */
const struct parameter list_parameters[] = {
	[LIST_PAGE] = {"page", PARAMETER_INTEGER, .least = 1, .most = INT64_MAX, .preset = 1,
		.help = "the number of the page. Do not export by counting it up: when others delete "
			"records meanwhile, later records move to earlier pages. Follow the link `next` "
			"instead"},
	[LIST_PER_PAGE] = {"per_page", PARAMETER_INTEGER, .least = 1, .most = 500, .preset = 100,
		.help = "how many records a page has at most"},
	[LIST_SORT] = {"sort", PARAMETER_SORT,
		.help = "what the records are sorted by. Records with the same value are sorted by "
			"`id`; those without a value come last"},
	[LIST_DIR] = {"dir", PARAMETER_CHOICE, .choices = directions,
		.help = "ascending or descending"},
	[LIST_MODE] = {"mode", PARAMETER_CHOICE, .choices = modes, .preset = -1,
		.help = "with `count` the answer is how many records there are, instead of the records"},
	[LIST_AFTER] = {"after", PARAMETER_TEXT,
		.help = "a cursor, which you take from the link `next`: the page begins after the record "
			"that it names. It is for one sort, one direction and the same filters. It cannot "
			"be combined with `page`"},
	[LIST_EXPAND] = {"expand", PARAMETER_EXPAND,
		.help = "which related records are added to each record. `none` adds none, also if the "
			"account adds some by default"},
	{NULL},
};

const struct parameter history_parameters[] = {
	[HISTORY_SINCE] = {"since", PARAMETER_INTEGER, .least = 0, .most = INT64_MAX, .preset = 0,
		.help = "a change number: the answer has only what changed after it"},
	[HISTORY_PER_PAGE] = {"per_page", PARAMETER_INTEGER, .least = 1, .most = 500, .preset = 100,
		.help = "how many entries the answer has at most"},
	{NULL},
};

const struct parameter changes_parameters[] = {
	[HISTORY_SINCE] = {"since", PARAMETER_INTEGER, .least = 0, .most = INT64_MAX, .preset = 0,
		.help = "the `last` of an answer, or 0: the answer has the changes after it"},
	{NULL},
};

const struct parameter write_parameters[] = {
	{"dry_run", PARAMETER_CHOICE, .choices = switches, .preset = 0,
		.help = "with `1` the request is checked and answered, and nothing is stored"},
	{NULL},
};
/* clang-format on */
