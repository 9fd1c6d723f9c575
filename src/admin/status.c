/* SPDX-License-Identifier: MIT */
/* docket status: prints the counters of the process that serves. status_answer() runs there;
 * see control/control.h. */
#include <errno.h>
#include <jansson.h>

#include "admin_private.h"
#include "base/log.h"
#include "cli/amounts.h"
#include "control/control.h"

#define LABEL_WIDTH 20
#define VALUE_WIDTH 14
#define TEXT_BYTES AMOUNT_BYTES

static void status_explain(const struct settings *settings, int why, struct buf *said)
{
	const char *where = settings->text[SETTING_CONTROL_SOCKET];

	if (!where)
		where = settings->text[SETTING_DATA];
	if (why == ENOENT || why == ECONNREFUSED)
		buf_printf(said,
			   "no docket process answers at %s: none serves it, or one is just "
			   "starting or stopping",
			   where);
	else
		buf_printf(said, "cannot reach a docket process at %s: %s", where, strerror(why));
}

enum exit_status status_check(const struct settings *settings)
{
	if (settings->text[SETTING_CONTROL_SOCKET] && settings->text[SETTING_DATA])
		return settings_wrong(settings, SETTING_CONTROL_SOCKET,
				      "replaces --data: give only one of them");
	if (!settings->text[SETTING_CONTROL_SOCKET] && settings->text[SETTING_DATABASE])
		return settings_wrong(settings, SETTING_DATABASE,
				      "does not say which process: give --control-socket FILE, as "
				      "\"docket serve\" had it");
	if (!settings->text[SETTING_CONTROL_SOCKET] && !settings->text[SETTING_DATA])
		return settings_missing(settings, SETTING_DATA);
	return EXIT_OK;
}

enum exit_status command_status(const struct settings *settings)
{
	enum exit_status status = status_check(settings);
	struct buf said = {0};
	bool unknown = false;
	int why;

	if (status)
		return status;
	why = control_ask(settings, NULL, &status, &unknown);
	if (!why)
		return status;
	status_explain(settings, why, &said);
	log_line("%.*s", (int)said.len, said.ptr);
	buf_release(&said);
	return EXIT_FAILED;
}

static const struct command *command_find(const struct commands *commands, const char *name)
{
	for (size_t i = 0; i < commands->count; i++)
		if (strcmp(commands->rows[i].name, name) == 0)
			return &commands->rows[i];
	return NULL;
}

json_t *status_ask(const struct settings *settings, struct buf *why)
{
	struct settings asked = *settings;
	enum exit_status status = EXIT_FAILED;
	char *out = NULL, *err = NULL;
	size_t out_len = 0, err_len = 0;
	bool unknown = false;
	json_t *answer = NULL;
	int error = ENOMEM;

	asked.command = command_find(settings->commands, "status");
	asked.text[SETTING_JSON] = "yes";
	asked.origin[SETTING_JSON] = "--json";
	asked.out = open_memstream(&out, &out_len);
	asked.err = open_memstream(&err, &err_len);
	if (asked.out && asked.err)
		error = control_ask(&asked, NULL, &status, &unknown);
	if (asked.out)
		fclose(asked.out);
	if (asked.err)
		fclose(asked.err);
	if (error)
		status_explain(settings, error, why);
	else if (!status && !unknown)
		answer = json_loadb(out, out_len, 0, NULL);
	if (!error && !answer)
		buf_add(why, err, err_len);
	free(out);
	free(err);
	return answer;
}

/* The units, as the ends of names. */
enum unit { UNIT_NONE, UNIT_BYTES, UNIT_S, UNIT_MS, UNIT_US };
static const char *const unit_ends[] = {
	[UNIT_BYTES] = "_bytes", [UNIT_S] = "_s", [UNIT_MS] = "_ms", [UNIT_US] = "_us"};

static enum unit name_unit(const char *name)
{
	const char *end = strrchr(name, '_');
	enum unit unit = COUNT_OF(unit_ends) - 1;

	while (unit && (!end || strcmp(end, unit_ends[unit]) != 0))
		unit--;
	return unit;
}

/* "held_bytes" as "held". */
static void write_label(const char *name, char text[TEXT_BYTES])
{
	enum unit unit = name_unit(name);
	size_t len = strlen(name) - (unit ? strlen(unit_ends[unit]) : 0);

	snprintf(text, TEXT_BYTES, "%.*s", (int)len, name);
	for (char *at = text; *at; at++)
		if (*at == '_')
			*at = ' ';
}

static void write_value(const char *name, const json_t *value, char text[TEXT_BYTES])
{
	int64_t number = json_integer_value(value);
	enum unit unit = name_unit(name);

	if (json_is_boolean(value))
		snprintf(text, TEXT_BYTES, json_is_true(value) ? "yes" : "no");
	else if (!json_is_integer(value))
		snprintf(text, TEXT_BYTES, "-");
	else if (unit == UNIT_BYTES)
		amount_bytes(number, text);
	else if (unit == UNIT_S)
		amount_duration(number, text);
	else if (unit == UNIT_MS)
		amount_ms(number, text);
	else if (unit == UNIT_US)
		amount_us(number, text);
	else
		snprintf(text, TEXT_BYTES, "%lld", (long long)number);
}

/* Whether `section` has all that `other` has: then both are shown beside each other. */
static bool section_has_all(const json_t *section, const json_t *other)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)other, name, value)
		if (!json_object_get(section, name))
			return false;
	return json_is_object(other);
}

/* Sums and histograms are for scripts, which take the difference of two of them. */
static bool is_only_json(const char *name, const json_t *value)
{
	return (json_is_array(value) && !json_is_string(json_array_get(value, 0))) ||
	       strncmp(name, "total_", strlen("total_")) == 0;
}

/* Prints at least `width` characters. Texts may be longer than TEXT_BYTES. */
static void value_print(FILE *out, const char *name, const json_t *value, int width)
{
	char text[TEXT_BYTES];
	const json_t *item;
	size_t i;

	if (json_is_array(value)) {
		json_array_foreach ((json_t *)value, i, item)
			fprintf(out, "%s%s", i ? ", " : "", json_string_value(item));
	} else if (json_is_string(value)) {
		fprintf(out, "%-*s", width, json_string_value(value));
	} else {
		write_value(name, value, text);
		fprintf(out, "%-*s", width, text);
	}
}

/* Prints what a section has, and beside it the same of another one if it is not NULL. */
static void rows_print(FILE *out, const json_t *section, const json_t *other)
{
	char label[TEXT_BYTES];
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)section, name, value) {
		if (is_only_json(name, value))
			continue;
		write_label(name, label);
		fprintf(out, "  %-*s", LABEL_WIDTH, label);
		value_print(out, name, value, other ? VALUE_WIDTH : 0);
		if (other)
			value_print(out, name, json_object_get(other, name), 0);
		fputc('\n', out);
	}
}

/* Shows a section, which may have a list of objects, and another one in a second column if it is
 * not NULL. */
static void section_print(FILE *out, const char *title, const json_t *section,
			  const char *other_title, const json_t *other)
{
	const json_t *item;
	size_t i;

	if (other)
		fprintf(out, "  %-*s%-*s%s\n", LABEL_WIDTH, "", VALUE_WIDTH, title, other_title);
	else
		fprintf(out, "%s\n", title);
	json_array_foreach ((json_t *)section, i, item)
		rows_print(out, item, NULL);
	rows_print(out, section, other);
}

static void status_print(FILE *out, json_t *status)
{
	void *at = json_object_iter(status);

	while (at) {
		const char *title = json_object_iter_key(at), *other_title;
		const json_t *section = json_object_iter_value(at), *other;

		at = json_object_iter_next(status, at);
		other_title = at ? json_object_iter_key(at) : NULL;
		other = at ? json_object_iter_value(at) : NULL;
		if (section_has_all(section, other))
			at = json_object_iter_next(status, at);
		else
			other = NULL;
		section_print(out, title, section, other_title, other);
	}
}

enum exit_status status_answer(const struct settings *settings, struct store *store,
			       const unsigned char *token_hash)
{
	json_t *status = control_status(settings);

	(void)store;
	(void)token_hash;
	if (!status) {
		fprintf(settings->err, "docket: out of memory\n");
		return EXIT_FAILED;
	}
	if (settings->number[SETTING_JSON])
		json_dumpf(status, settings->out, JSON_INDENT(2));
	else
		status_print(settings->out, status);
	if (settings->number[SETTING_JSON])
		fputc('\n', settings->out);
	json_decref(status);
	return EXIT_OK;
}
