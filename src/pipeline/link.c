/* SPDX-License-Identifier: MIT */
/* The beginning of links to docket, as clients see it. */
#include "pipeline_private.h"
#include "base/url.h"

#define PREFIX_MAX 255 /* bytes of X-Forwarded-Prefix */

/* The base URL. With a base domain, the account's name is put before its host. */
static const char *link_absolute(struct call *call)
{
	struct slice url = call->app->base_url;

	return call->app->base_domain && call->account.len
		       ? url_with_name(&call->http->arena, url, call->account)
		       : arena_copy(&call->http->arena, url);
}

/* The path that the proxy removes from requests. If the header is sent twice, the values are joined
 * by a comma, which this path must not have. */
static const char *link_prefix(struct call *call)
{
	struct slice path;

	if (!http_header(call->http, "X-Forwarded-Prefix").len)
		return "";
	if (http_header_list(call->http, "X-Forwarded-Prefix", &path))
		return NULL;
	if (path.len > PREFIX_MAX || !url_is_path(path)) {
		call->prefix_ignored = true;
		return "";
	}
	if (path.ptr[path.len - 1] == '/')
		path.len--;
	return arena_copy(&call->http->arena, path);
}

const char *link_base(struct call *call)
{
	if (call->link_base)
		return call->link_base;
	if (call->app->base_url.len)
		call->link_base = link_absolute(call);
	else
		call->link_base = call->app->behind_proxy ? link_prefix(call) : "";
	return call->link_base;
}

char *link_record(struct call *call, int64_t id)
{
	const char *base = link_base(call);

	return base ? arena_printf(&call->http->arena, "%s%s/%lld", base, call->route->path,
				   (long long)id)
		    : NULL;
}
