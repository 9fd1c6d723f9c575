/* SPDX-License-Identifier: MIT */
/* Reads settings by their table, and prints what is wrong with them. */
#include "settings_private.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/log.h"
#include "base/slice.h"
#include "base/text.h"

#define PREFIX "DOCKET_"

static const char *environment_name(enum setting setting, char name[64])
{
	snprintf(name, 64, PREFIX "%s", setting_rows[setting].name);
	for (char *at = name; *at; at++)
		*at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
	return name;
}

enum exit_status settings_wrong(const struct settings *settings, enum setting setting,
				const char *format, ...)
{
	const char *origin = settings->origin[setting];
	va_list args;

	if (origin)
		fprintf(settings->err, "docket %s: %s ", settings->command->name, origin);
	else
		fprintf(settings->err, "docket %s: --%s ", settings->command->name,
			setting_rows[setting].name);
	va_start(args, format);
	vfprintf(settings->err, format, args);
	va_end(args);
	fputc('\n', settings->err);
	return EXIT_USAGE;
}

enum exit_status settings_missing(const struct settings *settings, enum setting setting)
{
	char name[64];

	fprintf(settings->err, "docket %s: --%s %s is missing (or %s in the environment)%s\n",
		settings->command->name, setting_rows[setting].name, setting_rows[setting].argument,
		environment_name(setting, name),
		setting == SETTING_DATA && settings->command->takes & SETTING_BIT(SETTING_DATABASE)
			? ", or --database URL instead"
			: "");
	return EXIT_USAGE;
}

bool setting_is_set(const struct settings *settings, int i)
{
	return settings->text[i] || (i == SETTING_DATA && settings->text[SETTING_DATABASE]) ||
	       (i == SETTING_DATABASE && settings->text[SETTING_DATA]);
}

bool settings_is_url(const char *location)
{
	static const char *const schemes[] = {"postgresql://", "postgres://"};

	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (strncmp(location, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

/* Whether a location looks like a database, but not as docket takes one: libpq's `host=db
 * dbname=docket`, or a URL with another scheme. A folder of such a name can be given as
 * ./host=db. */
static bool is_like_database(const char *location)
{
	return strstr(location, "://") || location[strcspn(location, "/=")] == '=';
}

static bool setting_check_location(const struct settings *settings, enum setting setting)
{
	const char *text = settings->text[setting];
	enum setting_type type = setting_rows[setting].type;

	if (settings_is_url(text) || (type == SETTING_PLACE && !is_like_database(text)))
		return true;
	/* The message does not show the text, which may have a password. */
	settings_wrong(settings, setting, "must be %sa URL that begins with postgresql://",
		       type == SETTING_PLACE ? "a folder or " : "");
	return false;
}

static bool setting_set_number(struct settings *settings, enum setting setting, const char *text)
{
	int64_t max = setting_rows[setting].max;
	bool digits = strspn(text, "0123456789") == strlen(text);

	errno = 0;
	settings->number[setting] = strtoll(text, NULL, 10);
	if (digits && !errno && settings->number[setting] <= max)
		return true;
	settings_wrong(settings, setting, "must be a whole number from 0 to %lld; got \"%s\"",
		       (long long)max, text);
	return false;
}

static bool setting_set_switch(struct settings *settings, enum setting setting, const char *text)
{
	bool yes = strcasecmp(text, "yes") == 0 || strcasecmp(text, "true") == 0 ||
		   strcmp(text, "1") == 0;
	bool no = strcasecmp(text, "no") == 0 || strcasecmp(text, "false") == 0 ||
		  strcmp(text, "0") == 0;

	settings->number[setting] = yes;
	if (yes || no)
		return true;
	settings_wrong(settings, setting, "must be yes or no; got \"%s\"", text);
	return false;
}

bool setting_set(struct settings *settings, enum setting setting, const char *text,
		 const char *origin)
{
	enum setting_type type = setting_rows[setting].type;

	if (!text)
		return false;
	settings->text[setting] = text;
	settings->origin[setting] = origin;
	if (!*text && type != SETTING_ANY_TEXT) {
		settings_wrong(settings, setting, "is empty");
		return false;
	}
	if (type == SETTING_NUMBER)
		return setting_set_number(settings, setting, text);
	if (type == SETTING_SWITCH)
		return setting_set_switch(settings, setting, text);
	return (type != SETTING_URL && type != SETTING_PLACE) ||
	       setting_check_location(settings, setting);
}

bool setting_may_be_preset(const struct command *command, int i)
{
	return command->takes & ~command->options_only & SETTING_BIT(i);
}

const char *setting_nearest(const char *name)
{
	const char *names[SETTINGS] = {0}; /* all except --config */
	size_t count = 0;

	for (int i = 0; i < SETTINGS; i++)
		if (i != SETTING_CONFIG)
			names[count++] = setting_rows[i].name;
	return text_nearest(slice_of(name), names);
}

/* A variable with nearly the name of a setting is a typing error. Any other may be a script's
 * own. */
static void variable_warn(const char *name, size_t len)
{
	char lower[64], variable[64];
	const char *nearest;

	if (len == 0 || len >= sizeof(lower))
		return;
	for (size_t i = 0; i < len; i++)
		lower[i] = name[i] == '_' ? '-' : (char)tolower((unsigned char)name[i]);
	lower[len] = '\0';
	nearest = setting_nearest(lower);
	for (int i = 0; nearest && i < SETTINGS; i++)
		if (strcmp(setting_rows[i].name, nearest) == 0)
			environment_name((enum setting)i, variable);
	if (nearest && !slice_is((struct slice){name, len}, variable + strlen(PREFIX)))
		log_line("warning: " PREFIX "%.*s is not a known variable; did you mean %s?",
			 (int)len, name, variable);
}

void settings_warn(void)
{
	for (char **at = environ; *at; at++)
		if (strncmp(*at, PREFIX, strlen(PREFIX)) == 0)
			variable_warn(*at + strlen(PREFIX), strcspn(*at + strlen(PREFIX), "="));
}

static bool settings_read_environment(struct settings *settings)
{
	for (int i = 0; i < SETTINGS; i++) {
		char name[64];
		const char *text = getenv(environment_name((enum setting)i, name));
		char *origin;

		if (!text || setting_is_set(settings, i) ||
		    !setting_may_be_preset(settings->command, i))
			continue;
		origin = arena_copy(&settings->arena, slice_of(name));
		if (!origin || !setting_set(settings, (enum setting)i, text, origin))
			return false;
	}
	return true;
}

bool settings_presets(struct settings *settings)
{
	for (int i = 0; i < SETTINGS; i++)
		if (!settings->text[i] && setting_rows[i].preset &&
		    (settings->command->takes & SETTING_BIT(i)) &&
		    !setting_set(settings, (enum setting)i, setting_rows[i].preset, NULL))
			return false;
	return true;
}

bool settings_take(struct settings *settings, const char *name, const char *text,
		   const char *origin)
{
	for (int i = 0; i < SETTINGS; i++)
		if (strcmp(setting_rows[i].name, name) == 0 &&
		    (settings->command->takes & SETTING_BIT(i)))
			return setting_set(settings, (enum setting)i, text, origin);
	fprintf(settings->err, "docket: the process that serves the folder does not know --%s\n",
		name);
	return false;
}

const char *settings_name(enum setting setting)
{
	return setting_rows[setting].name;
}

bool settings_read(struct settings *settings, const struct commands *commands,
		   const struct command *command, int argc, char **argv,
		   enum exit_status *status_out)
{
	*settings = (struct settings){
		.commands = commands, .command = command, .out = stdout, .err = stderr};
	if (!settings_read_flags(settings, argc, argv, status_out))
		return false;
	*status_out = EXIT_USAGE;
	if (settings->text[SETTING_DATA] && settings->text[SETTING_DATABASE]) {
		settings_wrong(settings, SETTING_DATABASE,
			       "replaces --data: give only one of them");
		return false;
	}
	if (!settings_read_environment(settings) || !settings_read_file(settings))
		return false;
	for (int i = 0; i < SETTINGS; i++)
		if (!setting_is_set(settings, i) && (command->needs & SETTING_BIT(i))) {
			*status_out = settings_missing(settings, (enum setting)i);
			return false;
		}
	return settings_presets(settings);
}

void settings_release(struct settings *settings)
{
	arena_release(&settings->arena);
}
