/* SPDX-License-Identifier: MIT */
/* Prometheus' text format. No library of Debian writes it from C. */
#include "exposition.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AMOUNT_BYTES 48

/* In a label's value the characters \, " and line feed are escaped; in HELP only \ and line
 * feed. */
static void put_escaped(struct buf *out, const char *text, const char *escaped)
{
	for (; *text; text++) {
		if (strchr(escaped, *text))
			buf_add_char(out, '\\');
		buf_add_char(out, *text == '\n' ? 'n' : *text);
	}
}

void exposition_family(struct buf *out, const struct family *family)
{
	buf_printf(out, "# HELP %s ", family->name);
	put_escaped(out, family->help, "\\\n");
	buf_printf(out, "\n# TYPE %s %s\n", family->name, family->type);
}

/* Writes "1.5", without zeros at the end. */
static void amount_write(struct amount amount, char text[AMOUNT_BYTES])
{
	int64_t whole = amount.value, unit = 1;
	int len;

	for (unsigned i = 0; i < amount.decimals; i++) {
		whole /= 10;
		unit *= 10;
	}
	len = snprintf(text, AMOUNT_BYTES, "%s%" PRId64, amount.value < 0 && !whole ? "-" : "",
		       whole);
	if (amount.value % unit == 0)
		return;
	len += snprintf(text + len, AMOUNT_BYTES - (size_t)len, ".%0*" PRId64, (int)amount.decimals,
			(int64_t)llabs(amount.value % unit));
	while (text[len - 1] == '0')
		text[--len] = '\0';
}

void exposition_sample(struct buf *out, const char *name, const char *suffix,
		       const struct label *labels, size_t count, struct amount value)
{
	char text[AMOUNT_BYTES], mark = '{';

	buf_add_text(out, name);
	buf_add_text(out, suffix);
	for (size_t i = 0; i < count; i++) {
		if (!labels[i].name)
			continue;
		buf_add_char(out, mark);
		buf_add_text(out, labels[i].name);
		buf_add_text(out, "=\"");
		put_escaped(out, labels[i].value, "\\\"\n");
		buf_add_char(out, '"');
		mark = ',';
	}
	amount_write(value, text);
	buf_printf(out, "%s %s\n", mark == ',' ? "}" : "", text);
}

void exposition_histogram(struct buf *out, const char *name, const struct label *labels,
			  size_t count, const int64_t *bounds, const uint64_t *counts,
			  size_t buckets, struct amount sum)
{
	struct label all[LABELS_MAX];
	char bound[AMOUNT_BYTES];
	uint64_t total = 0;

	assert(count < LABELS_MAX);
	memcpy(all, labels, count * sizeof(*labels));
	all[count] = (struct label){"le", bound};
	for (size_t i = 0; i < buckets; i++) {
		total += counts[i];
		if (i + 1 < buckets)
			amount_write((struct amount){bounds[i], sum.decimals}, bound);
		else
			snprintf(bound, sizeof(bound), "+Inf");
		exposition_sample(out, name, "_bucket", all, count + 1,
				  (struct amount){(int64_t)total, 0});
	}
	exposition_sample(out, name, "_sum", labels, count, sum);
	exposition_sample(out, name, "_count", labels, count, (struct amount){(int64_t)total, 0});
}
