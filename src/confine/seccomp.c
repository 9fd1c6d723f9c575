/* SPDX-License-Identifier: MIT */
/* Limits which system calls the process can make, by a filter that libseccomp writes. */
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "confine_private.h"

/* The kernel looks at the filter after it has looked whether it knows the kind. */
bool seccomp_exists(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) < 0 && errno == EFAULT;
}

/* Adds a rule for a system call with at most one comparison. 0, or a negative errno. Names that
 * this library does not know are left out. */
static int filter_add(scmp_filter_ctx filter, uint32_t action, const char *name,
		      const struct scmp_arg_cmp *compare)
{
	int number = seccomp_syscall_resolve_name(name);

	return number == __NR_SCMP_ERROR
		       ? 0
		       : seccomp_rule_add_array(filter, action, number, compare != NULL, compare);
}

static int filter_add_all(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
	int error = 0;

	while (*names && !error)
		error = filter_add(filter, action, *names++, NULL);
	return error;
}

static int filter_add_rules(scmp_filter_ctx filter, const struct call_rule *rules)
{
	int error = 0;

	for (; rules->name && !error; rules++)
		error = filter_add(filter,
				   rules->error ? SCMP_ACT_ERRNO(rules->error) : SCMP_ACT_ALLOW,
				   rules->name, &rules->compare);
	return error;
}

/* The defaults of libseccomp kill a process that makes a call of another architecture, and make
 * some kernels slow down every branch of a process with a filter. Old kernels do not know the
 * latter. */
static int filter_set(scmp_filter_ctx filter)
{
	int error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));

	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return error;
}

enum err seccomp_apply(struct buf *why)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	int error = filter ? filter_set(filter) : -ENOMEM;

	if (!error)
		error = filter_add_all(filter, SCMP_ACT_ALLOW, calls_allowed);
	if (!error)
		error = filter_add_all(filter, SCMP_ACT_ERRNO(EPERM), calls_refused);
	if (!error)
		error = filter_add_rules(filter, call_rules);
	if (!error)
		error = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	if (!error)
		return OK;
	buf_printf(why, "cannot limit which system calls docket can make: %s", strerror(-error));
	return ERR_IO;
}
