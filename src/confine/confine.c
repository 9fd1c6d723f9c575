/* SPDX-License-Identifier: MIT */
/* Applies the limits that the kernel supports. */
#include "confine_private.h"

#include "base/log.h"

const char *confine_status_text(enum confine_status status)
{
	static const char *const texts[CONFINE_STATUSES] = {
		[CONFINE_OFF] = "off", [CONFINE_UNSUPPORTED] = "unsupported", [CONFINE_ON] = "on"};

	return texts[status];
}

static void confine_log_targets(const struct confine_list *list)
{
	for (const struct confine_path *path = list->first; path; path = path->next)
		if (path->instead_of)
			log_line("docket can write into all of %s, because %s is a mount point or "
				 "does not exist yet",
				 path->path, path->instead_of);
}

/* Landlock comes first: the filter does not allow its system calls. */
static enum err confine_apply(const struct confine_list *list, struct confine_state *state,
			      struct buf *why)
{
	enum err err = OK;

	state->landlock_abi = landlock_version();
	state->landlock = state->landlock_abi ? CONFINE_ON : CONFINE_UNSUPPORTED;
	state->seccomp = seccomp_exists() ? CONFINE_ON : CONFINE_UNSUPPORTED;
	if (state->landlock == CONFINE_ON)
		err = landlock_apply(list, state->landlock_abi, why);
	else
		log_line("Landlock does not limit which files docket opens: this kernel does not "
			 "have it, or something refuses it");
	if (err)
		return err;
	if (state->landlock == CONFINE_ON)
		confine_log_targets(list);
	if (state->seccomp == CONFINE_ON)
		return seccomp_apply(why);
	log_line("seccomp does not limit which system calls docket makes: this kernel does not "
		 "have it");
	return OK;
}

enum err confine_process(const struct confine_list *list, struct confine_state *state_out,
			 struct buf *why)
{
	struct confine_state state = {0};
	enum err err = OK;

	if (list->failed)
		return ERR_NOMEM;
#ifdef DOCKET_SANITIZED
	(void)why;
	(void)confine_apply;
#else
	err = confine_apply(list, &state, why);
#endif
	if (!err)
		*state_out = state;
	return err;
}
