/* SPDX-License-Identifier: MIT */
/* What every request is answered from, for whoever starts the server. */
#ifndef PIPELINE_APP_H
#define PIPELINE_APP_H

#include <pthread.h>

#include "auth/guesses.h"
#include "base/log.h"
#include "http/http.h"
#include "store/store.h"

struct call;
struct route_table;

/* What /readyz found out. One request at a time asks the database. Begins as READINESS. */
struct readiness {
	pthread_mutex_t lock;
	/* Under the lock. */
	int64_t known_ms; /* monotonic_ms() when that was; 0: never */
	bool ready;       /* the database answered */
	bool asking;
	struct call *waiting; /* those that get the answer of the one that asks */
};
#define READINESS                                 \
	{                                         \
		.lock = PTHREAD_MUTEX_INITIALIZER \
	}

struct app {
	const struct route_table *routes; /* the paths that there are */
	struct store *store;
	struct guesses *guesses;
	/* The account is the label before this domain in the header Host; NULL: it is `account`. */
	const char *base_domain;
	struct slice account; /* the name of the only one */
	/* The last address of X-Forwarded-For is the client's, and X-Forwarded-Prefix is true. */
	bool behind_proxy;
	struct slice base_url;    /* that links begin with, without a slash at its end; "": paths */
	const char *cors_origins; /* of pages that may call the API, a comma list; NULL: none */
	struct log_stream *log;   /* a line for every request; NULL: none */
	struct readiness readiness;
	unsigned char cursor_key[SECRET_BYTES];
};

/* For http_start(); its app_data is a struct app. */
extern const struct http_app pipeline_app;

#endif
