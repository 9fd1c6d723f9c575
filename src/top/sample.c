/* SPDX-License-Identifier: MIT */
/* Two samples of the counters, and rates between them. */
#include "sample.h"

void samples_add(struct samples *samples, json_t *status, int64_t us)
{
	int64_t pid = sample_number(samples->now, "process", "pid");
	int64_t up = sample_number(samples->now, "process", "uptime_s");

	json_decref(samples->before);
	samples->before = samples->now;
	samples->before_us = samples->now_us;
	samples->now = status;
	samples->now_us = us;
	/* A process in a container has the same pid after a restart. */
	if (samples->before && (pid != sample_number(status, "process", "pid") ||
				up > sample_number(status, "process", "uptime_s"))) {
		json_decref(samples->before);
		samples->before = NULL;
	}
}

void samples_release(struct samples *samples)
{
	json_decref(samples->now);
	json_decref(samples->before);
	*samples = (struct samples){0};
}

int64_t sample_number(const json_t *status, const char *section, const char *name)
{
	return json_integer_value(json_object_get(json_object_get(status, section), name));
}

const char *sample_text(const json_t *status, const char *section, const char *name)
{
	const char *text =
		json_string_value(json_object_get(json_object_get(status, section), name));

	return text ? text : "";
}

bool samples_have_rates(const struct samples *samples)
{
	return samples->before && samples->now_us > samples->before_us;
}

double samples_rate_of(const struct samples *samples, int64_t more)
{
	if (!samples_have_rates(samples))
		return RATE_UNKNOWN;
	return (double)more * 1e6 / (double)(samples->now_us - samples->before_us);
}

int64_t samples_growth(const struct samples *samples, const char *section, const char *name)
{
	return sample_number(samples->now, section, name) -
	       sample_number(samples->before, section, name);
}

double samples_rate(const struct samples *samples, const char *section, const char *name)
{
	return samples_rate_of(samples, samples_growth(samples, section, name));
}
