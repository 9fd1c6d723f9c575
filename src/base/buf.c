/* SPDX-License-Identifier: MIT */
/* The growable buffer. When it is full, its capacity doubles. So if n bytes are added one by one,
 * realloc() copies at most 2n bytes. */
#include "base/buf.h"

#include <stdarg.h>

#define FIRST_CAP ((size_t)256)
#define LARGEST_CAP (SIZE_MAX / 4)

void buf_release(struct buf *buf)
{
	if (!buf)
		return;
	free(buf->ptr);
	*buf = (struct buf){0};
}

void buf_clear(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
}

bool buf_reserve(struct buf *buf, size_t more)
{
	size_t cap;
	char *ptr;

	if (buf->failed)
		return false;
	if (more <= buf->cap - buf->len)
		return true;
	if (more > LARGEST_CAP - buf->len) {
		buf->failed = true;
		return false;
	}
	cap = buf->cap ? buf->cap * 2 : FIRST_CAP;
	if (cap < buf->len + more)
		cap = buf->len + more;
	ptr = realloc(buf->ptr, cap);
	if (!ptr) {
		buf->failed = true;
		return false;
	}
	buf->ptr = ptr;
	buf->cap = cap;
	return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (len == 0 || !buf_reserve(buf, len))
		return;
	memcpy(buf->ptr + buf->len, bytes, len);
	buf->len += len;
}

void buf_add_slice(struct buf *buf, struct slice text)
{
	buf_add(buf, text.ptr, text.len);
}

void buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
	if (buf_reserve(buf, 1))
		buf->ptr[buf->len++] = c;
}

void buf_add_int(struct buf *buf, int64_t value)
{
	char digits[20]; /* a sign and 19 digits at most */
	size_t at = sizeof(digits);
	/* Negated as unsigned: INT64_MIN has no positive counterpart. */
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do {
		digits[--at] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (value < 0)
		digits[--at] = '-';
	buf_add(buf, digits + at, sizeof(digits) - at);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args, again;
	size_t room;
	int len;

	if (buf->failed)
		return;
	va_start(args, format);
	va_copy(again, args);
	room = buf->cap - buf->len;
	len = vsnprintf(room ? buf->ptr + buf->len : NULL, room, format, args);
	if (len < 0) {
		buf->failed = true;
	} else if ((size_t)len < room) {
		buf->len += (size_t)len;
	} else if (buf_reserve(buf, (size_t)len + 1)) { /* with the NUL, which is not kept */
		vsnprintf(buf->ptr + buf->len, (size_t)len + 1, format, again);
		buf->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}
