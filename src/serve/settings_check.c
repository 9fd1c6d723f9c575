/* SPDX-License-Identifier: MIT */
/* Checks the settings of docket serve together. */
#include "base/buf.h"
#include "base/log.h"
#include "ephemeral.h"
#include "http/http.h"
#include "serve_private.h"
#include "sockets/sockets.h"

/* Takes the sockets that systemd passes; if there are none, reads --listen. False: it has printed
 * what is wrong. */
static bool addresses_take(const struct settings *settings, struct listen_addresses **addresses_out)
{
	struct buf why = {0};
	enum err err = listen_inherit(addresses_out, &why);

	if (err == ERR_NOT_FOUND) {
		err = listen_read(settings->text[SETTING_LISTEN], addresses_out, &why);
		if (err)
			settings_wrong(settings, SETTING_LISTEN, "%.*s", (int)why.len,
				       why.ptr ? why.ptr : err_text(err));
	} else if (err) {
		log_line("cannot take the sockets that systemd passes: %.*s", (int)why.len,
			 why.ptr ? why.ptr : err_text(err));
	} else {
		log_line("listens on the %zu sockets that systemd passes, in place of --listen",
			 (*addresses_out)->count);
	}
	buf_release(&why);
	return !err;
}

/* Reads --metrics. False: it has printed what is wrong. */
static bool metrics_read(const struct settings *settings, struct listen_addresses **addresses_out)
{
	const char *list = settings->text[SETTING_METRICS];
	struct buf why = {0};
	enum err err = list ? listen_read(list, addresses_out, &why) : OK;

	if (err)
		settings_wrong(settings, SETTING_METRICS, "%.*s", (int)why.len,
			       why.ptr ? why.ptr : err_text(err));
	buf_release(&why);
	return !err;
}

/* Without TLS only this machine may reach the API, or a proxy that has TLS. False: it has printed
 * what is wrong. */
static bool addresses_read(const struct settings *settings, struct listen_addresses **addresses_out)
{
	static const char remedy[] =
		"which other machines reach, but docket would serve it without TLS: give a "
		"certificate with --tls-cert and --tls-key, listen on 127.0.0.1, or add "
		"--behind-proxy if a proxy with TLS is in front";
	struct listen_addresses *addresses;
	const char *reachable;

	if (!addresses_take(settings, &addresses))
		return false;
	reachable = listen_public(addresses);
	if (!reachable || settings->text[SETTING_TLS_CERT] ||
	    settings->number[SETTING_BEHIND_PROXY]) {
		*addresses_out = addresses;
		return true;
	}
	if (addresses->inherited)
		log_line("systemd passes a socket at %s, %s", reachable, remedy);
	else
		settings_wrong(settings, SETTING_LISTEN, "has %s, %s", reachable, remedy);
	listen_free(addresses);
	return false;
}

static size_t count_files(const char *list)
{
	size_t count = list ? 1 : 0;

	for (; list && *list; list++)
		count += *list == ',';
	return count;
}

/* Whether there is a key for each certificate. */
static bool are_keys_paired(const struct settings *settings)
{
	size_t chains = count_files(settings->text[SETTING_TLS_CERT]);
	size_t keys = count_files(settings->text[SETTING_TLS_KEY]);

	if (chains == keys)
		return true;
	if (!keys)
		settings_wrong(settings, SETTING_TLS_CERT, "needs --tls-key as well");
	else if (!chains)
		settings_wrong(settings, SETTING_TLS_KEY, "needs --tls-cert as well");
	else
		settings_wrong(settings, SETTING_TLS_KEY,
			       "must name a key for each certificate, in the same order: %zu "
			       "certificate%s but %zu key%s",
			       chains, chains == 1 ? "" : "s", keys, keys == 1 ? "" : "s");
	return false;
}

static bool is_base_domain(const struct settings *settings)
{
	const char *domain = settings->text[SETTING_BASE_DOMAIN];

	if (!domain || (strspn(domain, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789-.") == strlen(domain) &&
			domain[0] != '.' && domain[strlen(domain) - 1] != '.'))
		return true;
	settings_wrong(settings, SETTING_BASE_DOMAIN,
		       "must be a domain such as example.com; got \"%s\"", domain);
	return false;
}

/* MiB. With less, a share would be smaller than what one large body needs. */
#define MEMORY_LEAST 32

static bool are_numbers_enough(const struct settings *settings)
{
	if (settings->number[SETTING_CONNECTIONS] < 2)
		settings_wrong(settings, SETTING_CONNECTIONS,
			       "must be 2 or more: one reads and one writes");
	else if (!settings->number[SETTING_TIMEOUT])
		settings_wrong(settings, SETTING_TIMEOUT, "must be 1 or more");
	else if (!settings->number[SETTING_QUEUE])
		settings_wrong(settings, SETTING_QUEUE, "must be 1 or more");
	else if (settings->number[SETTING_MEMORY] < MEMORY_LEAST)
		settings_wrong(settings, SETTING_MEMORY, "must be %d or more", MEMORY_LEAST);
	else if (!settings->number[SETTING_IDLE])
		settings_wrong(settings, SETTING_IDLE, "must be 1 or more");
	else
		return true;
	return false;
}

/* A data folder has its socket at a place that every command knows. */
static bool is_socket_needed(const struct settings *settings)
{
	if (!settings->text[SETTING_CONTROL_SOCKET] || settings->text[SETTING_DATABASE])
		return true;
	settings_wrong(settings, SETTING_CONTROL_SOCKET,
		       "is only for --database: a data folder has its own socket");
	return false;
}

bool serve_check(const struct settings *settings, struct serve_addresses *addresses_out)
{
	return are_keys_paired(settings) && is_base_domain(settings) &&
	       are_numbers_enough(settings) && is_socket_needed(settings) && urls_check(settings) &&
	       alerts_check(settings) && ephemeral_check(settings) && replica_check(settings) &&
	       backup_check(settings) && metrics_read(settings, &addresses_out->metrics) &&
	       addresses_read(settings, &addresses_out->api);
}
