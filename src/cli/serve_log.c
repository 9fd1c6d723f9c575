/* SPDX-License-Identifier: MIT */
/* Chooses the form of the log and writes its first line. */
#include "cli/serve_log.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/slice.h"
#include "place/place.h"
#include "store/store.h"

bool serve_log_begin(const struct settings *settings)
{
	static const char *const names[] = {[LOG_TEXT] = "text", [LOG_JSON] = "json"};
	const char *name = settings->text[SETTING_LOG_FORMAT];

	if (!name)
		name = names[isatty(STDERR_FILENO) ? LOG_TEXT : LOG_JSON];
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0) {
			log_set_format((enum log_format)i);
			return true;
		}
	settings_wrong(settings, SETTING_LOG_FORMAT, "must be json or text; got \"%s\"", name);
	return false;
}

/* The URL (RFC 3986) without its user information and its query: either may have a password. A
 * user name and a password of libpq's URLs end at the last @ before the path. */
static void split_url(const char *url, struct slice *scheme_out, struct slice *rest_out)
{
	const char *rest = strstr(url, "://") + strlen("://");
	size_t authority = strcspn(rest, "/");
	const char *at = memrchr(rest, '@', authority);

	*scheme_out = (struct slice){url, (size_t)(rest - url)};
	if (at)
		rest = at + 1;
	*rest_out = (struct slice){rest, strcspn(rest, "?#")};
}

void serve_log_started(const struct settings *settings)
{
	const char *url = settings->text[SETTING_DATABASE];
	struct slice scheme, rest;

	if (!url) {
		log_line("version %s serves the folder %s, schema %d", DOCKET_VERSION,
			 settings->text[SETTING_DATA], store_schema());
		return;
	}
	split_url(url, &scheme, &rest);
	log_line("version %s serves the database %.*s%.*s, schema %d", DOCKET_VERSION,
		 (int)scheme.len, scheme.ptr, (int)rest.len, rest.ptr, store_schema());
}
