/* SPDX-License-Identifier: MIT */
/* TLS, by GnuTLS inside libmicrohttpd: which certificates there are now, and what each connection's
 * session needs besides what libmicrohttpd gives it. */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <gnutls/abstract.h>

#include "base/buf.h"
#include "base/err.h"
#include "tls_session.h"

/* TLS 1.2 and 1.3 with forward secrecy and authenticated encryption alone (RFC 9325): no CBC, no
 * RSA key exchange, no finite fields, whose exchange costs more than that of the curves. */
#define TLS_PRIORITIES                                                                            \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:" \
	"+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD:-GROUP-DH-ALL"

struct connection;
struct tls;

/* As certificates_read(). The names are copied. */
enum err tls_new(const char *chains, const char *keys, struct tls **tls_out, struct buf *why);
/* When no session is left. NULL is accepted. */
void tls_free(struct tls *tls);

/* Reads the files again: handshakes begun from now on get what they hold. On an error all stays as
 * it is, and `why` says why. */
enum err tls_reload(struct tls *tls, struct buf *why);

/* A new connection, before its handshake. */
void tls_begin(struct tls *tls, gnutls_session_t session, struct connection *connection);
void tls_end(struct tls_session *session);

/* For MHD_OPTION_HTTPS_CERT_CALLBACK2. */
gnutls_certificate_retrieve_function3 tls_retrieve;

#endif
