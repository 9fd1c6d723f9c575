/* SPDX-License-Identifier: MIT */
/* The memory of a connection. libmicrohttpd keeps the head of a request and builds the head of its
 * answer in one block. Where the second does not fit beside the first, it closes the connection
 * without an answer, whatever was stored. So docket refuses a head that leaves too little, before
 * it looks at anything else, and bounds what it writes into the head of an answer. */
#ifndef HTTP_ROOM_H
#define HTTP_ROOM_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;
struct refusal;

#define CONNECTION_MEMORY 32768 /* bytes: the block of a connection */
/* How little room libmicrohttpd leaves in its reading buffer before that grows. Small, so that the
 * buffer grows for a long head alone, and requests that wait behind this one do not fill it. */
#define MEMORY_INCREMENT 256
/* What a head may have: its bytes, and what libmicrohttpd keeps for it, which is ROOM_PER_HEADER
 * for each header and each cookie, and a copy of the cookies. */
#define ROOM_HEAD_MAX 24576
#define ROOM_PER_HEADER 64
#define ROOM_HEADERS_MAX 208
#define ROOM_KEPT_MAX ((size_t)ROOM_HEADERS_MAX * ROOM_PER_HEADER)
/* Such a head always leaves this much for the head of its answer. ROOM_RESERVED of it is for all
 * headers but one of free length (Link). */
#define ROOM_RESERVED 3072
/* A refusal has few headers: at most this much. */
#define ROOM_REFUSAL 1024

struct room {
	size_t head; /* bytes of the head, with the trailers of a body in chunks */
	size_t kept; /* bytes that libmicrohttpd keeps for them elsewhere */
};

/* What the request takes of its connection's memory. */
struct room room_of(struct MHD_Connection *connection, size_t trailers);

/* Whether a request with a target of that many bytes has to be refused: status 0 where not. */
struct refusal room_check(const struct room *room, size_t target);

/* True when not even a refusal may fit behind the request, which room_check() refuses then. */
bool room_is_cramped(const struct room *room);

/* How many bytes a line of free length may have in the head of the answer, with its CRLF. */
size_t room_left(const struct room *room);

#endif
