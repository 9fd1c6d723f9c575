/* SPDX-License-Identifier: MIT */
/* Subjects: the persons or firms that a case is about. Their field table, lists and rules. */
#include "model/subject.h"

#include "base/buf.h"
#include "base/text.h"
#include "model/list.h"

/* clang-format off */
#define NAME(member, words, sample) \
	{.name = #member, .column = #member, .type = FIELD_TEXT, .limit = 255, \
	 .flags = FIELD_ONE_LINE, .offset = offsetof(struct subject, member), \
	 .help = words, .example = sample}

static const struct field fields[] = {
	RECORD_ID,
	{.name = "casefile_id", .column = "casefile_id", .type = FIELD_ID,
	 .flags = FIELD_REQUIRED,
	 .offset = offsetof(struct subject, casefile_id), .example = "245",
	 .help = "the case that the subject belongs to"},
	NAME(first_name, "the first name. Either this or the last name is required", "\"Jane\""),
	NAME(middle_name, "the middle name", NULL),
	NAME(last_name, "the last name, or the name of a firm. Either this or the first name is required",
	     "\"Witness\""),
	{.name = "name_folded", .column = "name_folded", .type = FIELD_TEXT,
	 .flags = FIELD_HIDDEN, .offset = offsetof(struct subject, name_folded),
	 .help = "the names as they are searched and sorted"},
	{.name = "last_name_folded", .column = "last_name_folded", .type = FIELD_TEXT,
	 .flags = FIELD_HIDDEN, .offset = offsetof(struct subject, last_name_folded),
	 .help = "the last name as it is sorted"},
	{.name = "is_primary", .column = "is_primary", .type = FIELD_BOOL,
	 .offset = offsetof(struct subject, is_primary),
	 .example = "true",
	 .help = "whether the case is mainly about this subject"},
	{.name = "address", .column = "address_", .type = FIELD_ADDRESS,
	 .offset = offsetof(struct subject, address), .help = "where the subject lives"},
	{.name = "notes", .column = "notes", .type = FIELD_TEXT, .limit = 65535,
	 .offset = offsetof(struct subject, notes), .help = "notes on the subject"},
	RECORD_TIMES(struct subject),
};

static const struct filter filters[] = {
	{.name = "case", .field = "casefile_id", .help = "of one of these cases"},
	{.name = "name", .field = "name_folded", .op = FILTER_CONTAINS,
	 .help = "whose first, middle and last name, joined by blanks, contain this text"},
	{.name = "is_primary", .field = "is_primary", .help = "that are primary, or are not"},
	RECORD_FILTERS,
};
/* clang-format on */

static const struct sort sorts[] = {
	{"id", "id"},
	{"name", "name_folded"},
	{"last_name", "last_name_folded"},
	{"created_at", "created_at"},
	{"updated_at", "updated_at"},
};

static const struct record_lists lists = {
	filters, FIELD_COUNT(filters), sorts, FIELD_COUNT(sorts), NULL, 0,
};

/* A subject needs a first or a last name. */
static void subject_check(const void *record, const void *before, uint64_t given, uint64_t at_fault,
			  struct faults *faults)
{
	const struct subject *subject = record, *present = before;
	uint64_t names =
		field_bit(&subject_type, "first_name") | field_bit(&subject_type, "last_name");

	(void)given;
	/* A subject from before this rule may stay without one. */
	if (present && slice_eq(present->first_name, subject->first_name) &&
	    slice_eq(present->last_name, subject->last_name))
		return;
	if (!(at_fault & names) && text_is_blank(subject->first_name) &&
	    text_is_blank(subject->last_name))
		faults_add(faults, "subject.last_name", FAULT_REQUIRED,
			   "is required when first_name is empty");
}

/* An entry of an index of PostgreSQL has at most 2,704 bytes. */
#define NAME_FOLDED_BYTES 2560

/* Cuts a text after whole characters. */
static void text_cut(struct slice *text, size_t bytes)
{
	if (text->len <= bytes)
		return;
	while (bytes && ((unsigned char)text->ptr[bytes] & 0xC0) == 0x80)
		bytes--;
	text->len = bytes;
}

static enum err subject_derive(void *record, const void *before, const struct occasion *occasion)
{
	struct subject *subject = record;
	const struct slice names[] = {subject->first_name, subject->middle_name,
				      subject->last_name};
	struct buf name = {0};
	enum err err = ERR_NOMEM;

	(void)before;
	for (size_t i = 0; i < FIELD_COUNT(names); i++) {
		if (name.len && names[i].len)
			buf_add_char(&name, ' ');
		buf_add_slice(&name, names[i]);
	}
	if (!name.failed)
		err = text_fold(occasion->arena, buf_slice(&name), &subject->name_folded);
	if (!err)
		text_cut(&subject->name_folded, NAME_FOLDED_BYTES);
	buf_release(&name);
	return err ? err
		   : text_fold(occasion->arena, subject->last_name, &subject->last_name_folded);
}

const struct record_type subject_type = {
	.name = "subject",
	.noun = "subject",
	.table = "subject",
	.sequence = "last_subject_id",
	.size = sizeof(struct subject),
	.fields = fields,
	.field_count = FIELD_COUNT(fields),
	.name_fields = {"first_name", "last_name"},
	.lists = &lists,
	.check = subject_check,
	.derive = subject_derive,
};
