/* SPDX-License-Identifier: MIT */
/* What is wrong with a request's fields, collected in the order it was found. */
#include "model/fault.h"

static const char *const names[] = {
	[FAULT_REQUIRED] = "required",   [FAULT_UNKNOWN_FIELD] = "unknown_field",
	[FAULT_TYPE] = "type",           [FAULT_FORMAT] = "format",
	[FAULT_RANGE] = "range",         [FAULT_BLANK] = "blank",
	[FAULT_TOO_LONG] = "too_long",   [FAULT_TOO_MANY] = "too_many",
	[FAULT_CONTROL] = "control",     [FAULT_CHOICE] = "choice",
	[FAULT_READ_ONLY] = "read_only", [FAULT_NOT_FOUND] = "not_found",
	[FAULT_MISMATCH] = "mismatch",   [FAULT_NOT_ALLOWED] = "not_allowed",
	[FAULT_REPEATED] = "repeated",   [FAULT_TAKEN] = "taken",
	[FAULT_IN_USE] = "in_use",
};

void faults_init(struct faults *faults, struct arena *arena)
{
	*faults = (struct faults){.arena = arena};
	faults->last = &faults->first;
}

void faults_add(struct faults *faults, const char *field, enum fault_code code, const char *format,
		...)
{
	struct fault *fault;
	va_list args;

	if (++faults->count > FAULTS_MAX)
		return;
	fault = arena_alloc(faults->arena, sizeof(*fault));
	if (!fault) {
		faults->nomem = true;
		return;
	}
	fault->code = code;
	fault->field = arena_copy(faults->arena, slice_of(field));
	va_start(args, format);
	fault->message = arena_vprintf(faults->arena, format, args);
	va_end(args);
	if (!fault->field || !fault->message) {
		faults->nomem = true;
		return;
	}
	*faults->last = fault;
	faults->last = &fault->next;
}

const char *fault_code_name(enum fault_code code)
{
	size_t at = (size_t)code;

	return at < sizeof(names) / sizeof(names[0]) && names[at] ? names[at] : "unknown";
}
