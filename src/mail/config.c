/* SPDX-License-Identifier: MIT */
/* Reads the URL that says where mail goes. */
#include <unistd.h>

#include "base/ip.h"
#include "base/url.h"
#include "mail_private.h"

#define FILE_SCHEME "file:"

const char *mail_folder(const char *url)
{
	size_t len = strlen(FILE_SCHEME);

	return strncasecmp(url, FILE_SCHEME, len) == 0 ? url + len : NULL;
}

bool mail_is_local(const char *url)
{
	static const unsigned char v4[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
	static const unsigned char v6[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
	struct slice host = url_host(url_origin(slice_of(url)));
	struct ip ip;

	if (host.len > 2 && host.ptr[0] == '[')
		host = (struct slice){host.ptr + 1, host.len - 2};
	if (!ip_parse(host, &ip))
		return slice_is_nocase(host, "localhost");
	return memcmp(ip.bytes, v4, sizeof(v4)) == 0 || memcmp(ip.bytes, v6, sizeof(v6)) == 0;
}

static bool is_smtp(const char *url)
{
	size_t len = url_origin(slice_of(url)).len;

	return (strncasecmp(url, "smtp://", 7) == 0 || strncasecmp(url, "smtps://", 8) == 0) &&
	       len && (!url[len] || strcmp(url + len, "/") == 0);
}

bool mail_config_check(const struct mail_config *config, struct buf *why)
{
	const char *folder = mail_folder(config->url);

	if (folder && access(folder, W_OK | X_OK))
		buf_add_text(why, "must name a folder that exists, into which docket may write");
	else if (!folder && !is_smtp(config->url))
		buf_add_text(why, "must be smtp://HOST:PORT, smtps://HOST:PORT or file:DIR, "
				  "without a user name or a path");
	else
		return true;
	return false;
}
