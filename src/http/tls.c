/* SPDX-License-Identifier: MIT */
/* Sets up each session: its certificate, by the name that the client asks for (SNI), its tickets,
 * and the function that reads from its socket. A ticket lets the client's next handshake do without
 * the certificate and its signature. Whoever has the key of tickets could resume sessions, and read
 * recorded ones of TLS 1.2. So the key is never stored, and soon replaced. During a handshake
 * libmicrohttpd 0.9.75 reads in a loop without a pause. One client that stops in the middle would
 * use up a core. So the session reads through session_pull(), which parks the connection until the
 * client sends more. */
#include "tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "certificates/certificates.h"
#include "connections.h"

struct tls {
	char *chains, *keys; /* names of the files */
	pthread_mutex_t lock;
	/* Under the lock. */
	struct certificates *now;
	gnutls_datum_t ticket_key; /* data NULL: no tickets */
};

static void ticket_key_release(gnutls_datum_t *key)
{
	if (key->data)
		gnutls_memset(key->data, 0, key->size);
	gnutls_free(key->data);
}

enum err tls_new(const char *chains, const char *keys, struct tls **tls_out, struct buf *why)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	enum err err = ERR_NOMEM;

	if (!tls)
		return ERR_NOMEM;
	pthread_mutex_init(&tls->lock, NULL);
	tls->chains = strdup(chains);
	tls->keys = strdup(keys);
	if (tls->chains && tls->keys)
		err = certificates_read(chains, keys, &tls->now, why);
	if (err) {
		tls_free(tls);
		return err;
	}
	tls_renew_tickets(tls);
	*tls_out = tls;
	return OK;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	certificates_release(tls->now);
	ticket_key_release(&tls->ticket_key);
	pthread_mutex_destroy(&tls->lock);
	free(tls->chains);
	free(tls->keys);
	free(tls);
}

enum err tls_reload(struct tls *tls, struct buf *why)
{
	struct certificates *read, *old;
	enum err err = certificates_read(tls->chains, tls->keys, &read, why);

	if (err)
		return err;
	pthread_mutex_lock(&tls->lock);
	old = tls->now;
	tls->now = read;
	pthread_mutex_unlock(&tls->lock);
	certificates_release(old);
	/* A session that began with the old certificate must not be resumed. */
	tls_renew_tickets(tls);
	return OK;
}

void tls_renew_tickets(struct tls *tls)
{
	gnutls_datum_t key = {0}, old;

	/* Without random numbers there are no tickets: the old key must not stay. */
	if (gnutls_session_ticket_key_generate(&key))
		key = (gnutls_datum_t){0};
	pthread_mutex_lock(&tls->lock);
	old = tls->ticket_key;
	tls->ticket_key = key;
	pthread_mutex_unlock(&tls->lock);
	ticket_key_release(&old);
}

static struct certificates *tls_hold_certificates(struct tls *tls)
{
	struct certificates *now;

	pthread_mutex_lock(&tls->lock);
	now = tls->now;
	certificates_hold(now);
	pthread_mutex_unlock(&tls->lock);
	return now;
}

void tls_each_certificate(struct tls *tls,
			  void (*each)(void *context, const struct certificate_facts *certificate),
			  void *context)
{
	struct certificates *now = tls_hold_certificates(tls);

	for (size_t i = 0; i < now->count; i++)
		each(context, &now->list[i].facts);
	certificates_release(now);
}

/* Reads for GnuTLS. Parks the connection if the handshake has to wait for the client. */
static ssize_t session_pull(gnutls_transport_ptr_t context, void *bytes, size_t size)
{
	struct connection *connection = context;
	ssize_t count = recv(connection->fd, bytes, size, 0);

	if (!connection->tls.handshaking)
		return count;
	if (count > 0) {
		connection_shakes_hands(connection);
	} else if (count < 0 && errno == EAGAIN) {
		connection_park(connection);
		errno = EAGAIN;
	}
	return count;
}

/* Acknowledges what the client sent. If nothing answers the last message of a handshake, the kernel
 * waits for 40 ms. A client with Nagle's algorithm sends its request only after that. */
static void session_acknowledge(const struct connection *connection)
{
	const int on = 1;

	setsockopt(connection->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

/* Called after a Finished message. The client's is the last message of its handshake, in TLS 1.2
 * and 1.3 alike. */
static int session_finished(gnutls_session_t session, unsigned type, unsigned when,
			    unsigned incoming, const gnutls_datum_t *message)
{
	struct connection *connection = gnutls_session_get_ptr(session);

	(void)type;
	(void)when;
	(void)message;
	if (incoming) {
		connection->tls.handshaking = false;
		session_acknowledge(connection);
		connection_awaits_request(connection);
	}
	return 0;
}

void tls_begin(struct tls *tls, gnutls_session_t session, struct connection *connection)
{
	connection->tls = (struct tls_session){.tls = tls, .handshaking = true};
	gnutls_session_set_ptr(session, connection);
	gnutls_transport_set_ptr2(session, connection,
				  (gnutls_transport_ptr_t)(intptr_t)connection->fd);
	gnutls_transport_set_pull_function(session, session_pull);
	gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
					   session_finished);
	pthread_mutex_lock(&tls->lock);
	if (tls->ticket_key.data)
		gnutls_session_ticket_enable_server(session, &tls->ticket_key);
	pthread_mutex_unlock(&tls->lock);
}

void tls_end(struct tls_session *session)
{
	certificates_release(session->certificates);
	session->certificates = NULL;
}

/* The name that the client asks for; "": it gave none. */
static void session_server_name(gnutls_session_t session, char *name_out, size_t size)
{
	size_t len = size;
	unsigned type;

	for (unsigned i = 0; gnutls_server_name_get(session, name_out, &len, &type, i) == 0; i++) {
		if (type == GNUTLS_NAME_DNS)
			return;
		len = size;
	}
	name_out[0] = '\0';
}

int tls_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
		 gnutls_pcert_st **chain, unsigned *chain_len, gnutls_ocsp_data_st **ocsp,
		 unsigned *ocsp_len, gnutls_privkey_t *key, unsigned *flags)
{
	struct connection *connection = gnutls_session_get_ptr(session);
	struct tls_session *own = &connection->tls;
	const struct certificate *found;
	char name[256];

	(void)info;
	if (!own->certificates)
		own->certificates = tls_hold_certificates(own->tls);
	session_server_name(session, name, sizeof(name));
	found = certificates_find(own->certificates, name);
	/* The casts are safe: GnuTLS only reads these. tls_end() releases them. */
	*chain = (gnutls_pcert_st *)(uintptr_t)found->chain;
	*chain_len = found->chain_len;
	*key = found->key;
	*ocsp = NULL;
	*ocsp_len = 0;
	*flags = 0;
	return 0;
}
