/* SPDX-License-Identifier: MIT */
/* The command: the terminal, the keys, and the page as answers come. */
#include "top/top.h"

#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "admin/admin.h"
#include "asker.h"
#include "base/array.h"
#include "base/clock.h"
#include "page.h"
#include "terminal.h"

#define LATE_MS 3000 /* after this without an answer the page says so */
#define TICK_MS 500

static const char hint[] = "use \"docket status\", or \"docket status --json\" in a script";

/* What the page knows of the process that it asks. */
struct watch {
	struct asker *asker;
	struct page page;
	struct buf why;
	int64_t answered_ms;
};

static void watch_take(struct watch *watch)
{
	struct buf why = {0};
	int64_t us = 0;
	json_t *status = asker_take(watch->asker, &why, &us);

	buf_release(&watch->why);
	watch->why = why;
	while (watch->why.len && watch->why.ptr[watch->why.len - 1] == '\n')
		watch->why.len--;
	buf_add_char(&watch->why, '\0');
	if (!status)
		return;
	watch->answered_ms = monotonic_ms();
	if (watch->page.paused)
		json_decref(status);
	else
		samples_add(&watch->page.samples, status, us);
}

static void watch_draw(struct watch *watch)
{
	int64_t silent = monotonic_ms() - watch->answered_ms;
	bool said = watch->why.ptr && *watch->why.ptr && !watch->why.failed;

	watch->page.fault = said               ? watch->why.ptr
			    : silent > LATE_MS ? "the process does not answer"
					       : "";
	watch->page.fault_s = silent / 1000;
	page_draw(&watch->page);
}

/* False: the key ends the command. */
static bool page_take_key(struct page *page, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		return false;
	case 's':
		page->order = (page->order + 1) % ORDERS;
		page->first = 0;
		break;
	case 'r':
		page->reverse = !page->reverse;
		break;
	case 'p':
		page->paused = !page->paused;
		break;
	case KEY_DOWN:
		page->first++;
		break;
	case KEY_UP:
		page->first -= page->first > 0;
		break;
	default:
		break;
	}
	return true;
}

/* Shows the page until a key or a signal ends it, or the terminal is gone. Returns the signal, or
 * 0. */
static int watch_run(struct watch *watch, int signals)
{
	struct pollfd waits[] = {{STDIN_FILENO, POLLIN, 0},
				 {asker_fd(watch->asker), POLLIN, 0},
				 {signals, POLLIN, 0}};
	struct signalfd_siginfo ends;
	bool goes_on = true;

	while (goes_on) {
		int ready = poll(waits, COUNT_OF(waits), TICK_MS), key;

		if (ready > 0 && waits[2].revents &&
		    read(signals, &ends, sizeof(ends)) == sizeof(ends))
			return (int)ends.ssi_signo;
		if (ready > 0 && waits[0].revents & (POLLHUP | POLLERR | POLLNVAL))
			break;
		if (ready > 0 && waits[1].revents)
			watch_take(watch);
		while (goes_on && (key = getch()) != ERR)
			goes_on = page_take_key(&watch->page, key);
		watch_draw(watch);
	}
	return 0;
}

/* Blocks the signals that end a program. They come as bytes of the descriptor that it returns: in a
 * handler, as ncurses has one, the terminal cannot be restored safely. */
static int signals_take(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Ends the process by a signal that signals_take() blocked. */
static void signal_pass_on(int number)
{
	sigset_t set;

	signal(number, SIG_DFL);
	raise(number);
	sigemptyset(&set);
	sigaddset(&set, number);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

/* Sets the terminal up. False, with a message: it cannot be. */
static bool terminal_begin(const struct settings *settings, SCREEN **screen_out)
{
	const char *type = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fprintf(settings->err, "docket top: it needs a terminal: %s\n", hint);
		return false;
	}
	setlocale(LC_CTYPE, "");
	if (terminal_is_known())
		*screen_out = newterm(NULL, stdout, stdin);
	if (!*screen_out) {
		fprintf(settings->err,
			"docket top: the terminal type \"%s\" (TERM) is not known or cannot move its cursor: %s\n",
			type ? type : "", hint);
		return false;
	}
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	page_begin();
	return true;
}

/* The first answer comes before the page, so that a wrong folder is told as docket status does. */
static enum exit_status watch_begin(const struct settings *settings, struct watch *watch)
{
	struct buf why = {0};
	json_t *status = status_ask(settings, &why);

	if (!status)
		fprintf(settings->err, "docket: %.*s%s", (int)why.len, why.ptr ? why.ptr : "",
			why.len && why.ptr[why.len - 1] == '\n' ? "" : "\n");
	buf_release(&why);
	if (!status)
		return EXIT_FAILED;
	samples_add(&watch->page.samples, status, monotonic_us());
	watch->answered_ms = monotonic_ms();
	watch->page.where = settings->text[SETTING_CONTROL_SOCKET]
				    ? settings->text[SETTING_CONTROL_SOCKET]
				    : settings->text[SETTING_DATA];
	return EXIT_OK;
}

enum exit_status command_top(const struct settings *settings)
{
	/* The asker's thread uses them to the end of the process. */
	static struct settings own;
	struct watch watch = {0};
	enum exit_status status = status_check(settings);
	SCREEN *screen = NULL;
	int signals, ends_by = 0;

	own = *settings;
	if (!status)
		status = watch_begin(&own, &watch);
	if (!status && !terminal_begin(settings, &screen))
		status = EXIT_FAILED;
	if (!status) {
		signals = signals_take();
		watch.asker = asker_start(&own);
		if (watch.asker)
			ends_by = watch_run(&watch, signals);
		endwin();
		if (ends_by)
			signal_pass_on(ends_by);
		if (!watch.asker)
			status = output_outcome(settings, ERR_NOMEM, "docket top");
		/* The asker may be in the midst of an answer: nothing that it uses is freed. */
		if (watch.asker)
			_exit(EXIT_OK);
		delscreen(screen);
	}
	samples_release(&watch.page.samples);
	buf_release(&watch.why);
	return status;
}
