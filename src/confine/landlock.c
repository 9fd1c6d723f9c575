/* SPDX-License-Identifier: MIT */
/* Limits which files the process can open and whom it can signal, by Landlock (landlock(7)). libc
 * has no functions for its system calls. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "confine_private.h"

/* The headers of Debian 12 do not have them. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif
#define SCOPES_SINCE 6

/* struct landlock_ruleset_attr of version 6. A kernel whose own is smaller wants the rest to be
 * 0. */
struct ruleset {
	uint64_t files, net, scoped;
};

#define FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* What each version can deny. docket denies all of it, and allows parts. */
static const struct {
	int since;
	uint64_t access;
} versions[] = {
	{1, FILES | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
		    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
		    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
		    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
		    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
		    LANDLOCK_ACCESS_FS_MAKE_SYM},
	/* Version 1 always denies renames between folders; docket copies then. */
	{2, LANDLOCK_ACCESS_FS_REFER},
	{3, LANDLOCK_ACCESS_FS_TRUNCATE},
	{5, LANDLOCK_ACCESS_FS_IOCTL_DEV},
};

static const struct {
	enum confine_right right;
	uint64_t access;
} rights[] = {
	{CONFINE_READ, FILES},
	{CONFINE_WRITE, FILES | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |
				LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
				LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
				LANDLOCK_ACCESS_FS_REFER},
	{CONFINE_SOCKETS, LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE},
	{CONFINE_RMDIR, LANDLOCK_ACCESS_FS_REMOVE_DIR},
	{CONFINE_CHANGE, LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE},
};

/* A rule for a file must not have those that are for folders. */
#define FILE_ACCESS \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE)

int landlock_version(void)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return version > 0 ? (int)version : 0;
}

static uint64_t version_access(int version)
{
	uint64_t access = 0;

	for (size_t i = 0; i < COUNT_OF(versions); i++)
		if (version >= versions[i].since)
			access |= versions[i].access;
	return access;
}

static uint64_t rights_access(unsigned given)
{
	uint64_t access = 0;

	for (size_t i = 0; i < COUNT_OF(rights); i++)
		if (given & rights[i].right)
			access |= rights[i].access;
	return access;
}

static enum err landlock_blame(struct buf *why, const char *what, const char *path)
{
	buf_printf(why, "cannot limit which files docket can open: %s%s: %s", what, path,
		   strerror(errno));
	return ERR_IO;
}

/* A path that is not there is left out. So is one that this user cannot reach, and one of which
 * Landlock knows nothing (EBADFD), such as a pipe in /proc. */
static enum err rule_add(int rules, const struct confine_path *path, uint64_t known,
			 struct buf *why)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = rights_access(path->rights) & known,
		.parent_fd = open(path->path, O_PATH | O_CLOEXEC)};
	struct stat status;
	enum err err = OK;

	if (rule.parent_fd < 0)
		return OK;
	if (fstat(rule.parent_fd, &status) == 0 && !S_ISDIR(status.st_mode))
		rule.allowed_access &= FILE_ACCESS;
	if (rule.allowed_access &&
	    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) &&
	    errno != EBADFD)
		err = landlock_blame(why, "a rule for ", path->path);
	close(rule.parent_fd);
	return err;
}

enum err landlock_apply(const struct confine_list *list, int version, struct buf *why)
{
	const struct ruleset attributes = {.files = version_access(version),
					   .scoped = version >= SCOPES_SINCE ? LANDLOCK_SCOPE_SIGNAL
									     : 0};
	int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	enum err err = OK;

	if (rules < 0)
		return landlock_blame(why, "landlock_create_ruleset", "");
	for (const struct confine_path *path = list->first; path && !err; path = path->next)
		err = rule_add(rules, path, attributes.files, why);
	if (!err && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		     syscall(SYS_landlock_restrict_self, rules, 0)))
		err = landlock_blame(why, "landlock_restrict_self", "");
	close(rules);
	return err;
}
