/* SPDX-License-Identifier: MIT */
/* Tallies: how many tasks of each block of ids have a value. The table task_tally has them, and
 * task_tally_sum those of large blocks. Every change of a task changes them in its transaction. */
#ifndef MODEL_TALLY_H
#define MODEL_TALLY_H

/* How many ids a block has: block b has the ids from b * TALLY_BLOCK on. */
#define TALLY_BLOCK 4096
/* The same of a large block. */
#define TALLY_LARGE_BLOCK (32 * TALLY_BLOCK)

/* The numbers are stored. */
enum tally_field {
	TALLY_STATUS,
	TALLY_CALENDAR,
	TALLY_ALERT, /* 1: the task has an alert_at; 0: it has none */
	TALLY_FIELDS,
};

#endif
