/* SPDX-License-Identifier: MIT */
/* TLS, with GnuTLS inside libmicrohttpd: the current certificates, and the part of the set-up of a
 * session that libmicrohttpd does not do. */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <gnutls/abstract.h>

#include "base/buf.h"
#include "base/err.h"
#include "http/http.h"
#include "tls_session.h"

/* TLS 1.2 and 1.3, only with forward secrecy and authenticated encryption (RFC 9325): no CBC, no
 * RSA key exchange. No signatures with SHA-1 (RFC 9155). No finite-field Diffie-Hellman, which
 * costs more than elliptic curves. docket chooses the suite: AES-128, which costs least, if the
 * client has it. */
#define TLS_PRIORITIES                                                                            \
	"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:" \
	"+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:-MAC-ALL:+AEAD:-GROUP-DH-ALL:"              \
	"-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%SERVER_PRECEDENCE"

struct connection;
struct tls;

/* Reads the certificates as certificates_read() does. The names of the files are copied. */
enum err tls_new(const char *chains, const char *keys, struct tls **tls_out, struct buf *why);
/* No session may be left. NULL is accepted. */
void tls_free(struct tls *tls);

/* Reads the files again, for handshakes that begin from now on. On an error the old certificates
 * stay, and `why` says why. */
enum err tls_reload(struct tls *tls, struct buf *why);

/* See http_each_certificate() and http_renew_tickets(). */
void tls_each_certificate(struct tls *tls,
			  void (*each)(void *context, const struct certificate_facts *certificate),
			  void *context);
void tls_renew_tickets(struct tls *tls);

/* Prepares the session of a new connection, before its handshake. */
void tls_begin(struct tls *tls, gnutls_session_t session, struct connection *connection);
void tls_end(struct tls_session *session);

/* For MHD_OPTION_HTTPS_CERT_CALLBACK2. */
gnutls_certificate_retrieve_function3 tls_retrieve;

#endif
