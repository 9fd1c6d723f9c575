/* SPDX-License-Identifier: MIT */
/* Reads dry_run, which every write takes. With dry_run=1 the request is answered, and nothing is
 * stored. */
#include "api_private.h"
#include "base/text.h"

enum err write_read_params(struct call *call)
{
	const char **names = parameter_names(call, write_parameters, 0);
	bool sent = false;

	if (!names)
		return ERR_NOMEM;
	for (const struct param *param = call->params; param; param = param->next) {
		if (strcmp(param->name, names[0]) != 0)
			params_unknown(call, param, names);
		else if (sent)
			faults_add(&call->faults, param->name, FAULT_REPEATED, "is given twice");
		else if (slice_is(param->value, "1") || slice_is(param->value, "0"))
			call->dry_run = slice_is(param->value, "1");
		else
			faults_add(&call->faults, param->name, FAULT_CHOICE,
				   "must be 0 or 1; got \"%s\"",
				   text_shown(&call->http->arena, param->value, SHOWN_CHARS));
		sent |= strcmp(param->name, names[0]) == 0;
	}
	return OK;
}
