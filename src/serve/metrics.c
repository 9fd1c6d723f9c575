/* SPDX-License-Identifier: MIT */
/* The listener of --metrics. */
#include "metrics/metrics.h"

#include "base/log.h"
#include "serve_private.h"
#include "sockets/sockets.h"

static enum err metrics_log_failure(enum err err, struct buf *why)
{
	if (err)
		log_line("--metrics: %.*s", (int)why->len, why->ptr ? why->ptr : err_text(err));
	buf_release(why);
	return err;
}

enum err serve_metrics_open(struct listen_addresses *addresses)
{
	struct buf why = {0};

	return metrics_log_failure(addresses ? listen_open(addresses, &why) : OK, &why);
}

enum err serve_metrics_start(const struct metrics_sources *sources,
			     struct listen_addresses *addresses, struct metrics **metrics_out)
{
	struct buf why = {0};

	return metrics_log_failure(
		addresses ? metrics_start(sources, addresses, metrics_out, &why) : OK, &why);
}

void serve_metrics_log(const struct metrics *metrics)
{
	const char *address;

	for (size_t i = 0; metrics && (address = metrics_address(metrics, i)); i++)
		log_line("metrics are at http://%s/metrics", address);
}
