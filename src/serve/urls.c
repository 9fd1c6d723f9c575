/* SPDX-License-Identifier: MIT */
/* The settings that are URLs: --cors-origins and --base-url. */
#include "serve_private.h"

#include "base/url.h"

#define URL_MAX 255 /* characters, because links must fit in the head of an answer */

static bool is_default_port(struct slice origin)
{
	struct slice port = url_port(origin);

	return (strncasecmp(origin.ptr, "http:", 5) == 0 && slice_is(port, "80")) ||
	       (strncasecmp(origin.ptr, "https:", 6) == 0 && slice_is(port, "443"));
}

static bool has_origins(const struct settings *settings)
{
	const char *list = settings->text[SETTING_CORS_ORIGINS];
	struct slice entry;

	while (url_list_next(&list, &entry)) {
		if (entry.len == 0 || entry.len > URL_MAX || url_origin(entry).len != entry.len) {
			settings_wrong(settings, SETTING_CORS_ORIGINS,
				       "must be origins such as "
				       "https://app.example.com,http://localhost:3000, without a "
				       "path or a slash at the end; got \"%.*s\"",
				       (int)entry.len, entry.ptr);
			return false;
		}
		if (is_default_port(entry)) {
			settings_wrong(settings, SETTING_CORS_ORIGINS,
				       "has the default port of its scheme, which browsers leave "
				       "out of an origin; got \"%.*s\"",
				       (int)entry.len, entry.ptr);
			return false;
		}
	}
	return true;
}

struct slice urls_base(const struct settings *settings)
{
	struct slice url = slice_of(settings->text[SETTING_BASE_URL]), origin, path;

	if (!url.len || url.len > URL_MAX ||
	    !(strncasecmp(url.ptr, "http://", 7) == 0 || strncasecmp(url.ptr, "https://", 8) == 0))
		return SLICE("");
	origin = url_origin(url);
	path = (struct slice){url.ptr + origin.len, url.len - origin.len};
	if (!origin.len || (path.len && !url_is_path(path)))
		return SLICE("");
	if (path.len && url.ptr[url.len - 1] == '/')
		url.len--;
	return url;
}

static bool is_ip_address(struct slice host)
{
	return host.ptr[0] == '[' || strspn(host.ptr, "0123456789.") >= host.len;
}

static bool has_base_url(const struct settings *settings)
{
	const char *text = settings->text[SETTING_BASE_URL];
	bool absolute = settings->number[SETTING_ABSOLUTE_LINKS];
	bool linked = absolute || settings->text[SETTING_SMTP_URL];

	if (absolute && !text)
		settings_wrong(settings, SETTING_ABSOLUTE_LINKS, "needs --base-url as well");
	else if (text && !urls_base(settings).len)
		settings_wrong(settings, SETTING_BASE_URL,
			       "must be a URL such as https://docket.example.com or "
			       "https://www.example.com/tracker, of at most %d characters and "
			       "without a query; got \"%s\"",
			       URL_MAX, text);
	else if (linked && text && settings->text[SETTING_BASE_DOMAIN] &&
		 is_ip_address(url_host(url_origin(slice_of(text)))))
		settings_wrong(settings, SETTING_BASE_URL,
			       "must have a host name, not an address: with --base-domain the "
			       "account's name goes before it; got \"%s\"",
			       text);
	else
		return true;
	return false;
}

bool urls_check(const struct settings *settings)
{
	return has_origins(settings) && has_base_url(settings);
}

void urls_set(const struct settings *settings, struct app *app)
{
	app->cors_origins = settings->text[SETTING_CORS_ORIGINS];
	if (settings->number[SETTING_ABSOLUTE_LINKS])
		app->base_url = urls_base(settings);
}
