/* SPDX-License-Identifier: MIT */
/* Chooses the form of the log. */
#include <unistd.h>

#include "base/log.h"
#include "settings_private.h"

bool settings_set_log(const struct settings *settings)
{
	static const char *const names[] = {[LOG_TEXT] = "text", [LOG_JSON] = "json"};
	const char *name = settings->text[SETTING_LOG_FORMAT];

	if (!name)
		name = names[isatty(STDERR_FILENO) ? LOG_TEXT : LOG_JSON];
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (strcmp(names[i], name) == 0) {
			log_set_format((enum log_format)i);
			return true;
		}
	settings_wrong(settings, SETTING_LOG_FORMAT, "must be json or text; got \"%s\"", name);
	return false;
}
