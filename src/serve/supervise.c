/* SPDX-License-Identifier: MIT */
/* The main thread while docket serves: waits for signals, reads certificates again, and tells
 * systemd how the process is. */
#include "supervise.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "http/http.h"
#include "notify.h"
#include "serve_private.h"
#include "store/store.h"

#define LOOK_MS 1000 /* how often it looks whether a day has begun */

void signals_block(sigset_t *set_out)
{
	sigemptyset(set_out);
	sigaddset(set_out, SIGTERM);
	sigaddset(set_out, SIGINT);
	sigaddset(set_out, SIGHUP);
	pthread_sigmask(SIG_BLOCK, set_out, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Sends `state`, such as "READY=1", with the line that "systemctl status" shows. */
static void serving_notify(const struct supervised *serving, const char *state)
{
	struct buf places = {0};
	struct http_load load;
	const char *address;
	uint64_t answered = 0;

	http_count(serving->server, &load);
	for (size_t i = 0; i < COUNT_OF(load.answered); i++)
		answered += load.answered[i];
	for (size_t i = 0; (address = http_address(serving->server, i)); i++)
		buf_printf(&places, "%s%s", i ? ", " : "", address);
	notify("%s\nSTATUS=%zu connections, %llu requests answered; listening on %.*s", state,
	       load.connections, (unsigned long long)answered,
	       (int)(places.len < 800 ? places.len : 800), places.ptr ? places.ptr : "");
	buf_release(&places);
}

static void certificates_reload(const struct supervised *serving)
{
	struct buf why = {0};
	enum err err = OK;

	if (!serving->tls) {
		log_line("SIGHUP reads certificates again, but docket serves without TLS");
		return;
	}
	err = http_reload(serving->server, &why);
	if (err)
		log_line("the certificates stay as they were: %.*s", (int)why.len,
			 why.ptr ? why.ptr : err_text(err));
	else
		log_line("the certificates were read again");
	certificates_log(serving->server);
	buf_release(&why);
}

/* What TLS needs each day. `day` is the last day on which it was done. */
static void certificates_watch(const struct supervised *serving, int32_t *day)
{
	int32_t today = date_of(clock_now(&system_clock));

	if (today == *day)
		return;
	*day = today;
	http_renew_tickets(serving->server);
	certificates_log(serving->server);
}

/* systemd compares the time with that of its own request, so it cannot take an earlier READY=1 for
 * this one. */
static void serving_reload(const struct supervised *serving)
{
	notify("RELOADING=1\nMONOTONIC_USEC=%lld", (long long)monotonic_us());
	certificates_reload(serving);
	serving_notify(serving, "READY=1");
}

/* Whether the threads that accept connections, read and write have passed through their loops since
 * the last call. All must be asked, so that all are woken. */
static bool serving_has_turned(const struct supervised *serving)
{
	bool accepts = http_has_turned(serving->server);
	bool reads_and_writes = store_has_turned(serving->store);

	return accepts && reads_and_writes;
}

/* The next signal; 0: none came until `until`, by monotonic_ms(), or for no reason. */
static int signal_next(const sigset_t *signals, int64_t until)
{
	int64_t left = until - monotonic_ms();
	int caught;

	if (left < 0)
		left = 0;
	caught = until == INT64_MAX
			 ? sigwaitinfo(signals, NULL)
			 : sigtimedwait(signals, NULL,
					&(struct timespec){left / 1000, left % 1000 * 1000000});
	return caught > 0 ? caught : 0;
}

/* At half of the time of systemd's watchdog. */
struct watchdog {
	int64_t half; /* milliseconds; 0: there is no watchdog */
	int64_t next, turned_at;
};

static void watchdog_tell(const struct supervised *serving, struct watchdog *watchdog)
{
	bool turned;
	int64_t now;

	if (!watchdog->half || monotonic_ms() < watchdog->next)
		return;
	turned = serving_has_turned(serving);
	now = monotonic_ms();
	watchdog->next = now + watchdog->half;
	watchdog->turned_at = turned ? now : watchdog->turned_at;
	/* A statement may take as long as --statement-timeout. */
	if (now - watchdog->turned_at <= serving->statement_ms)
		serving_notify(serving, "WATCHDOG=1");
	else
		log_line("a thread that accepts, reads or writes has stood still for %lld s: the "
			 "watchdog is not told that docket is well",
			 (long long)(now - watchdog->turned_at) / 1000);
}

/* When the main thread must look around, by monotonic_ms(). */
static int64_t serving_next(const struct supervised *serving, const struct watchdog *watchdog)
{
	int64_t next = watchdog->half ? watchdog->next : INT64_MAX;
	int64_t look = serving->tls ? monotonic_ms() + LOOK_MS : INT64_MAX;

	return next < look ? next : look;
}

void serving_supervise(const struct supervised *serving)
{
	int64_t now = monotonic_ms(), half = notify_watchdog_ms() / 2;
	struct watchdog watchdog = {half, now + half, now};
	int32_t day = date_of(clock_now(&system_clock));
	int caught;

	serving_notify(serving, "READY=1");
	while ((caught = signal_next(serving->signals, serving_next(serving, &watchdog))) == 0 ||
	       caught == SIGHUP) {
		if (caught == SIGHUP)
			serving_reload(serving);
		if (serving->tls)
			certificates_watch(serving, &day);
		watchdog_tell(serving, &watchdog);
	}
	notify("STOPPING=1\nSTATUS=answers the requests in progress, and ends");
}
