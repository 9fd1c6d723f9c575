/* SPDX-License-Identifier: MIT */
/* Writes JSON (RFC 8259) straight into a buffer. Our own and not jansson's dumper: this is the
 * hot path, and a record is written without a tree being built first. The caller sees to the
 * nesting; commas are put by what stands before. */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

void json_open_object(struct buf *out);
void json_close_object(struct buf *out);
void json_open_array(struct buf *out);
void json_close_array(struct buf *out);

/* A key of an object; `name` must need no escapes. One value must follow. */
void json_put_key(struct buf *out, const char *name);

/* `text` must be well-formed UTF-8. */
void json_put_text(struct buf *out, struct slice text);
void json_put_int(struct buf *out, int64_t value);
void json_put_null(struct buf *out);

/* `json`, a value that is written already. */
void json_put_raw(struct buf *out, struct slice json);

/* Quotes around `raw`, which must need no escapes: dates, timestamps, numbers as text. */
void json_put_plain(struct buf *out, struct slice raw);

#endif
