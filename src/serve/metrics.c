/* SPDX-License-Identifier: MIT */
/* The listener of --metrics. */
#include "metrics/metrics.h"

#include "base/log.h"
#include "serve_private.h"

enum err serve_metrics_start(const struct metrics_sources *sources,
			     struct listen_addresses *addresses, struct metrics **metrics_out)
{
	struct buf why = {0};
	enum err err;

	if (!addresses)
		return OK;
	err = metrics_start(sources, addresses, metrics_out, &why);
	if (err)
		log_line("--metrics: %.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	buf_release(&why);
	return err;
}

void serve_metrics_log(const struct metrics *metrics)
{
	const char *address;

	for (size_t i = 0; metrics && (address = metrics_address(metrics, i)); i++)
		log_line("metrics are at http://%s/metrics", address);
}
