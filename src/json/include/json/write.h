/* SPDX-License-Identifier: MIT */
/* Writes JSON (RFC 8259) straight into a buffer. docket does not use jansson for it: writing is the
 * hot path, and this needs no tree of the record. The caller closes what it opens; commas are
 * written where they are needed.
 *
 *	json_open_object(out);
 *	json_put_key(out, "id");
 *	json_put_int(out, 7);
 *	json_put_key(out, "title");
 *	json_put_text(out, title);
 *	json_close_object(out); // {"id":7,"title":"…"}
 */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

void json_open_object(struct buf *out);
void json_close_object(struct buf *out);
void json_open_array(struct buf *out);
void json_close_array(struct buf *out);

/* A key of an object. `name` must not need escapes. One value must follow. */
void json_put_key(struct buf *out, const char *name);

/* `text` must be well-formed UTF-8. */
void json_put_text(struct buf *out, struct slice text);
void json_put_int(struct buf *out, int64_t value);
void json_put_null(struct buf *out);

/* A value that is JSON already. */
void json_put_raw(struct buf *out, struct slice json);

/* A string that does not need escapes, such as a date or a timestamp: `raw` in quotes. */
void json_put_plain(struct buf *out, struct slice raw);

#endif
