/* SPDX-License-Identifier: MIT */
/* Settings: an option goes before the environment, that before the file, and that before the
 * default; and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/slice.h"
#include "cli/settings_private.h"
#include "place.h"

#define FROM_MAX 4 /* values from one source */

static char file_path[PLACE_BYTES + 8];

/* It takes settings of each type, and needs none. */
static const struct command command = {
	.name = "try",
	.takes = SETTING_BIT(SETTING_CONFIG) | SETTING_BIT(SETTING_DATA) |
		 SETTING_BIT(SETTING_DATABASE) | SETTING_BIT(SETTING_ACCOUNT) |
		 SETTING_BIT(SETTING_EMAIL) | SETTING_BIT(SETTING_FROM) |
		 SETTING_BIT(SETTING_LISTEN) | SETTING_BIT(SETTING_BEHIND_PROXY) |
		 SETTING_BIT(SETTING_REQUIRE_CASE) | SETTING_BIT(SETTING_QUEUE) |
		 SETTING_BIT(SETTING_YES),
	.options_only = SETTING_BIT(SETTING_YES),
};

/* Where values come from; each may be NULL. */
struct sources {
	const char *options, *environment; /* separated by | */
	const char *file;                  /* its text; --config names it */
};

/* What was read, and what was printed. */
struct outcome {
	struct settings settings;
	bool read;
	char *printed;
	char options[256], environment[256];
};

static size_t split(const char *text, char copy[256], char *parts[FROM_MAX])
{
	char *rest = text ? copy : NULL;
	size_t count = 0;

	snprintf(copy, 256, "%s", text ? text : "");
	while (rest && count < FROM_MAX)
		parts[count++] = strsep(&rest, "|");
	return count;
}

static void write_file(const char *text)
{
	FILE *file = fopen(file_path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void read_sources(const struct command *of, const struct sources *sources,
			 struct outcome *outcome)
{
	const struct commands commands = {of, 1};
	char name[] = "try", config[sizeof(file_path) + 16];
	char *argv[FROM_MAX + 3] = {name}, *variables[FROM_MAX];
	size_t count = split(sources->environment, outcome->environment, variables), len;
	enum exit_status status = EXIT_OK;
	FILE *kept = stderr;
	int argc;

	clearenv();
	for (size_t i = 0; i < count; i++)
		assert_int_equal(putenv(variables[i]), 0);
	argc = 1 + (int)split(sources->options, outcome->options, argv + 1);
	if (sources->file) {
		write_file(sources->file);
		snprintf(config, sizeof(config), "--config=%s", file_path);
		argv[argc++] = config;
	}
	stderr = open_memstream(&outcome->printed, &len);
	outcome->read = settings_read(&outcome->settings, &commands, of, argc, argv, &status);
	fclose(stderr);
	stderr = kept;
	clearenv();
	assert_true(outcome->read || status == EXIT_USAGE);
}

static void outcome_release(struct outcome *outcome)
{
	settings_release(&outcome->settings);
	free(outcome->printed);
}

static void values(void **state)
{
	enum { QUEUE = SETTING_QUEUE, DATA = SETTING_DATA, DATABASE = SETTING_DATABASE };
	static const struct {
		const char *name;
		struct sources sources;
		int setting;
		const char *text, *origin; /* the last word of the origin; or NULL */
	} rows[] = {
		/* Which source goes before which. */
		{"default", {NULL}, QUEUE, "4096", NULL},
		{"file", {NULL, NULL, "queue=3"}, QUEUE, "3", "queue"},
		{"environment", {NULL, "DOCKET_QUEUE=2"}, QUEUE, "2", "DOCKET_QUEUE"},
		{"option", {"--queue=1"}, QUEUE, "1", "--queue"},
		{"no file", {"--queue=1", "DOCKET_QUEUE=2"}, QUEUE, "1", "--queue"},
		{"no environment", {"--queue=1", NULL, "queue=3"}, QUEUE, "1", "--queue"},
		{"no option", {NULL, "DOCKET_QUEUE=2", "queue=3"}, QUEUE, "2", "DOCKET_QUEUE"},
		{"all", {"--queue=1", "DOCKET_QUEUE=2", "queue=3"}, QUEUE, "1", "--queue"},
		{"unused wrong values",
		 {"--queue=1", "DOCKET_QUEUE=x", "queue=y"},
		 QUEUE,
		 "1",
		 "--queue"},
		{"two words", {"--queue|5"}, QUEUE, "5", "--queue"},
		{"twice", {"--queue=1|--queue=2"}, QUEUE, "2", "--queue"},
		{"neither value nor default", {NULL}, SETTING_ACCOUNT, NULL, NULL},
		{"another command's",
		 {NULL, "DOCKET_TASKS=x", "tasks=x"},
		 SETTING_TASKS,
		 NULL,
		 NULL},
		/* A folder and a database take each other's place. */
		{"no folder", {"--database=postgres://x", "DOCKET_DATA=d"}, DATA, NULL, NULL},
		{"no database", {"--data=d", "DOCKET_DATABASE=postgres://x"}, DATABASE, NULL, NULL},
		{"not the file's", {NULL, "DOCKET_DATA=d", "database=x"}, DATABASE, NULL, NULL},
		{"both in the environment",
		 {NULL, "DOCKET_DATA=d|DOCKET_DATABASE=x"},
		 DATABASE,
		 NULL,
		 NULL},
		/* What cannot be undone is an option alone. */
		{"as an option", {"--yes"}, SETTING_YES, "yes", "--yes"},
		{"as another", {NULL, "DOCKET_YES=yes", "yes=yes"}, SETTING_YES, NULL, NULL},
		/* Types. */
		{"list", {"--listen=a:1|--listen=b:2"}, SETTING_LISTEN, "a:1,b:2", "--listen"},
		{"one list",
		 {"--listen=a:1", "DOCKET_LISTEN=b:2"},
		 SETTING_LISTEN,
		 "a:1",
		 "--listen"},
		{"empty text", {"--email="}, SETTING_EMAIL, "", "--email"},
		{"folder", {"--from=./host=db"}, SETTING_FROM, "./host=db", "--from"},
		{"URL", {"--from=postgresql://x/y"}, SETTING_FROM, "postgresql://x/y", "--from"},
		{"blanks",
		 {NULL, NULL, "\n;x\n account = a b \n"},
		 SETTING_ACCOUNT,
		 "a b",
		 "account"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct outcome outcome = {0};
		const char *text, *origin;

		read_sources(&command, &rows[i].sources, &outcome);
		if (!outcome.read)
			fail_msg("%s: %s", rows[i].name, outcome.printed);
		text = outcome.settings.text[rows[i].setting];
		origin = outcome.settings.origin[rows[i].setting];
		if (origin && strrchr(origin, ' '))
			origin = strrchr(origin, ' ') + 1;
		if (!text != !rows[i].text || !slice_eq(slice_of(text), slice_of(rows[i].text)) ||
		    !slice_eq(slice_of(origin), slice_of(rows[i].origin)))
			fail_msg("%s: %s by %s", rows[i].name, text ? text : "(none)",
				 origin ? origin : "(default)");
		outcome_release(&outcome);
	}
}

static void refused(void **state)
{
	static const struct {
		const char *name;
		struct sources sources;
		const char *printed; /* a part of it */
	} rows[] = {
		{"two places",
		 {"--data=d|--database=postgres://x"},
		 "--database replaces --data: give only one"},
		/* Numbers: from 0 to the row's limit, of digits alone. */
		{"negative",
		 {"--queue=-1"},
		 "must be a whole number from 0 to 1000000; got \"-1\""},
		{"signed", {"--queue=+1"}, "must be a whole number"},
		{"blank before", {"--queue= 1"}, "must be a whole number"},
		{"blank behind", {"--queue=1 "}, "must be a whole number"},
		{"unit", {"--queue=1k"}, "must be a whole number"},
		{"hexadecimal", {"--queue=0x10"}, "must be a whole number"},
		{"fraction", {"--queue=1.5"}, "must be a whole number"},
		{"2^63", {"--queue=9223372036854775808"}, "must be a whole number"},
		{"2^64 + 1", {"--queue=18446744073709551617"}, "must be a whole number"},
		{"word", {"--queue=x"}, "docket try: --queue must be a whole number"},
		{"word in environment", {NULL, "DOCKET_QUEUE=x"}, "DOCKET_QUEUE must be a whole"},
		{"word in file", {NULL, NULL, "queue=x"}, "conf: queue must be a whole number"},
		{"empty", {"--queue="}, "--queue is empty"},
		{"empty in environment", {NULL, "DOCKET_QUEUE="}, "DOCKET_QUEUE is empty"},
		{"empty in file", {NULL, NULL, "queue="}, "conf: queue is empty"},
		/* Switches, databases, folders. A value with a password in it is not printed. */
		{"switch", {NULL, "DOCKET_BEHIND_PROXY=on"}, "must be yes or no; got \"on\""},
		{"value of a switch", {"--behind-proxy=yes"}, "takes no value"},
		{"other database",
		 {"--database=mysql://x"},
		 "must be a URL that begins with postgresql://\n"},
		{"no URL", {"--database=host=x"}, "must be a URL that begins with postgresql://\n"},
		{"no folder", {"--from=host=x"}, "must be a folder or a URL that begins with"},
		/* Options. */
		{"unknown", {"--nothing"}, "--nothing is not a known option"},
		{"another command's", {"--tasks=1"}, "--tasks=1 is not a known option"},
		{"shortened", {"--que=1"}, "--que=1 is not a known option"},
		{"no value", {"--queue"}, "--queue needs a value"},
		{"argument", {"x"}, "\"x\" is one argument too many"},
		/* Files. */
		{"unknown name",
		 {NULL, NULL, "\nnothing=1"},
		 "line 2: \"nothing\" is not a known setting\n"},
		{"misspelt name", {NULL, NULL, "quue=1"}, "did you mean \"queue\"?"},
		{"same name", {NULL, NULL, "queue=1\nqueue=1"}, "line 2: queue is given twice"},
		{"other file", {NULL, NULL, "config=x"}, "cannot name another one"},
		{"section",
		 {NULL, NULL, "[serve]"},
		 "line 1: a configuration file has no sections"},
		{"no =", {NULL, NULL, "queue"}, "line 1: must be `name = value`"},
		{"no file", {"--config=/nowhere"}, "/nowhere cannot be read: No such file"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct outcome outcome = {0};

		read_sources(&command, &rows[i].sources, &outcome);
		if (outcome.read || !strstr(outcome.printed, rows[i].printed))
			fail_msg("%s: %s", rows[i].name,
				 outcome.read ? "was taken" : outcome.printed);
		outcome_release(&outcome);
	}
}

static void needed(void **state)
{
	static const struct {
		const char *name;
		struct sources sources;
		bool read;
	} rows[] = {
		{"nothing", {NULL}, false},
		{"another setting", {"--account=a", "DOCKET_QUEUE=1", "listen=a:1"}, false},
		{"option", {"--data=d"}, true},
		{"environment", {NULL, "DOCKET_DATA=d"}, true},
		{"file", {NULL, NULL, "data=d"}, true},
		{"a database in its place", {NULL, "DOCKET_DATABASE=postgres://x"}, true},
	};
	struct command needs_data = command;

	(void)state;
	needs_data.needs = SETTING_BIT(SETTING_DATA);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct outcome outcome = {0};

		read_sources(&needs_data, &rows[i].sources, &outcome);
		if (outcome.read != rows[i].read ||
		    (!outcome.read && !strstr(outcome.printed, "--data DIR is missing")))
			fail_msg("%s: %s", rows[i].name, outcome.printed);
		outcome_release(&outcome);
	}
}

/* Of every number: its largest value is taken, and one more is not. */
static void bounds(void **state)
{
	(void)state;
	for (int i = 0; i < SETTINGS; i++) {
		struct settings settings = {.command = &command, .err = fopen("/dev/null", "w")};
		char most[24], more[24];

		snprintf(most, sizeof(most), "%lld", (long long)setting_rows[i].max);
		snprintf(more, sizeof(more), "%llu", (unsigned long long)setting_rows[i].max + 1);
		if (setting_rows[i].type == SETTING_NUMBER &&
		    (!setting_set(&settings, (enum setting)i, "0", NULL) ||
		     !setting_set(&settings, (enum setting)i, most, NULL) ||
		     settings.number[i] != setting_rows[i].max ||
		     setting_set(&settings, (enum setting)i, more, NULL)))
			fail_msg("--%s", setting_rows[i].name);
		fclose(settings.err);
	}
}

static void switches(void **state)
{
	static const struct {
		const char *text;
		int value; /* -1: refused */
	} rows[] = {
		{"yes", 1},   {"true", 1}, {"1", 1},     {"YES", 1},   {"True", 1}, {"no", 0},
		{"false", 0}, {"0", 0},    {"No", 0},    {"", -1},     {"y", -1},   {"on", -1},
		{"2", -1},    {"01", -1},  {" yes", -1}, {"yes ", -1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct settings settings = {.command = &command, .err = fopen("/dev/null", "w")};
		bool set = setting_set(&settings, SETTING_REQUIRE_CASE, rows[i].text, NULL);

		if (set != (rows[i].value >= 0) ||
		    (set && settings.number[SETTING_REQUIRE_CASE] != rows[i].value))
			fail_msg("\"%s\"", rows[i].text);
		fclose(settings.err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values), cmocka_unit_test(refused),  cmocka_unit_test(needed),
		cmocka_unit_test(bounds), cmocka_unit_test(switches),
	};
	char folder[PLACE_BYTES];
	int failed;

	place_make(folder);
	snprintf(file_path, sizeof(file_path), "%s/conf", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	place_remove(folder);
	return failed;
}
