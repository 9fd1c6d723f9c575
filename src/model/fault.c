/* SPDX-License-Identifier: MIT */
/* Collects the faults of a request, in the order in which they are found. */
#include "model/fault.h"

/* Faults of the form of a request rank before those of its values, and these before conflicts with
 * other records. An unknown name ranks first, because it is often why a required one is missing. */
static const struct {
	const char *name;
	int rank;
	const char *help;
} codes[] = {
	[FAULT_UNKNOWN_FIELD] = {"unknown_field", 1, "docket does not know it"},
	[FAULT_REQUIRED] = {"required", 2, "it is missing"},
	[FAULT_TYPE] = {"type", 3, "it has the wrong JSON type"},
	[FAULT_FORMAT] = {"format", 4, "it does not have the required form"},
	[FAULT_CHOICE] = {"choice", 4, "it is not one of the allowed values"},
	[FAULT_RANGE] = {"range", 4, "the number is too small or too large"},
	[FAULT_BLANK] = {"blank", 4, "the text has no visible character"},
	[FAULT_TOO_LONG] = {"too_long", 4, "the text has too many characters"},
	[FAULT_TOO_MANY] = {"too_many", 4, "the list has too many values"},
	[FAULT_CONTROL] = {"control", 4, "it contains a character that is not allowed"},
	[FAULT_REPEATED] = {"repeated", 4, "the request has it more often than it may"},
	[FAULT_READ_ONLY] = {"read_only", 5, "only docket sets it"},
	[FAULT_NOT_ALLOWED] = {"not_allowed", 5,
			       "it cannot be combined with another part of the request"},
	[FAULT_NOT_FOUND] = {"not_found", 6, "there is no such record"},
	[FAULT_MISMATCH] =
		{"mismatch", 7,
		 "two values do not belong together, such as a subject and another case"},
	[FAULT_TAKEN] = {"taken", 7, "another record has this value"},
	[FAULT_IN_USE] = {"in_use", 7, "other records depend on it"},
};

void faults_init(struct faults *faults, struct arena *arena)
{
	*faults = (struct faults){.arena = arena, .most = FAULTS_MAX};
	faults->last = &faults->first;
}

size_t faults_room(const struct faults *faults)
{
	return faults->count < faults->most ? faults->most - faults->count : 0;
}

void faults_add(struct faults *faults, const char *field, enum fault_code code, const char *format,
		...)
{
	struct fault *fault;
	va_list args;

	if (++faults->count > faults->most)
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

const char *fault_code_help(enum fault_code code)
{
	return codes[code].help;
}
