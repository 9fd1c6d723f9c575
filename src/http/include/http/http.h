/* SPDX-License-Identifier: MIT */
/* The HTTP server: connections, framing, bodies and answers, over libmicrohttpd. It does not know
 * what is served. An application gets each request twice: when its head was read, and when its body
 * was read. It answers at once or later.
 *
 * An application that greets every client:
 *
 *     static void ignore(void *data, struct http_request *request) {}
 *     static void greet(void *data, struct http_request *request)
 *     {
 *             buf_add_text(&request->response.body, "Hello\n");
 *             request->response.status = 200;
 *     }
 *     static void refuse(void *data, struct http_request *request, unsigned status,
 *                        const char *why)
 *     {
 *             buf_add_text(&request->response.body, why);
 *             request->response.status = status;
 *     }
 *
 *     const struct http_app app = {.on_head = ignore, .on_body = greet, .on_answer = ignore,
 *                                  .on_end = ignore, .on_refused = refuse, .body_limit = 1024};
 *     struct http_config config = {.app = &app, .threads = 2, .limits = http_default_limits};
 *     struct http_server *server;
 *
 *     err = listen_read("localhost:8080", &config.addresses, &why);
 *     if (!err)
 *             err = http_start(&config, &server, &why);
 *     …
 *     http_drain(server);
 *     while (!http_is_drained(server))
 *             … sleep for some milliseconds …
 *     http_stop(server);
 *     listen_free(config.addresses);
 *
 * on_resume is missing, because this application suspends no request. */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/ip.h"
#include "base/slice.h"

#define HTTP_HEADERS_MAX 16 /* that an application may add to one answer */
#define HTTP_ID_MAX 128     /* characters */
/* libmicrohttpd sends an answer in pieces by blocks of this size, and keeps one block in memory. */
#define HTTP_BLOCK ((size_t)16 * 1024)
/* The server waits this much longer than it tells the client, so that the client closes first. */
#define HTTP_IDLE_GRACE_S 2

struct connection;
struct certificate_facts;
struct http_server;
struct listen_addresses;
struct MHD_Connection;

struct http_header {
	const char *name;
	const char *value; /* lives as long as the request */
};

/* An answer. The server takes over the buffer of the body. A long body may be sent in pieces: then
 * the buffer has the first of them. */
struct http_response {
	unsigned status; /* 0: not answered yet */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t header_count;
	struct buf body;
	uint64_t more; /* bytes of the pieces that on_more brings; 0: `body` is complete */
	bool close;    /* close the connection after it */
};

/* How a request ended. */
enum http_end {
	HTTP_SENT,       /* the whole answer was handed to the kernel */
	HTTP_BROKEN_OFF, /* by the client or the network; or no answer could be made */
	HTTP_TIMED_OUT,
	HTTP_CUT_OFF, /* by the end of the server */
	HTTP_REFUSED, /* by libmicrohttpd, with an answer of its own */
};

struct http_request {
	struct arena arena;      /* memory of the request; freed at its end */
	const char *method;      /* NULL until the head was read */
	struct slice target;     /* as sent, with its query */
	struct slice path;       /* decoded, without the query; "": it cannot be decoded */
	struct slice query;      /* as sent, after the "?"; "": there is none */
	const char *host;        /* the host it is for, with its port; "": none */
	uint64_t content_length; /* as declared; 0: no body, or a chunked one */
	bool in_chunks;          /* the body is chunked */
	bool expects_continue;   /* the client waits for "100 Continue" before it sends the body */
	struct slice body;       /* complete when on_body is called */
	bool body_too_large;     /* it is larger than the limit, and `body` is empty */
	struct http_response response;
	void *app_data; /* for the application */
	/* Set by the application; the answer has it as X-Request-Id. "": no such header. */
	char id[HTTP_ID_MAX + 1];
	int64_t began_us;    /* by monotonic_us(), when its first line was read */
	uint64_t body_bytes; /* of the answer, without its head; of one in pieces those sent */
	enum http_end ended; /* for on_end */

	/* The server's own. */
	struct http_server *server;
	size_t piece_taken; /* bytes of the piece in response.body that libmicrohttpd has */
	size_t last_block;  /* how many of them it got last */
	struct MHD_Connection *connection;
	struct connection *on; /* the same connection, in docket's list */
	int state;
	bool head_waits;    /* it was suspended in on_head */
	bool keeps;         /* the client wants to keep its connection */
	bool cramped;       /* libmicrohttpd has no memory for the head of an answer */
	bool sent_directly; /* direct_answer() sent the answer */
	struct buf received;
	uint64_t received_total;
	size_t trailers;        /* bytes after the last chunk */
	const char *line;       /* where libmicrohttpd's copy of the head begins */
	const char *target_end; /* where libmicrohttpd's copy of the target ends */
};

/* What an application does with a request. on_head, on_body, on_resume and on_refused answer it by
 * setting response.status. */
struct http_app {
	/* The head was read. An answer from here is sent at once, and the connection closed, if the
	 * declared body is too large or the client waits for "100 Continue". Otherwise it is sent
	 * after the body, which is read and thrown away. on_head may also suspend the request: the
	 * body is then read after http_resume(). */
	void (*on_head)(void *app, struct http_request *request);
	/* The body was read as well, and on_head gave no answer. on_body must either answer or
	 * suspend the request. */
	void (*on_body)(void *app, struct http_request *request);
	/* After http_resume() of a request that was suspended in on_body; on the connection's
	 * thread. Must answer, if the request has no answer yet. */
	void (*on_resume)(void *app, struct http_request *request);
	/* The client has taken all that response.body had; it is empty now. Must put the next piece
	 * there, at least one byte. May suspend the request, and put the piece there before
	 * http_resume(). If no piece comes, or one that is longer than the rest of the body, the
	 * server breaks the connection off. Called on the connection's thread. */
	void (*on_more)(void *app, struct http_request *request);
	/* Before any answer is sent, also one of on_refused. May add headers, or replace the
	 * answer. */
	void (*on_answer)(void *app, struct http_request *request);
	/* The request has ended, answered or not: frees what app_data holds. Also called, with
	 * `method` NULL, if the head never came or libmicrohttpd refused it. */
	void (*on_end)(void *app, struct http_request *request);
	/* The server refuses the request for its framing (400, 505) or its size (414, 431). Must
	 * answer with this status. on_head may have been called before, but is not called
	 * afterwards. */
	void (*on_refused)(void *app, struct http_request *request, unsigned status,
			   const char *why);
	uint64_t body_limit; /* bytes */
};

/* How long clients may take, and how many connections there may be. Start from
 * http_default_limits. */
struct http_limits {
	/* How long a client may be silent between requests. The server tells clients this time.
	 * Whenever it waits for a client, it waits HTTP_IDLE_GRACE_S longer. */
	unsigned idle_s;
	unsigned head_ms; /* for a TLS handshake with the first head; for each later head */
	/* For sending a body, and for taking an answer; a millisecond more for each `bytes_per_ms`
	 * bytes. */
	unsigned body_ms;
	unsigned bytes_per_ms;
	unsigned connections;
	unsigned per_address; /* from one subnet, except from this machine; 0: any number */
};

extern const struct http_limits http_default_limits;

struct http_config {
	/* From listen_read(). They belong to the caller and must outlive the server. */
	struct listen_addresses *addresses;
	unsigned threads;
	const struct http_app *app;
	void *app_data;
	struct http_limits limits;
	/* The names of PEM files with certificate chains, and of those with their keys in the same
	 * order, with commas between them; NULL: no TLS. A client gets the certificate for the name
	 * that it asks for, else the first. */
	const char *tls_chains, *tls_keys;
};

/* Starts to listen and to serve. On an error `why` says what failed and why. */
enum err http_start(const struct http_config *config, struct http_server **server_out,
		    struct buf *why);

/* Reads the files of certificates and keys again, for new connections. Does nothing without TLS. On
 * an error `why` says why, and the old certificates stay. */
enum err http_reload(struct http_server *server, struct buf *why);

/* Calls `each` for each certificate, in the order of the files. None without TLS. */
void http_each_certificate(const struct http_server *server,
			   void (*each)(void *context, const struct certificate_facts *certificate),
			   void *context);

/* Makes a new key for the session tickets of TLS (RFC 8446, section 2.2; RFC 5077). It is in memory
 * only. Clients that have older tickets make a whole handshake next time. http_start() and
 * http_reload() do this as well. Does nothing without TLS. */
void http_renew_tickets(struct http_server *server);

/* An address where it listens, such as "127.0.0.1:8080"; NULL after the last one. It lives as long
 * as the server. */
const char *http_address(const struct http_server *server, size_t index);

/* Call it before handing the request to another thread. The request then waits for http_resume(),
 * which may be called before on_body returns. */
void http_suspend(struct http_request *request);
/* Call it from any thread; the caller must not touch the request afterwards. */
void http_resume(struct http_request *request);

/* Begins the end of the server. It accepts the connections that clients have begun already, and
 * refuses all others. Each connection gets one more answer, with `Connection: close`. A connection
 * that is silent for a second is closed. */
void http_drain(struct http_server *server);

/* Call it repeatedly after http_drain(). True: no connection is left. */
bool http_is_drained(struct http_server *server);

/* Whether the thread that accepts connections has passed through its loop since the last call.
 * Wakes it, so that it passes again. */
bool http_has_turned(struct http_server *server);

/* How many requests have begun and not ended. */
long http_under_way(const struct http_server *server);

/* The first four are of this moment, the others count since the start. */
struct http_load {
	size_t connections, connections_most; /* open; and how many may be */
	size_t shaking_hands, working;        /* in a TLS handshake; with a request */
	uint64_t answered[6];                 /* requests, by the first digit of their status */
	uint64_t not_answered;                /* the connection ended first */
	uint64_t refused;                     /* by libmicrohttpd */
};

void http_count(const struct http_server *server, struct http_load *load_out);

/* Whether http_drain() was called on the server of this request. */
bool http_is_draining(const struct http_request *request);

/* Ends the server and frees it. No request may be suspended. NULL is accepted. */
void http_stop(struct http_server *server);

/* The value of a header of the request. If there are several, that of the first; ptr NULL: none. */
struct slice http_header(const struct http_request *request, const char *name);

/* All values of a header, joined by commas (RFC 9110, section 5.3); "": there is none.
 * NUL-terminated. ERR_NOMEM. */
enum err http_header_list(struct http_request *request, const char *name, struct slice *list_out);

/* How many bytes the value of this one header of the answer may have, if all others together have
 * at most ROOM_RESERVED bytes (room.h). With a larger head the answer is lost and the connection
 * closed. */
size_t http_header_room(const struct http_request *request, const char *name);

/* Whether the comma list in all values of a header has a token. Case does not matter. */
bool http_header_has(const struct http_request *request, const char *name, const char *token);

/* Adds a header to the answer; `value` must live as long as the request. */
void http_add_header(struct http_request *request, const char *name, const char *value);

/* The address from which the connection came. */
struct ip http_peer(const struct http_request *request);

/* Frees the body of the request, when the application does not need it any more. */
void http_drop_body(struct http_request *request);

/* The reason phrase of a status, such as "Not Found"; "": the server does not send this status. */
const char *http_reason(unsigned status);

/* The statuses that the server sends have an index each, in ascending order. */
#define HTTP_STATUSES 21
unsigned http_status_at(size_t index);
/* HTTP_STATUSES: the server does not send this status. */
size_t http_status_index(unsigned status);

#endif
