/* SPDX-License-Identifier: MIT */
/* The HTTP server: connections, framing, bodies and answers, over libmicrohttpd. It knows nothing
 * of what is served: an application gets each request twice, when its head is there and when its
 * body is, and answers at once or later. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/slice.h"

#define HTTP_HEADERS_MAX 16 /* that an application may set on one answer */
#define HTTP_ID_MAX 128     /* characters */
/* A client that closes by its own clock is to be the first of the two. */
#define HTTP_IDLE_GRACE_S 2

struct connection;
struct http_server;
struct listen_addresses;
struct MHD_Connection;

struct http_header {
	const char *name;
	const char *value; /* lives as long as the request */
};

/* One answer. The body is the buffer's contents; the buffer is taken over. */
struct http_response {
	unsigned status; /* 0: not answered yet */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t header_count;
	struct buf body;
	bool close; /* close the connection behind it */
};

/* How a request ended. */
enum http_end {
	HTTP_SENT,       /* its answer was handed to the system whole */
	HTTP_BROKEN_OFF, /* the client or the network did, or no answer could be made */
	HTTP_TIMED_OUT,
	HTTP_CUT_OFF, /* the server ended */
	HTTP_REFUSED, /* by libmicrohttpd, in its own words */
};

struct http_request {
	struct arena arena;      /* all that belongs to the request; freed when it is over */
	const char *method;      /* NULL until the head was there */
	struct slice target;     /* as it was sent, with its query */
	struct slice path;       /* decoded, without the query; "" where it cannot be decoded */
	struct slice query;      /* as it was sent, behind the "?"; "" where there is none */
	const char *host;        /* that it is for, with its port; "" where there is none */
	uint64_t content_length; /* as declared; 0 without a body or with a chunked one */
	bool in_chunks;          /* its body is */
	bool expects_continue;   /* the client waits for a word before it sends the body */
	struct slice body;       /* whole, when on_body is called */
	bool body_too_large;     /* more came than the limit; `body` is then empty */
	struct http_response response;
	void *app_data; /* the application's own, for this request */
	/* The application's name for it, which every answer then carries as X-Request-Id. */
	char id[HTTP_ID_MAX + 1];
	int64_t began_us;    /* by monotonic_us(), when its first line was there */
	size_t body_bytes;   /* of the answer, without its head */
	enum http_end ended; /* for on_end */

	/* The server's own. */
	struct http_server *server;
	size_t held; /* bytes of the answer's body */
	struct MHD_Connection *connection;
	struct connection *on; /* the same, in the list of connections */
	int state;
	bool head_waits; /* it was suspended while its head was looked at */
	bool keeps;      /* the client would send another request on its connection */
	bool cramped;    /* libmicrohttpd has no memory for an answer, only we have */
	bool said;       /* and it was sent */
	struct buf received;
	uint64_t received_total;
	size_t trailers;        /* bytes behind the last chunk */
	const char *line;       /* where libmicrohttpd's copy of the head begins */
	const char *target_end; /* where libmicrohttpd's copy of the target ends */
};

/* Each may answer by setting response.status. */
struct http_app {
	/* The head is there. What is answered here is sent before the body was read, and the
	 * connection closed, where the body is declared too large or the client waits for a
	 * word; else when the body was read and thrown away. It may suspend the request as well:
	 * then the body is read after http_resume(), and thrown away if it was answered. */
	void (*on_head)(void *app, struct http_request *request);
	/* The body is there as well, and on_head gave no answer. Without an answer from here the
	 * request waits until http_resume(). */
	void (*on_body)(void *app, struct http_request *request);
	/* After http_resume(), on the connection's thread; must answer. */
	void (*on_resume)(void *app, struct http_request *request);
	/* Before any answer is sent, also that of on_refused: may add headers to it. */
	void (*on_answer)(void *app, struct http_request *request);
	/* The request is over, answered or not; free what app_data holds. Also called for one whose
	 * head never came or was refused by libmicrohttpd, with `method` NULL. */
	void (*on_end)(void *app, struct http_request *request);
	/* Answers, with this status, a request that the server itself refuses: for its framing
	 * (400, 505) or its size (414, 431). on_head comes before it or not at all. */
	void (*on_refused)(void *app, struct http_request *request, unsigned status,
			   const char *why);
	uint64_t body_limit; /* bytes */
};

/* How long a client may take, and how many there may be. Begin with http_default_limits. */
struct http_limits {
	/* Silence of a kept connection, which clients are told; and, with HTTP_IDLE_GRACE_S more,
	 * of any client that is awaited. */
	unsigned idle_s;
	unsigned head_ms; /* for a TLS handshake and the first head; for each later head */
	/* For a body, and for taking an answer; and a millisecond more for each `bytes_per_ms`. */
	unsigned body_ms;
	unsigned bytes_per_ms;
	unsigned connections;
	unsigned per_address; /* from one address that is not this machine's; 0: any number */
};

extern const struct http_limits http_default_limits;

struct http_config {
	/* Of listen_read(); stay the caller's, and must outlive the server. */
	struct listen_addresses *addresses;
	unsigned threads;
	const struct http_app *app;
	void *app_data;
	struct http_limits limits;
	/* Comma lists of PEM files, a certificate chain and its key each; NULL: without TLS. A
	 * client gets the pair for the name that it asks for, else the first. */
	const char *tls_chains, *tls_keys;
};

/* Starts to listen and to serve. On an error `why` says what and why. */
enum err http_start(const struct http_config *config, struct http_server **server_out,
		    struct buf *why);

/* Reads the files of certificates and keys again, for the connections that come from now on; where
 * there is no TLS it does nothing. On an error `why` says why, and all stays as it is. */
enum err http_reload(struct http_server *server, struct buf *why);

/* "127.0.0.1:8080": where it really listens; NULL behind the last one. Lives as long as the server.
 */
const char *http_address(const struct http_server *server, size_t index);

/* Before a request is handed to another thread: it now waits for http_resume(), which may come
 * before on_body returns. */
void http_suspend(struct http_request *request);
/* From any thread; the request must not be touched afterwards. */
void http_resume(struct http_request *request);

/* Begins the end: no connection can be begun any more; those that a client has begun are accepted,
 * and each is answered one more request, with `Connection: close`. One that is silent for a second
 * is closed. */
void http_drain(struct http_server *server);

/* To be asked again and again after http_drain(): true when no connection is left. */
bool http_is_drained(struct http_server *server);

/* How many requests have begun and are not answered. */
long http_under_way(const struct http_server *server);

/* Whether the server of this request drains. */
bool http_is_draining(const struct http_request *request);

/* Ends. No request may be suspended. NULL is accepted. */
void http_stop(struct http_server *server);

/* A header of the request; `ptr` NULL where there is none, the first where there are several. */
struct slice http_header(const struct http_request *request, const char *name);

/* All values of a header, joined by commas (RFC 9110, section 5.3); "" where there is none. Ends
 * with a NUL, not counted. ERR_NOMEM. */
enum err http_header_list(struct http_request *request, const char *name, struct slice *list_out);

/* How many bytes the value of one header of the answer may have. All others have ROOM_RESERVED
 * bytes (http/room.h) together. A larger head is lost, and its connection closed. */
size_t http_header_room(const struct http_request *request, const char *name);

/* Whether a token, in any case, is in the comma list that all values of a header make. */
bool http_header_has(const struct http_request *request, const char *name, const char *token);

/* Adds a header to the answer; `value` must live as long as the request. */
void http_add_header(struct http_request *request, const char *name, const char *value);

/* The address that the connection came from. */
struct ip http_peer(const struct http_request *request);

/* Whether clients are so slow to take their answers that no large one should be made now. */
bool http_is_full(const struct http_request *request);

/* "Not Found" and so on; "" for a status that this server does not send. */
const char *http_reason(unsigned status);

#endif
