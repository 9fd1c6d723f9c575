/* SPDX-License-Identifier: MIT */
/* What the API needs before docket accepts connections. */
#include "accounts/access_cache.h"
#include "accounts/accounts.h"
#include "auth/seal.h"
#include "base/clock.h"
#include "base/log.h"
#include "load/load.h"
#include "openapi/openapi.h"
#include "pipeline/traffic.h"
#include "serve_private.h"

/* Sets the text of a document, and its version. */
static enum err document_set(struct document *document, struct slice text, struct arena *arena)
{
	unsigned char digest[SEAL_DIGEST_BYTES];
	const char *copy = arena_copy(arena, text);
	uint64_t number;

	if (!copy)
		return ERR_NOMEM;
	document->text = (struct slice){copy, text.len};
	seal_digest(document->text, digest);
	memcpy(&number, digest, sizeof(number));
	document->version = (int64_t)(number >> 1 | 1); /* positive */
	return OK;
}

static enum err documents_make(struct app *app, struct arena *arena)
{
	struct buf document = {0}, reference = {0};
	enum err err;

	openapi_write(app->routes, &document, &reference);
	err = document.failed || reference.failed ? ERR_NOMEM : OK;
	if (!err)
		err = document_set(&app->openapi, buf_slice(&document), arena);
	if (!err)
		err = document_set(&app->reference, buf_slice(&reference), arena);
	buf_release(&document);
	buf_release(&reference);
	return err;
}

static enum err secret_start(struct store *store, struct app *app)
{
	enum err err = store_secret(store, "cursor", app->cursor_secret);

	if (err)
		log_line("cannot read the key of cursors: %s", err_text(err));
	return err;
}

static enum err app_find_account(struct store *store, struct arena *arena, struct app *app)
{
	struct account account = {0};
	enum err err = app->base_domain ? OK : store_account(store, NULL, arena, &account);

	if (err == ERR_EXISTS)
		log_line("there are several accounts: give --base-domain DOMAIN, so that "
			 "NAME.DOMAIN is the host name of each");
	else if (err == ERR_NOT_FOUND)
		log_line("there is no account: make one with \"docket account add\"");
	else if (err)
		log_line("cannot read the account: %s", err_text(err));
	app->account = account.name;
	if (!err)
		err = secret_start(store, app);
	app->store = store;
	return err;
}

static enum err guesses_start(struct guesses *guesses, struct store *store)
{
	enum err err = ERR_NOMEM;

	if (guesses)
		err = guesses_load(guesses, store, clock_now(&system_clock), monotonic_ms());
	if (err)
		log_line("cannot read the tokens: %s", err_text(err));
	return err;
}

/* Logs that something cannot start. Returns the error. */
static enum err app_lacks(const char *what, enum err err)
{
	log_line("cannot start %s: %s", what, err_text(err));
	return err;
}

static enum err budget_start(const struct settings *settings, struct budget **budget_out)
{
	enum err err = budget_new((size_t)settings->number[SETTING_MEMORY] << 20, budget_out);

	return err ? app_lacks("the budget of memory", err) : OK;
}

static enum err rates_start(const struct settings *settings, struct app *app)
{
	uint32_t per_token = (uint32_t)settings->number[SETTING_RATE_PER_TOKEN];
	uint32_t per_account = (uint32_t)settings->number[SETTING_RATE_PER_ACCOUNT];

	if (!per_token && !per_account)
		return OK;
	app->rates = rates_new(per_token, per_account);
	return app->rates ? OK : app_lacks("the limits on rates", ERR_NOMEM);
}

static enum err app_describe(struct app *app, struct arena *arena)
{
	enum err err;

	app->traffic = traffic_new(app->routes);
	if (!app->traffic)
		return app_lacks("the counters of requests", ERR_NOMEM);
	err = documents_make(app, arena);
	return err ? app_lacks("the description of the API", err) : OK;
}

enum err app_start(const struct settings *settings, struct store *store, struct arena *arena,
		   struct app *app, struct delivery **delivery_out)
{
	enum err err = app_find_account(store, arena, app);

	urls_set(settings, app);
	app->guesses = guesses_new();
	if (!err)
		err = app_describe(app, arena);
	if (!settings->text[SETTING_DATABASE])
		app->access_cache = access_cache_new(store);
	if (!err)
		err = clock_check(store);
	if (!err)
		err = zones_check(store);
	if (!err)
		err = guesses_start(app->guesses, store);
	if (!err)
		err = rates_start(settings, app);
	if (!err)
		err = budget_start(settings, &app->budget);
	if (!err)
		err = alerts_start(settings, store, arena, delivery_out);
	return err;
}

void app_release(struct app *app)
{
	traffic_free(app->traffic);
	budget_free(app->budget);
	guesses_free(app->guesses);
	rates_free(app->rates);
	access_cache_free(app->access_cache);
}
