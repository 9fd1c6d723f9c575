/* SPDX-License-Identifier: MIT */
/* Reads the settings in the configuration file. */
#include <errno.h>
#include <ini.h>

#include "base/slice.h"
#include "settings_private.h"

#define LINE_BYTES (64 * 1024) /* of the configuration file */

struct file_reading {
	FILE *file;
	struct settings *settings;
	setting_bits seen;
	char wrong[256]; /* about the first line that is wrong */
};

static void file_refuse_name(const char *name, char *wrong, size_t size)
{
	const char *nearest = setting_nearest(name);

	snprintf(wrong, size, "\"%s\" is not a known setting%s%s%s", name,
		 nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

/* Returns 0 for a line that is wrong, as inih requires. */
static int file_take_line(void *context, const char *section, const char *name, const char *value)
{
	struct file_reading *reading = context;
	struct settings *settings = reading->settings;
	char *text, *origin;
	int i = 0;

	(void)section; /* file_read_line() refuses them */
	if (reading->wrong[0])
		return 0;
	while (i < SETTINGS && strcmp(setting_rows[i].name, name) != 0)
		i++;
	if (i == SETTING_CONFIG)
		snprintf(reading->wrong, sizeof(reading->wrong),
			 "a configuration file cannot name another one");
	else if (i == SETTINGS)
		file_refuse_name(name, reading->wrong, sizeof(reading->wrong));
	else if (reading->seen & SETTING_BIT(i))
		snprintf(reading->wrong, sizeof(reading->wrong), "%s is given twice", name);
	if (reading->wrong[0])
		return 0;
	reading->seen |= SETTING_BIT(i);
	if (setting_is_set(settings, i) || !setting_may_be_preset(settings->command, i))
		return 1;
	text = arena_copy(&settings->arena, slice_of(value));
	origin = arena_printf(&settings->arena, "%s: %s", settings->text[SETTING_CONFIG], name);
	if (!text || !origin || !setting_set(settings, (enum setting)i, text, origin)) {
		snprintf(reading->wrong, sizeof(reading->wrong), "this value is wrong");
		return 0;
	}
	return 1;
}

/* Like fgets(). It refuses a line that is too long: inih would read the rest of it as another
 * line. */
static char *file_read_line(char *text, int size, void *context)
{
	struct file_reading *reading = context;
	char *line = fgets(text, size, reading->file);

	if (line && !strchr(line, '\n') && strlen(line) == (size_t)size - 1 && !reading->wrong[0])
		snprintf(reading->wrong, sizeof(reading->wrong),
			 "longer than %d bytes: set it as an option or in the environment",
			 size - 3);
	if (line && line[strspn(line, " \t\xef\xbb\xbf")] == '[' && !reading->wrong[0])
		snprintf(reading->wrong, sizeof(reading->wrong),
			 "a configuration file has no sections");
	/* inih accepts any section. So the line is replaced by one that it refuses. */
	if (line && reading->wrong[0])
		snprintf(line, (size_t)size, "wrong\n");
	return line;
}

bool settings_read_file(struct settings *settings)
{
	struct file_reading reading = {.settings = settings};
	const char *name = settings->text[SETTING_CONFIG];
	int line;

	if (!name)
		return true;
	/* Debian's inih has variables for its limits: lines are on the heap, and may be longer. */
	ini_use_stack = false;
	ini_initial_alloc = ini_max_line = LINE_BYTES;
	ini_allow_multiline = false;
	reading.file = fopen(name, "re");
	line = reading.file ? ini_parse_stream(file_read_line, &reading, file_take_line, &reading)
			    : -1;
	if (line < 0 || ferror(reading.file)) {
		settings_wrong(settings, SETTING_CONFIG, "%s cannot be read: %s", name,
			       strerror(errno));
		line = -1;
	} else if (line > 0) {
		settings_wrong(settings, SETTING_CONFIG, "%s, line %d: %s", name, line,
			       reading.wrong[0] ? reading.wrong : "must be `name = value`");
	}
	if (reading.file)
		fclose(reading.file);
	return line == 0;
}
