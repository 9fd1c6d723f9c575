/* SPDX-License-Identifier: MIT */
#ifndef HTTP_TLS_SESSION_H
#define HTTP_TLS_SESSION_H

#include <stdbool.h>

struct certificates;
struct tls;

/* The TLS state of a connection; zeroed before tls_begin() and without TLS. */
struct tls_session {
	struct tls *tls;
	struct certificates *certificates; /* held from the handshake to the end */
	bool handshaking;
};

#endif
