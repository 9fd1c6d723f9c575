/* SPDX-License-Identifier: MIT */
/* A growable buffer. When memory runs out, it is marked as failed and later writes do nothing. So a
 * caller checks `failed` only once, before it uses the contents. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct buf {
	char *ptr; /* malloc'ed, or NULL */
	size_t len;
	size_t cap;
	bool failed;
};

/* Frees the contents; `buf` is empty then. NULL is accepted. */
void buf_release(struct buf *buf);

/* Empties the buffer, keeps its memory and clears `failed`. */
void buf_clear(struct buf *buf);

/* Makes room for `more` bytes behind the contents. False if memory runs out. */
bool buf_reserve(struct buf *buf, size_t more);

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_slice(struct buf *buf, struct slice text);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_add_int(struct buf *buf, int64_t value);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The contents; valid until the next change. */
static inline struct slice buf_slice(const struct buf *buf)
{
	return (struct slice){buf->ptr, buf->len};
}

#endif
