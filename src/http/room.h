/* SPDX-License-Identifier: MIT */
/* The memory of a connection. libmicrohttpd keeps the head of a request and builds the head of its
 * answer in one block. If both do not fit, it closes the connection without an answer, even if the
 * request stored something. So docket refuses a head that leaves too little memory, before anything
 * else, and bounds the head of each answer. */
#ifndef HTTP_ROOM_H
#define HTTP_ROOM_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;
struct refusal;

#define CONNECTION_MEMORY 32768 /* bytes: the block of a connection */
/* libmicrohttpd lets its reading buffer grow when less room than this is left. A small value lets
 * the buffer grow for a long head only, and not for pipelined requests. */
#define MEMORY_INCREMENT 256
/* The limits of a head: its bytes, and what libmicrohttpd keeps outside its buffer: ROOM_PER_HEADER
 * for each header and each cookie, and a copy of the cookies. */
#define ROOM_HEAD_MAX 24576
#define ROOM_PER_HEADER 64
#define ROOM_HEADERS_MAX 208
#define ROOM_KEPT_MAX ((size_t)ROOM_HEADERS_MAX * ROOM_PER_HEADER)
/* A head within the limits leaves at least this many bytes for the head of its answer. All headers
 * of the answer except Link together may take so many. Link, which can be long, may take what
 * room_left() says. */
#define ROOM_RESERVED 3072
/* The head of a refusal has few headers and at most this many bytes. */
#define ROOM_REFUSAL 1024

struct room {
	size_t head; /* bytes of the head, with the trailers of a body in chunks */
	size_t kept; /* bytes that libmicrohttpd keeps outside its buffer */
};

/* How much of its connection's memory the request takes. */
struct room room_of(struct MHD_Connection *connection, size_t trailers);

/* Whether a request with a target of this many bytes has to be refused. Status 0: no. */
struct refusal room_check(const struct room *room, size_t target);

/* Whether even the head of a refusal may not fit. room_check() refuses such a request. */
bool room_is_cramped(const struct room *room);

/* How many bytes Link may have in the head of the answer, with its CRLF. */
size_t room_left(const struct room *room);

#endif
