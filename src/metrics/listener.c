/* SPDX-License-Identifier: MIT */
/* The listener of --metrics: a server of http/ with one thread. It has its own connections and
 * deadlines, so it answers while the API is overloaded or drains. */
#include <stdlib.h>

#include "exposition.h"
#include "http/http.h"
#include "metrics/metrics.h"

#define CONNECTIONS 16
#define IDLE_S 75

struct metrics {
	struct http_server *server;
	const struct metrics_sources *sources;
};

static void metrics_ignore(void *data, struct http_request *request)
{
	(void)data;
	(void)request;
}

static void metrics_say(struct http_request *request, unsigned status, const char *text)
{
	http_add_header(request, "Content-Type", "text/plain; charset=utf-8");
	buf_add_text(&request->response.body, text);
	buf_add_char(&request->response.body, '\n');
	request->response.status = status;
}

static void metrics_answer(void *data, struct http_request *request)
{
	const struct metrics *metrics = data;

	if (!slice_is(request->path, "/metrics")) {
		metrics_say(request, 404, "not found: the metrics are at /metrics");
	} else if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
		http_add_header(request, "Allow", "GET, HEAD");
		metrics_say(request, 405, "this path allows GET and HEAD");
	} else {
		http_add_header(request, "Content-Type", EXPOSITION_TYPE);
		http_add_header(request, "Cache-Control", "no-store");
		metrics_write(metrics->sources, &request->response.body);
		request->response.status = 200;
	}
}

static void metrics_refuse(void *data, struct http_request *request, unsigned status,
			   const char *why)
{
	(void)data;
	metrics_say(request, status, why);
}

/* Every request is answered when its head was read. */
static const struct http_app metrics_app = {
	.on_head = metrics_answer,
	.on_body = metrics_answer,
	.on_answer = metrics_ignore,
	.on_end = metrics_ignore,
	.on_refused = metrics_refuse,
};

enum err metrics_start(const struct metrics_sources *sources, struct listen_addresses *addresses,
		       struct metrics **metrics_out, struct buf *why)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	struct http_config config = {
		.addresses = addresses,
		.threads = 1,
		.app = &metrics_app,
		.app_data = metrics,
		.limits = http_default_limits,
	};
	enum err err;

	if (!metrics)
		return ERR_NOMEM;
	metrics->sources = sources;
	config.limits.connections = CONNECTIONS;
	config.limits.idle_s = IDLE_S;
	err = http_start(&config, &metrics->server, why);
	if (err)
		free(metrics);
	else
		*metrics_out = metrics;
	return err;
}

const char *metrics_address(const struct metrics *metrics, size_t index)
{
	return http_address(metrics->server, index);
}

void metrics_stop(struct metrics *metrics)
{
	if (metrics)
		http_stop(metrics->server);
	free(metrics);
}
