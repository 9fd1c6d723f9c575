/* SPDX-License-Identifier: MIT */
/* The API: what is answered to which request. */
#ifndef API_API_H
#define API_API_H

#include "http/http.h"
#include "store/store.h"

/* What every request is answered from. */
struct app {
	struct store *store;
	int64_t account_id; /* the only account there is */
	unsigned char cursor_key[SECRET_BYTES];
};

/* For http_start(); its app_data is a struct app. */
extern const struct http_app api_app;

#endif
