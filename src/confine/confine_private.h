/* SPDX-License-Identifier: MIT */
/* The two parts of the confinement, and the tables of system calls. */
#ifndef CONFINE_CONFINE_PRIVATE_H
#define CONFINE_CONFINE_PRIVATE_H

#include <seccomp.h>

#include "confine/confine.h"

/* The version of Landlock in this kernel. 0: it has none, or docket may not use it. */
int landlock_version(void);

/* Limits the process to the files of the list. `version` is that of landlock_version(), at least
 * 1. */
enum err landlock_apply(const struct confine_list *list, int version, struct buf *why);

/* Whether this kernel has filters of system calls. */
bool seccomp_exists(void);

/* Limits the process to the system calls of the tables. */
enum err seccomp_apply(struct buf *why);

/* A system call that depends on an argument. */
struct call_rule {
	const char *name;
	struct scmp_arg_cmp compare;
	uint16_t error; /* an errno; 0: it is allowed */
};

/* Names of system calls; not every architecture has them all. NULL ends a table. */
extern const char *const calls_allowed[];
/* Those that fail with EPERM. All that are in no table fail with ENOSYS, as if the kernel did not
 * have them: then a library does without. */
extern const char *const calls_refused[];
/* `name` NULL ends the table. */
extern const struct call_rule call_rules[];

#endif
