/* SPDX-License-Identifier: MIT */
#ifndef HTTP_TLS_SESSION_H
#define HTTP_TLS_SESSION_H

#include <stdbool.h>

struct certificates;
struct tls;

/* The part of a connection that is TLS; zeroed before tls_begin() and where there is no TLS. */
struct tls_session {
	struct tls *tls;
	struct certificates *certificates; /* held from the handshake to the end */
	bool handshaking;
};

#endif
