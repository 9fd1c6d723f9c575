/* SPDX-License-Identifier: MIT */
/* Confines the process for the rest of its life: Landlock limits which files it can open, a seccomp
 * filter which system calls it can make. Nothing is killed: what is denied fails with an errno.
 *
 *	struct confine_list list = {0};
 *	struct confine_state state;
 *	struct buf why = {0};
 *
 *	confine_add_system(&list);
 *	confine_add(&list, "/var/lib/docket", CONFINE_ITSELF, CONFINE_WRITE);
 *	err = confine_process(&list, &state, &why);
 *	if (err)
 *		log_line("%.*s", (int)why.len, why.ptr);
 *	confine_list_release(&list);
 *
 * Threads that exist already are not confined, so call it before the first. */
#ifndef CONFINE_CONFINE_H
#define CONFINE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* What the process may do with a file, or with all files below a folder. */
enum confine_right {
	CONFINE_READ = 1 << 0,    /* read files and list folders */
	CONFINE_WRITE = 1 << 1,   /* the same, and make, change, rename and remove them */
	CONFINE_SOCKETS = 1 << 2, /* make sockets, and remove files */
	CONFINE_RMDIR = 1 << 3,   /* remove folders */
	CONFINE_CHANGE = 1 << 4,  /* read files and write into them */
};

/* Landlock's rules belong to the file or folder that has a path when the process is confined, and
 * not to one that gets the path later. So the rule may have to be for a folder above. A rule for
 * "/" would allow everything: the path itself gets the rule then. */
enum confine_scope {
	CONFINE_ITSELF,
	/* The folder of a file that others replace: that of the path, and that of the file to which
	 * symbolic links lead. */
	CONFINE_FOLDER,
	/* A folder outside docket's own, to which it writes. If it is a mount point, the rule is
	 * for the folder above, because the disk may be mounted again. If it does not exist, the
	 * rule is for the nearest existing folder above. */
	CONFINE_TARGET,
};

struct confine_path {
	struct confine_path *next;
	const char *path;
	const char *instead_of; /* of CONFINE_TARGET: the path that was given; else NULL */
	unsigned rights;        /* of enum confine_right */
};

/* Zeroed: nothing is allowed. */
struct confine_list {
	struct arena arena;
	struct confine_path *first, *last;
	bool failed; /* memory ran out */
};

/* Appends what the rule for `path` allows; NULL is accepted. `rights` are of enum confine_right.
 * The path is copied. */
void confine_add(struct confine_list *list, const char *path, enum confine_scope scope,
		 unsigned rights);

/* Appends what every process needs: libraries, the resolver and the other databases of libc,
 * certificates of CAs, time zones, the process's own state in /proc. */
void confine_add_system(struct confine_list *list);

void confine_list_release(struct confine_list *list);

enum confine_status {
	CONFINE_OFF, /* not wanted, or this program has a sanitizer, which needs more */
	CONFINE_UNSUPPORTED,
	CONFINE_ON,
	CONFINE_STATUSES,
};

struct confine_state {
	enum confine_status landlock, seccomp;
	int landlock_abi; /* the version of Landlock in the kernel; 0: it has none */
};

/* "on" and so on. */
const char *confine_status_text(enum confine_status status);

/* Confines the process: it can open the files of the list, connect and listen with sockets of IPv4,
 * IPv6 and Unix, and make threads. It can signal itself only, if Landlock has version 6. Files that
 * are open already stay so. Paths that do not exist are left out. A kernel without Landlock or
 * without seccomp is no error, and a line in the log says so. On an error `why` has a message, and
 * the process may be confined in part. */
enum err confine_process(const struct confine_list *list, struct confine_state *state_out,
			 struct buf *why);

#endif
