/* SPDX-License-Identifier: MIT */
/* What the process has said last, and before that. Rates are between the two. */
#ifndef TOP_SAMPLE_H
#define TOP_SAMPLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct samples {
	json_t *now, *before; /* as "docket status --json" shows it; NULL: there is none */
	int64_t now_us, before_us;
};

#define RATE_UNKNOWN (-1.0)

/* Takes over `status`, which came at `us` of monotonic_us(). What another process has said before
 * is forgotten: a process counts from its start. */
void samples_add(struct samples *samples, json_t *status, int64_t us);
void samples_release(struct samples *samples);

/* A number of a section; 0: there is none. */
int64_t sample_number(const json_t *status, const char *section, const char *name);
/* A text of a section; "": there is none. */
const char *sample_text(const json_t *status, const char *section, const char *name);

/* Whether rates can be known: there are two samples. */
bool samples_have_rates(const struct samples *samples);
/* `more` in the time between the samples, by the second. RATE_UNKNOWN. */
double samples_rate_of(const struct samples *samples, int64_t more);
/* How much a number has grown, and the same by the second. */
int64_t samples_growth(const struct samples *samples, const char *section, const char *name);
double samples_rate(const struct samples *samples, const char *section, const char *name);

#endif
