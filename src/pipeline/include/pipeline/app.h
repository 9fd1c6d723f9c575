/* SPDX-License-Identifier: MIT */
/* What all requests share. The code that starts the server fills it. */
#ifndef PIPELINE_APP_H
#define PIPELINE_APP_H

#include <pthread.h>
#include <stdatomic.h>

#include "auth/guesses.h"
#include "auth/rates.h"
#include "base/log.h"
#include "http/http.h"
#include "store/store.h"

struct budget;
struct call;
struct route_table;
struct traffic;

/* The last result of /readyz. Only one request at a time asks the database. Initialise it with
 * READINESS. */
struct readiness {
	pthread_mutex_t lock;
	/* Under the lock. */
	int64_t known_ms; /* when it was found out, by monotonic_ms(); 0: never */
	bool ready;       /* the database answered */
	bool asking;
	struct call *waiting; /* requests that wait for the answer of the one that asks */
};
#define READINESS                                 \
	{                                         \
		.lock = PTHREAD_MUTEX_INITIALIZER \
	}

/* What docket made at its start and sends as it is. */
struct document {
	struct slice text;
	int64_t version; /* made from the text; its entity tag has the form of a record's */
};

struct app {
	const struct route_table *routes; /* all routes */
	struct store *store;
	struct guesses *guesses;
	struct rates *rates;               /* the limits on requests; NULL: there are none */
	struct access_cache *access_cache; /* NULL: access is looked up for each request */
	struct budget *budget;             /* of the memory that requests hold */
	/* The account is the label before this domain in the header Host; NULL: it is `account`. */
	const char *base_domain;
	struct slice account; /* the name of the only account */
	/* Trust the last address of X-Forwarded-For, and X-Forwarded-Prefix. */
	bool behind_proxy;
	struct slice base_url;    /* the start of links, no slash at its end; "": links are paths */
	const char *cors_origins; /* of pages that may call the API, a comma list; NULL: none */
	struct traffic *traffic;  /* counts the requests; NULL: nothing does */
	struct log_stream *log;   /* a line for every request; NULL: none */
	struct readiness readiness;
	const atomic_bool *backup_fails; /* the last daily backup failed; NULL: there is none */
	struct document openapi;         /* JSON */
	struct document reference;       /* HTML, without the beginning of the page */
	unsigned char cursor_secret[SECRET_BYTES]; /* see cursor_key() */
};

/* For http_start(); its app_data is a struct app. */
extern const struct http_app pipeline_app;

#endif
