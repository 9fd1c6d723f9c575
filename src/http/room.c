/* SPDX-License-Identifier: MIT */
/* How libmicrohttpd 0.9.75 and 1.0.1 divide the memory of a connection. The reading buffer starts
 * with half of it. It holds the head and what was read after the head. While a head does not fit,
 * the buffer grows by an eighth of what is left. The records of headers lie at the other end. The
 * head of the answer gets the space between. */
#include "room.h"

#include <microhttpd.h>
#include <string.h>

#include "guard.h"

#define TEXT(number) #number
#define TEXT_OF(number) TEXT(number)
#define LIMIT                                                                                                         \
	"the request line and the headers may have at most " TEXT_OF(ROOM_HEAD_MAX) " bytes together, with " TEXT_OF( \
		ROOM_PER_HEADER) " bytes added for each header, and "                                                 \
				 "there may be at most " TEXT_OF(ROOM_HEADERS_MAX) " headers"

#define BUFFER_BEGINS ((size_t)CONNECTION_MEMORY / 2)
/* The largest size of the buffer after a head of `head` bytes was read. */
#define BUFFER_END(head) ((head) + MEMORY_INCREMENT + (CONNECTION_MEMORY - (head)) / 8)

_Static_assert(BUFFER_BEGINS + ROOM_KEPT_MAX + ROOM_RESERVED <= CONNECTION_MEMORY,
	       "an answer fits behind a short head with many headers");
_Static_assert(ROOM_HEAD_MAX + MEMORY_INCREMENT + CONNECTION_MEMORY / 8 + ROOM_RESERVED <=
		       CONNECTION_MEMORY,
	       "an answer fits behind a long head");

struct room room_of(struct MHD_Connection *connection, size_t trailers)
{
	const union MHD_ConnectionInfo *size =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	enum MHD_ValueKind all = MHD_HEADER_KIND | MHD_COOKIE_KIND | MHD_FOOTER_KIND;
	int count = MHD_get_connection_values(connection, all, NULL, NULL);
	struct room room = {.head = (size ? size->header_size : CONNECTION_MEMORY) + trailers};
	const char *cookies = NULL;
	size_t len;

	room.kept = (size_t)count * ROOM_PER_HEADER;
	if (MHD_lookup_connection_value_n(connection, MHD_HEADER_KIND, "Cookie", strlen("Cookie"),
					  &cookies, &len) == MHD_YES)
		room.kept += len + 1;
	return room;
}

struct refusal room_check(const struct room *room, size_t target)
{
	if (room->kept <= ROOM_KEPT_MAX && room->head + room->kept <= ROOM_HEAD_MAX)
		return (struct refusal){0, NULL};
	if (target > ROOM_HEAD_MAX / 2)
		return (struct refusal){414, "the target is too long: " LIMIT};
	return (struct refusal){431, "the headers are too large: " LIMIT};
}

/* How many bytes are left, at least, when the head of the answer has `answer` bytes. */
static size_t room_left_beside(const struct room *room, size_t answer)
{
	size_t end = BUFFER_END(room->head), used;

	if (end < BUFFER_BEGINS)
		end = BUFFER_BEGINS;
	used = end + room->kept + answer;
	return used < CONNECTION_MEMORY ? CONNECTION_MEMORY - used : 0;
}

bool room_is_cramped(const struct room *room)
{
	return room_left_beside(room, ROOM_REFUSAL) == 0;
}

size_t room_left(const struct room *room)
{
	return room_left_beside(room, ROOM_RESERVED);
}
