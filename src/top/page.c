/* SPDX-License-Identifier: MIT */
/* The page: lines with the state of each part, then a table of the routes. What does not fit into
 * the terminal is left out at the right and at the bottom. */
#include "page.h"

#include <ncurses.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#include "base/array.h"
#include "cli/amounts.h"

#define TEXT_MAX 512
#define TITLE_WIDTH 10
#define WIDE 100

enum colour { COLOUR_NONE, COLOUR_BAD, COLOUR_TITLE };

void page_begin(void)
{
	if (!has_colors())
		return;
	start_color();
	use_default_colors();
	init_pair(COLOUR_BAD, COLOR_RED, -1);
	init_pair(COLOUR_TITLE, COLOR_CYAN, -1);
}

/* Puts a text at a place, and cuts it at the right edge. Shows "?" for a control character and for
 * bytes that the locale cannot decode. */
static void put_text(int line, int column, const char *text)
{
	mbstate_t state = {0};
	size_t left = strlen(text);

	while (left && column < COLS) {
		wchar_t wide[2] = {L'?', 0};
		size_t len = mbrtowc(&wide[0], text, left, &state);
		int width;

		if (len == 0 || len > left) {
			wide[0] = L'?';
			len = 1;
			state = (mbstate_t){0};
		}
		if (iswcntrl((wint_t)wide[0]))
			wide[0] = L'?';
		width = wcwidth(wide[0]);
		if (width < 0 || column + width > COLS)
			return;
		mvaddnwstr(line, column, wide, 1);
		column += width;
		text += len;
		left -= len;
	}
}

static void put(int line, int column, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void put(int line, int column, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_text(line, column, text);
}

static void put_title(int line, const char *title)
{
	attron(A_BOLD | COLOR_PAIR(COLOUR_TITLE));
	put_text(line, 0, title);
	attroff(A_BOLD | COLOR_PAIR(COLOUR_TITLE));
}

#define RATE_BYTES 24

static const char *rate(double value, char text[RATE_BYTES])
{
	if (value < 0)
		snprintf(text, RATE_BYTES, "-");
	else
		snprintf(text, RATE_BYTES, value < 9.95 ? "%.1f" : "%.0f", value);
	return text;
}

/* "<1 ms": an upper bound. */
static const char *bound(int64_t us, char text[AMOUNT_BYTES])
{
	char amount[AMOUNT_BYTES], *whole;

	if (us == INT64_MAX)
		return ">10 s";
	if (us <= 0)
		return "-";
	amount_us(us, amount);
	/* Most bounds are whole numbers. */
	whole = strstr(amount, ".0 ");
	if (whole)
		memmove(whole, whole + 2, strlen(whole + 2) + 1);
	snprintf(text, AMOUNT_BYTES, "<%.*s", AMOUNT_BYTES - 2, amount);
	return text;
}

static const char *mean(double us, char text[AMOUNT_BYTES])
{
	if (us < 0)
		return "-";
	amount_us((int64_t)us, text);
	return text;
}

static int64_t number(const struct page *page, const char *section, const char *name)
{
	return sample_number(page->samples.now, section, name);
}

static void draw_requests(const struct page *page, const struct route_row *all, int line)
{
	char texts[8][AMOUNT_BYTES];

	put_title(line, "Requests");
	put(line, TITLE_WIDTH, "%s/s, %lld in progress, mean %s, p50 %s, p99 %s",
	    rate(all->rate, texts[0]), (long long)number(page, "requests", "in_progress"),
	    mean(all->mean_us, texts[1]), bound(all->p50_us, texts[2]),
	    bound(all->p99_us, texts[3]));
	put_title(line + 1, "Answers");
	put(line + 1, TITLE_WIDTH, "2xx %s/s, 3xx %s/s, 4xx %s/s, 5xx %s/s, %lld not answered",
	    rate(all->by_class[2], texts[4]), rate(all->by_class[3], texts[5]),
	    rate(all->by_class[4], texts[6]), rate(all->by_class[5], texts[7]),
	    (long long)number(page, "requests", "not_answered"));
}

static void draw_process(const struct page *page, int line)
{
	double busy = samples_rate(&page->samples, "process", "cpu_us");
	char texts[3][AMOUNT_BYTES], cpu[RATE_BYTES];

	amount_bytes(number(page, "memory", "rss_anon_bytes"), texts[0]);
	amount_bytes(number(page, "memory", "held_bytes"), texts[1]);
	amount_bytes(number(page, "memory", "limit_bytes"), texts[2]);
	put_title(line, "Process");
	put(line, TITLE_WIDTH, "CPU %s %%, memory %s, requests hold %s of %s, %lld wait for some",
	    rate(busy < 0 ? busy : busy / 1e4, cpu), texts[0], texts[1], texts[2],
	    (long long)number(page, "memory", "waiting"));
	put_title(line + 1, "Clients");
	put(line + 1, TITLE_WIDTH,
	    "%lld of %lld connections: %lld busy, %lld in handshake, %lld idle",
	    (long long)number(page, "connections", "open"),
	    (long long)number(page, "connections", "limit"),
	    (long long)number(page, "connections", "busy"),
	    (long long)number(page, "connections", "in_handshake"),
	    (long long)number(page, "connections", "idle"));
}

/* The growth of `name` between the samples, divided by that of `of`. */
static double growth_ratio(const struct page *page, const char *section, const char *name,
			   const char *of)
{
	int64_t count = samples_growth(&page->samples, section, of);

	if (!samples_have_rates(&page->samples) || count <= 0)
		return RATE_UNKNOWN;
	return (double)samples_growth(&page->samples, section, name) / (double)count;
}

static void draw_queue(const struct page *page, const char *section, const char *title, int line)
{
	double wait = growth_ratio(page, section, "total_wait_ms", "jobs");
	char texts[2][AMOUNT_BYTES], rates[4][RATE_BYTES];

	put_title(line, title);
	put(line, TITLE_WIDTH,
	    "%s/s, %lld wait in %lld accounts, batches %s/s of %s in %s, wait %s",
	    rate(samples_rate(&page->samples, section, "jobs"), rates[0]),
	    (long long)number(page, section, "waiting"),
	    (long long)number(page, section, "accounts_waiting"),
	    rate(samples_rate(&page->samples, section, "batches"), rates[1]),
	    rate(growth_ratio(page, section, "jobs", "batches"), rates[2]),
	    mean(growth_ratio(page, section, "total_batch_us", "batches"), texts[0]),
	    mean(wait < 0 ? wait : wait * 1000, texts[1]));
}

static void draw_cache(const struct page *page, int line)
{
	int64_t hits = samples_growth(&page->samples, "cache", "hits");
	int64_t all = hits + samples_growth(&page->samples, "cache", "misses");
	bool known = samples_have_rates(&page->samples) && all > 0;
	char texts[2][AMOUNT_BYTES], ratio[RATE_BYTES], at_once[RATE_BYTES];

	amount_bytes(number(page, "cache", "used_bytes"), texts[0]);
	amount_bytes(number(page, "cache", "limit_bytes"), texts[1]);
	put_title(line, "Cache");
	put(line, TITLE_WIDTH, "hits %s %%, %lld records in %s of %s; reads at once %s/s",
	    rate(known ? 100.0 * (double)hits / (double)all : RATE_UNKNOWN, ratio),
	    (long long)number(page, "cache", "records"), texts[0], texts[1],
	    rate(samples_rate(&page->samples, "reads", "at_once"), at_once));
}

static void draw_alerts(const struct page *page, int line)
{
	const json_t *paused =
		json_object_get(json_object_get(page->samples.now, "alerts"), "paused");

	put_title(line, "Alerts");
	put(line, TITLE_WIDTH,
	    "%lld wait, %lld sending, %lld accepted, %lld refused, %lld given up%s",
	    (long long)number(page, "alerts", "waiting"),
	    (long long)number(page, "alerts", "sending"),
	    (long long)number(page, "alerts", "accepted"),
	    (long long)number(page, "alerts", "refused"),
	    (long long)number(page, "alerts", "given_up"), json_is_true(paused) ? "; paused" : "");
}

/* Draws a part that may fail, in red if it does. */
static void draw_part(const struct page *page, const char *section, const char *title,
		      const char *text, int line)
{
	bool fails = strcmp(sample_text(page->samples.now, section, "state"), "failing") == 0;

	put_title(line, title);
	if (!json_object_get(page->samples.now, section)) {
		put_text(line, TITLE_WIDTH, "none");
		return;
	}
	if (fails)
		attron(COLOR_PAIR(COLOUR_BAD) | A_BOLD);
	put(line, TITLE_WIDTH, "%s, %s", sample_text(page->samples.now, section, "state"),
	    fails ? sample_text(page->samples.now, section, "last_error") : text);
	attroff(COLOR_PAIR(COLOUR_BAD) | A_BOLD);
}

static void draw_copies(const struct page *page, int line)
{
	const json_t *now = page->samples.now;
	bool has_one = *sample_text(now, "backup", "last_success");
	char text[TEXT_MAX], amount[AMOUNT_BYTES];

	amount_bytes(number(page, "backup", "last_size_bytes"), amount);
	snprintf(text, sizeof(text), "%lld made, %lld failures, newest %s%s%s",
		 (long long)number(page, "backup", "made"),
		 (long long)number(page, "backup", "failures"),
		 has_one ? sample_text(now, "backup", "last_success") : "none",
		 has_one ? " of " : "", has_one ? amount : "");
	draw_part(page, "backup", "Backup", text, line);
	amount_ms(number(page, "replica", "lag_ms"), amount);
	snprintf(text, sizeof(text), "%lld commits, %lld failures, lag %s (%lld commits)",
		 (long long)number(page, "replica", "commits"),
		 (long long)number(page, "replica", "failures"), amount,
		 (long long)number(page, "replica", "lag_commits"));
	draw_part(page, "replica", "Replica", text, line + 1);
}

static void draw_refusals(const struct page *page, int line)
{
	put_title(line, "Refused");
	put(line, TITLE_WIDTH,
	    "malformed %lld, guesses %lld, rate %lld, queue full %lld, late %lld, memory %lld",
	    (long long)number(page, "requests", "malformed"),
	    (long long)number(page, "requests", "refused_guesses"),
	    (long long)number(page, "requests", "refused_rate"),
	    (long long)number(page, "reads", "refused") + number(page, "writes", "refused"),
	    (long long)number(page, "reads", "late") + number(page, "writes", "late"),
	    (long long)number(page, "memory", "refused_limit") +
		    number(page, "memory", "refused_share"));
	if (COLS >= WIDE)
		printw("; slow statements %lld",
		       (long long)number(page, "process", "slow_statements"));
}

/* A terminal that is not WIDE shows routes without this prefix. */
#define PREFIX "/api/v1"
#define NUMBERS_WIDTH 57 /* of the columns beside the route */

static const char *const order_names[ORDERS] = {
	[ORDER_RATE] = "requests/s", [ORDER_MEAN] = "mean",   [ORDER_P99] = "p99",
	[ORDER_ERRORS] = "errors",   [ORDER_TOTAL] = "total", [ORDER_NAME] = "route"};

static void draw_row(const struct route_row *row, int line)
{
	char texts[3][AMOUNT_BYTES], rates[4][RATE_BYTES], name[TEXT_MAX];
	int width = COLS - NUMBERS_WIDTH;
	bool shortens = COLS < WIDE && strncmp(row->route, PREFIX "/", sizeof(PREFIX)) == 0;

	snprintf(name, sizeof(name), "%s%s%s", row->method, *row->method ? " " : "",
		 row->route + (shortens ? strlen(PREFIX) : 0));
	put(line, 0, "%-*.*s%8s%8s%7s%7s%9s%9s%9s", width, width, name, rate(row->rate, rates[0]),
	    rate(row->by_class[2], rates[1]), rate(row->by_class[4], rates[2]),
	    rate(row->by_class[5], rates[3]), mean(row->mean_us, texts[0]),
	    bound(row->p50_us, texts[1]), bound(row->p99_us, texts[2]));
}

/* The table has the lines from `line` to the last but one. */
static void draw_routes(struct page *page, struct route_row *rows, size_t count, int line)
{
	size_t room = (size_t)(LINES - line - 2);

	if (page->first + room > count)
		page->first = count > room ? count - room : 0;
	attron(A_REVERSE);
	mvhline(line, 0, ' ', COLS);
	put(line, 0, "%-*.*s%8s%8s%7s%7s%9s%9s%9s", COLS - NUMBERS_WIDTH, COLS - NUMBERS_WIDTH,
	    "Route", "Req/s", "2xx/s", "4xx/s", "5xx/s", "Mean", "p50", "p99");
	attroff(A_REVERSE);
	for (size_t i = 0; i < room && page->first + i < count; i++)
		draw_row(&rows[page->first + i], line + 1 + (int)i);
}

static void draw_title(const struct page *page)
{
	const json_t *now = page->samples.now;
	char up[AMOUNT_BYTES], clock[16];
	time_t seconds = time(NULL);
	struct tm local;

	amount_duration(number(page, "process", "uptime_s"), up);
	if (!localtime_r(&seconds, &local) || !strftime(clock, sizeof(clock), "%H:%M:%S", &local))
		clock[0] = '\0';
	attron(A_REVERSE | A_BOLD);
	mvhline(0, 0, ' ', COLS);
	put(0, 0, " %sdocket %s, up %s, pid %lld, %s, schema %lld, %s",
	    page->paused ? "[paused: p resumes] " : "", sample_text(now, "process", "version"), up,
	    (long long)number(page, "process", "pid"), sample_text(now, "process", "database"),
	    (long long)number(page, "process", "schema"), page->where);
	if (COLS > 70)
		put(0, COLS - 10, "  %s", clock);
	attroff(A_REVERSE | A_BOLD);
}

static void draw_fault(const struct page *page)
{
	char since[AMOUNT_BYTES];

	amount_duration(page->fault_s, since);
	attron(A_REVERSE | A_BOLD | COLOR_PAIR(COLOUR_BAD));
	mvhline(0, 0, ' ', COLS);
	put(0, 0, " No answer for %s: %s", since, page->fault);
	attroff(A_REVERSE | A_BOLD | COLOR_PAIR(COLOUR_BAD));
}

static void draw_help(const struct page *page, size_t count)
{
	attron(A_DIM);
	put(LINES - 1, 0, "q quit  s sort: %s%s  r reverse  p pause  arrows move (%zu routes)",
	    order_names[page->order], page->reverse ? ", reversed" : "", count);
	attroff(A_DIM);
}

void page_draw(struct page *page)
{
	struct route_row rows[ROUTES_MAX], all;
	size_t count = routes_read(&page->samples, rows, &all);
	int line = 1;

	erase();
	if (COLS < PAGE_COLUMNS_MIN || LINES < PAGE_LINES_MIN) {
		put(0, 0, "The terminal has %d x %d characters:", COLS, LINES);
		put(1, 0, "make it %d x %d, or use \"docket status\".", PAGE_COLUMNS_MIN,
		    PAGE_LINES_MIN);
		put(2, 0, "q quit");
		refresh();
		return;
	}
	routes_sort(rows, count, page->order, page->reverse);
	if (*page->fault)
		draw_fault(page);
	else
		draw_title(page);
	draw_requests(page, &all, line);
	draw_process(page, line + 2);
	draw_queue(page, "reads", "Reads", line + 4);
	draw_queue(page, "writes", "Writes", line + 5);
	draw_cache(page, line + 6);
	draw_alerts(page, line + 7);
	draw_copies(page, line + 8);
	draw_refusals(page, line + 10);
	draw_routes(page, rows, count, line + 12);
	draw_help(page, count);
	refresh();
}
