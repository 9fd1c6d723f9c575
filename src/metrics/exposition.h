/* SPDX-License-Identifier: MIT */
/* Writes Prometheus' text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). All samples of a metric stand
 * together, after its HELP and TYPE. */
#ifndef METRICS_EXPOSITION_H
#define METRICS_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define LABELS_MAX 4

struct label {
	const char *name, *value;
};

struct family {
	const char *name;
	const char *type; /* "counter", "gauge" or "histogram" */
	const char *help;
};

/* `value` divided by ten to the power of `decimals`. */
struct amount {
	int64_t value;
	unsigned decimals;
};

void exposition_family(struct buf *out, const struct family *family);

/* A sample of the metric `name` with `suffix`, such as "_sum" or "". Labels without a name are left
 * out. At most LABELS_MAX labels. */
void exposition_sample(struct buf *out, const char *name, const char *suffix,
		       const struct label *labels, size_t count, struct amount value);

/* A histogram. `bounds` and `counts` are those of `buckets` buckets, which do not overlap. The last
 * bucket has no bound. The bounds and `sum` have `decimals` decimals. */
void exposition_histogram(struct buf *out, const char *name, const struct label *labels,
			  size_t count, const int64_t *bounds, const uint64_t *counts,
			  size_t buckets, struct amount sum);

#endif
