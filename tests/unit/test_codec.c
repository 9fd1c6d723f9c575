/* SPDX-License-Identifier: MIT */
/* A task from JSON and back, and the rules between its fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/timefmt.h"
#include "codec/codec.h"
#include "json/read.h"
#include "model/records.h"
#include "model/task.h"

/* One decoded body, with everything that must live as long. */
struct decoded {
	struct arena arena;
	struct faults faults;
	struct buf ignored;
	struct decode decode;
	struct task task;
	json_t *body;
};

static const struct account american = {
	.country = SLICE("US"), .require_case = true, .time_zone = SLICE("UTC")};

static void decode(struct decoded *decoded, const char *text, bool lenient)
{
	const char *message = "";

	*decoded = (struct decoded){0};
	decoded->body = json_read(slice_of(text), &decoded->arena, &message);
	if (!decoded->body)
		fail_msg("%s: %s", text, message);
	faults_init(&decoded->faults, &decoded->arena);
	decoded->decode = (struct decode){
		.arena = &decoded->arena,
		.faults = &decoded->faults,
		.prefix = "task",
		.account = &american,
		.lenient = lenient,
		.ignored = &decoded->ignored,
	};
	decode_new(&task_type, decoded->body, &decoded->decode, &decoded->task);
	task_type.check(&decoded->task, NULL, decoded->decode.given, decoded->decode.at_fault,
			&decoded->faults);
}

static void release(struct decoded *decoded)
{
	json_decref(decoded->body);
	buf_release(&decoded->ignored);
	arena_release(&decoded->arena);
}

#define NEEDED "\"casefile_id\":245,\"calendar_id\":1,\"due_on\":\"2023-02-14\",\"title\":\"T\""

/* Every field is encoded in its one form, whatever form the request had. */
static void fields_go_through(void **state)
{
	static const struct {
		const char *given;
		const char *written;
	} rows[] = {
		{"", "\"subject_id\":null,\"case_service_id\":null,\"status\":\"none\""},
		{",\"subject_id\":\"209\"", "\"subject_id\":209,"},
		{",\"subject_id\":\"\"", "\"subject_id\":null,"},
		{",\"case_service_id\":9223372036854775807",
		 "\"case_service_id\":9223372036854775807,"},
		{",\"status\":\"in_progress\"", "\"status\":\"in_progress\","},
		{",\"status\":null", "\"status\":\"none\","},
		{",\"body\":\"a\\nb\"", "\"body\":\"a\\nb\","},
		{",\"address\":{}", "\"address\":null,"},
		{",\"address\":[]", "\"address\":null,"},
		{",\"address\":{\"city\":\"  \"}", "\"address\":null,"},
		{",\"address\":{\"zip\":2134,\"state\":\"ma\"}",
		 "\"address\":{\"address_1\":\"\",\"address_2\":\"\",\"address_3\":\"\",\"city\":"
		 "\"\","
		 "\"state\":\"MA\",\"zip\":\"02134\",\"country\":\"US\"},"},
		{",\"users_list\":[3,\"1\",3,2]", "\"users_list\":[1,2,3],"},
		{",\"users_list\":[]", "\"users_list\":[],"},
		{",\"alert_at\":\"2023-02-01\"", "\"alert_at\":\"2023-02-01T00:00:00Z\","},
		{",\"alert_at\":\"2023-02-01T00:00:00+01:00\"",
		 "\"alert_at\":\"2023-01-31T23:00:00Z\","},
		{",\"status\":\"complete\",\"complete_at\":\"2023-02-01 10:11:12.9\"",
		 "\"complete_at\":\"2023-02-01T10:11:12Z\","},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct decoded decoded;
		struct buf out = {0};
		char text[512];

		snprintf(text, sizeof(text), "{\"task\":{" NEEDED "%s}}", rows[i].given);
		decode(&decoded, text, false);
		if (decoded.faults.count)
			fail_msg("%s: %s %s", text, decoded.faults.first->field,
				 decoded.faults.first->message);
		decoded.task.record.created_at = decoded.task.record.updated_at = 0;
		encode_record(&task_type, &decoded.task, &out);
		buf_add_char(&out, '\0');
		if (!strstr(out.ptr, rows[i].written))
			fail_msg("%s: no %s in %s", text, rows[i].written, out.ptr);
		buf_release(&out);
		release(&decoded);
	}
}

static void every_fault_is_told(void **state)
{
	static const struct fault wanted[] = {
		{.field = "task.casefile_id", .code = FAULT_RANGE},
		{.field = "task.calendar_id", .code = FAULT_TYPE},
		{.field = "task.subject_id", .code = FAULT_FORMAT},
		{.field = "task.status", .code = FAULT_CHOICE},
		{.field = "task.due_on", .code = FAULT_FORMAT},
		{.field = "task.title", .code = FAULT_BLANK},
		{.field = "task.address.zip", .code = FAULT_RANGE},
		{.field = "task.address.town", .code = FAULT_UNKNOWN_FIELD},
		{.field = "task.address.state", .code = FAULT_CHOICE},
		{.field = "task.users_list[1]", .code = FAULT_RANGE},
		{.field = "task.created_at", .code = FAULT_READ_ONLY},
		{.field = "task.titel", .code = FAULT_UNKNOWN_FIELD},
	};
	static const char text[] =
		"{\"task\":{\"casefile_id\":0,\"calendar_id\":1.0,\"subject_id\":\"0x1\","
		"\"status\":\"None\",\"due_on\":\"2023-02-30\",\"title\":\" \","
		"\"address\":{\"zip\":-1,\"town\":\"\",\"state\":\"ZZ\"},\"users_list\":[1,-1],"
		"\"created_at\":\"2023-01-01\",\"titel\":\"T\"}}";
	struct decoded decoded;
	const struct fault *fault;

	(void)state;
	decode(&decoded, text, false);
	fault = decoded.faults.first;
	for (size_t i = 0; i < COUNT_OF(wanted); i++, fault = fault->next) {
		assert_non_null(fault);
		assert_string_equal(fault->field, wanted[i].field);
		if (fault->code != wanted[i].code)
			fail_msg("%s: %s", fault->field, fault_code_name(fault->code));
	}
	assert_null(fault);
	assert_non_null(strstr(decoded.faults.first->message, "must be 1 or greater; got 0"));
	release(&decoded);
}

static void lenient_names_what_it_ignores(void **state)
{
	struct decoded decoded;

	(void)state;
	decode(&decoded,
	       "{\"extra\":1,\"task\":{" NEEDED ",\"r\xc3\xb6ter\":1,\"address\":{\"a b\":1}}}",
	       true);
	assert_int_equal(decoded.faults.count, 0);
	assert_true(slice_is(buf_slice(&decoded.ignored),
			     "extra, task.address.a%20b, task.r%C3%B6ter"));
	release(&decoded);
}

static void complete_at_goes_with_complete(void **state)
{
	struct decoded decoded;

	(void)state;
	decode(&decoded, "{\"task\":{" NEEDED ",\"complete_at\":\"2023-02-01\"}}", false);
	assert_int_equal(decoded.faults.count, 1);
	assert_int_equal(decoded.faults.first->code, FAULT_NOT_ALLOWED);
	release(&decoded);
	decode(&decoded, "{\"task\":{" NEEDED ",\"status\":\"complete\"}}", false);
	assert_int_equal(decoded.faults.count, 0);
	assert_int_equal(task_type.derive(&decoded.task, NULL,
					  &(struct occasion){.arena = &decoded.arena, .now = 1234}),
			 OK);
	assert_true(decoded.task.complete_at == 1234);
	assert_true(slice_is(decoded.task.title_folded, "t"));
	release(&decoded);
}

/* No row is wrong: no two of a name, no choice without its choices, no list of ids without its
 * link. */
static void tables_are_sound(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < RECORD_KINDS; kind++) {
		const struct record_type *type = record_types[kind];

		assert_true(type->field_count <= 64);
		assert_non_null(type->noun);
		assert_non_null(type->derive);
		assert_string_equal(type->fields[0].name, "id");
		for (size_t i = 0; i < type->field_count; i++) {
			const struct field *field = &type->fields[i];

			assert_true(field->offset < type->size);
			/* A hidden field needs no names for its choices. */
			assert_true((field->flags & FIELD_HIDDEN) ||
				    (field->type == FIELD_CHOICE) == (field->choices != NULL));
			assert_true((field->type == FIELD_ID_LIST) == (field->link != NULL));
			assert_true((field->type == FIELD_ID_LIST) == (field->column == NULL));
			assert_non_null(field->help);
			for (size_t j = 0; j < i; j++) {
				assert_string_not_equal(field->name, type->fields[j].name);
				assert_true(field->offset != type->fields[j].offset);
			}
		}
	}
}

/* Fills all fields of a record, none with its empty value. */
static void fill(struct task *task, struct address *address, int64_t users[2])
{
	record_clear(&task_type, task);
	*address = (struct address){.address_1 = SLICE("1 Main St"), .city = SLICE("Troy")};
	for (size_t i = 0; i < task_type.field_count; i++) {
		const struct field *field = &task_type.fields[i];
		void *at = FIELD_AT(task, field);

		if (field->type == FIELD_TEXT)
			*(struct slice *)at = SLICE("a");
		else if (field->type == FIELD_ADDRESS)
			*(struct address **)at = address;
		else if (field->type == FIELD_ID_LIST)
			*(struct id_list *)at = (struct id_list){users, NULL, 2};
		else if (field->type == FIELD_ID || field->type == FIELD_TIMESTAMP)
			*(int64_t *)at = 1;
		else
			*(int32_t *)at = 1;
	}
}

static void assert_same(const struct task *task, const struct task *other, bool same,
			const char *what)
{
	struct buf one = {0}, two = {0};

	encode_record(&task_type, task, &one);
	encode_record(&task_type, other, &two);
	if (slice_eq(buf_slice(&one), buf_slice(&two)) != same)
		fail_msg("%s: the encodings are %s", what, same ? "not the same" : "the same");
	if (record_is_same(&task_type, task, other) != same)
		fail_msg("%s: the records are %s", what, same ? "not the same" : "the same");
	buf_release(&one);
	buf_release(&two);
}

/* record_is_same() is true exactly for records with the same encoding. */
static void the_same_is_encoded_the_same(void **state)
{
	struct address addresses[2];
	int64_t users[2] = {3, 4}, others[2] = {3, 4};
	struct task task, other;

	(void)state;
	fill(&task, &addresses[0], users);
	fill(&other, &addresses[1], others);
	assert_same(&task, &other, true, "copies");
	for (size_t i = 0; i < task_type.field_count; i++) {
		const struct field *field = &task_type.fields[i];

		fill(&other, &addresses[1], others);
		field_clear(field, &other);
		assert_same(&task, &other, field->flags & FIELD_HIDDEN, field->name);
		assert_same(&other, &task, field->flags & FIELD_HIDDEN, field->name);
	}
	fill(&other, &addresses[1], others);
	addresses[1].country = SLICE("US");
	assert_same(&task, &other, false, "a part of the address");
	fill(&other, &addresses[1], others);
	others[1] = 5;
	assert_same(&task, &other, false, "an id of the list");
	other.users_list.count = 1;
	assert_same(&task, &other, false, "the length of the list");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_go_through),
		cmocka_unit_test(every_fault_is_told),
		cmocka_unit_test(lenient_names_what_it_ignores),
		cmocka_unit_test(complete_at_goes_with_complete),
		cmocka_unit_test(the_same_is_encoded_the_same),
		cmocka_unit_test(tables_are_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
