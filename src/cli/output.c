/* SPDX-License-Identifier: MIT */
/* Prints the results of commands, as JSON or as a table, and their errors. */
#include <jansson.h>

#include "base/slice.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "cli/cli.h"

enum exit_status output_outcome(const struct settings *settings, enum err err, const char *what)
{
	if (!err)
		return EXIT_OK;
	fprintf(settings->err, "docket: %s: %s\n", what, err_text(err));
	return EXIT_FAILED;
}

json_t *output_time(int64_t time)
{
	char text[TIMESTAMP_LEN];

	if (time == TIME_NONE)
		return json_null();
	timestamp_write(time, text);
	return json_stringn(text, TIMESTAMP_LEN);
}

static const char *cell_text(const json_t *value, char number[24])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	if (!json_is_integer(value))
		return "-";
	snprintf(number, 24, "%lld", (long long)json_integer_value(value));
	return number;
}

/* Each column is as wide as its longest text, counted in characters. Wide characters, as of East
 * Asian scripts, can break the alignment. */
static void table_print(FILE *out, const json_t *rows)
{
	const char *key;
	json_t *value, *row;
	size_t i;
	char number[24];
	int widths[32] = {0}, column;

	json_array_foreach (rows, i, row) {
		column = 0;
		json_object_foreach (row, key, value) {
			size_t chars = text_chars(slice_of(cell_text(value, number)));
			size_t head = strlen(key);

			widths[column] =
				(int)(chars > (size_t)widths[column] ? chars
								     : (size_t)widths[column]);
			widths[column] =
				(int)(head > (size_t)widths[column] ? head
								    : (size_t)widths[column]);
			column++;
		}
	}
	json_array_foreach (rows, i, row) {
		column = 0;
		if (i == 0) {
			json_object_foreach (row, key, value)
				fprintf(out, "%s%-*s", column ? "  " : "", widths[column], key),
					column++;
			fprintf(out, "\n");
		}
		column = 0;
		json_object_foreach (row, key, value) {
			const char *text = cell_text(value, number);
			int fill = widths[column] - (int)text_chars(slice_of(text));

			fprintf(out, "%s%s%*s", column ? "  " : "", text, fill, "");
			column++;
		}
		fprintf(out, "\n");
	}
}

enum exit_status output_list(const struct settings *settings, const char *what, json_t *rows)
{
	enum exit_status status = rows ? EXIT_OK : EXIT_FAILED;

	if (!rows) {
		fprintf(settings->err, "docket: out of memory\n");
	} else if (!settings->number[SETTING_JSON] && json_array_size(rows) == 0) {
		fprintf(settings->err, "there are no %s\n", what);
	} else if (!settings->number[SETTING_JSON]) {
		table_print(settings->out, rows);
	} else if (json_dumpf(rows, settings->out, JSON_INDENT(2))) {
		status = EXIT_FAILED;
	} else {
		fprintf(settings->out, "\n");
	}
	json_decref(rows);
	return status;
}
