/* SPDX-License-Identifier: MIT */
/* What is wrong with a request's fields, collected in the order it was found. */
#include "model/fault.h"

/* What is wrong with the form of a request comes before what is wrong with its values, and these
 * before what only the other records forbid: a mistyped name is often why another is missing. */
static const struct {
	const char *name;
	int rank;
} codes[] = {
	[FAULT_UNKNOWN_FIELD] = {"unknown_field", 1},
	[FAULT_REQUIRED] = {"required", 2},
	[FAULT_TYPE] = {"type", 3},
	[FAULT_FORMAT] = {"format", 4},
	[FAULT_CHOICE] = {"choice", 4},
	[FAULT_RANGE] = {"range", 4},
	[FAULT_BLANK] = {"blank", 4},
	[FAULT_TOO_LONG] = {"too_long", 4},
	[FAULT_TOO_MANY] = {"too_many", 4},
	[FAULT_CONTROL] = {"control", 4},
	[FAULT_REPEATED] = {"repeated", 4},
	[FAULT_READ_ONLY] = {"read_only", 5},
	[FAULT_NOT_ALLOWED] = {"not_allowed", 5},
	[FAULT_NOT_FOUND] = {"not_found", 6},
	[FAULT_MISMATCH] = {"mismatch", 7},
	[FAULT_TAKEN] = {"taken", 7},
	[FAULT_IN_USE] = {"in_use", 7},
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
	return codes[code].name;
}

int fault_code_rank(enum fault_code code)
{
	return codes[code].rank;
}
