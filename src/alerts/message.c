/* SPDX-License-Identifier: MIT */
/* Collects what the message of an alert shows, and writes its plain text. */
#include "alerts/message.h"

#include <time.h>

#include "base/text.h"
#include "base/timefmt.h"
#include "base/url.h"
#include "base/zone.h"
#include "message_private.h"

#define SUBJECT_TITLE 120 /* characters of the title in the subject */
#define ONE_LINE 255      /* characters of any other text of one line */
#define BODY 4000         /* characters of the task's body */
#define LABEL_WIDTH 10
#define PATH "/api/v1/tasks/"

static const char *const statuses[] = {
	[TASK_NONE] = "none",
	[TASK_NEEDS_ACTION] = "needs action",
	[TASK_IN_PROGRESS] = "in progress",
	[TASK_COMPLETE] = "complete",
};

bool message_next_line(const char **text, struct slice *line_out)
{
	const char *line = *text;
	size_t len = strcspn(line, "\n");

	if (!*line)
		return false;
	*line_out = (struct slice){line, len};
	*text = line + len + (line[len] == '\n');
	return true;
}

/* "Sunday, 14 February 2027". */
static const char *shown_day(struct arena *arena, int32_t day)
{
	struct tm tm = {.tm_wday = (int)((day % 7 + 7 + 4) % 7)}; /* 1970-01-01: a Thursday */
	char text[64];
	int year, month;

	date_to_civil(day, &year, &month, &tm.tm_mday);
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	strftime(text, sizeof(text), "%A, %-d %B %Y", &tm);
	return arena_copy(arena, slice_of(text));
}

/* "Saturday, 13 February 2027, 09:00 America/New_York (UTC-05:00)". */
static const char *shown_time(struct arena *arena, int64_t time, const char *zone, int32_t offset)
{
	int64_t there = time + offset, minute = (there % 86400 + 86400) % 86400 / 60;
	int ahead = offset / 60;
	const char *day = shown_day(arena, date_of(there));

	return !day ? NULL
		    : arena_printf(arena, "%s, %02d:%02d %s (UTC%c%02d:%02d)", day,
				   (int)minute / 60, (int)minute % 60, zone, ahead < 0 ? '-' : '+',
				   abs(ahead) / 60, abs(ahead) % 60);
}

/* The texts that are not empty, with `between` between them. NULL ends the list. */
static const char *join(struct arena *arena, const char *between, const struct slice *const *texts)
{
	struct buf out = {0};
	const char *joined;

	for (; *texts; texts++)
		if ((*texts)->len) {
			buf_add_text(&out, out.len ? between : "");
			buf_add_text(&out, text_shown(arena, **texts, ONE_LINE));
		}
	joined = out.failed ? NULL : arena_copy(arena, buf_slice(&out));
	buf_release(&out);
	return joined;
}
#define JOIN(arena, between, ...) \
	join(arena, between, (const struct slice *const[]){__VA_ARGS__, NULL})

/* As on an envelope: "Denver, CO 80202". The country only if it is not the account's. */
static const char *shown_address(struct arena *arena, const struct address *address,
				 struct slice country)
{
	static const struct slice none = SLICE("");
	struct slice place = slice_of(JOIN(arena, " ", &address->state, &address->zip));
	struct slice town = slice_of(JOIN(arena, ", ", &address->city, &place));

	return JOIN(arena, "\n", &address->address_1, &address->address_2, &address->address_3,
		    &town, slice_eq(address->country, country) ? &none : &address->country);
}

/* Several lines of a client, each made safe. */
static const char *shown_lines(struct arena *arena, struct slice text, size_t most)
{
	struct slice front = text_front(text, most), line;
	char *copy = arena_copy(arena, front);
	const char *rest = copy, *shown;
	struct buf out = {0};

	for (; copy && *copy; copy++)
		*copy = *copy == '\t' ? ' ' : *copy;
	while (rest && message_next_line(&rest, &line)) {
		if (line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
		buf_add_text(&out, text_shown(arena, line, BODY));
		buf_add_char(&out, '\n');
	}
	if (front.len < text.len)
		buf_add_text(&out, "…\n");
	shown = out.failed || !rest ? NULL : arena_copy(arena, buf_slice(&out));
	buf_release(&out);
	return shown;
}

static void facts_add(struct message_facts *facts, const char *label, const char *value)
{
	if (!value || *value)
		facts->rows[facts->row_count++] = (struct message_row){label, value};
}

static void facts_add_rows(const struct alert *alert, struct arena *arena,
			   struct message_facts *facts)
{
	const struct task *task = alert->task;
	const struct subject *subject = alert->subject;

	facts_add(facts, "Due", shown_day(arena, task->due_on));
	if (alert->casefile)
		facts_add(facts, "Case", JOIN(arena, "", &alert->casefile->case_number));
	if (subject)
		facts_add(facts, "Subject",
			  JOIN(arena, " ", &subject->first_name, &subject->middle_name,
			       &subject->last_name));
	if (alert->case_service)
		facts_add(facts, "Service", JOIN(arena, "", &alert->case_service->name));
	if (task->address)
		facts_add(facts, "Place",
			  shown_address(arena, task->address, alert->account.country));
	if (task->status != TASK_NONE)
		facts_add(facts, "Status", statuses[task->status]);
	facts->calendar = &facts->rows[facts->row_count];
	facts_add(facts, "Calendar", JOIN(arena, "", &alert->calendar->name));
	facts->color = text_shown(arena, alert->calendar->color, ONE_LINE);
}

/* The link to the task; "": none. */
static const char *shown_link(struct arena *arena, const struct alert *alert, struct slice base_url,
			      bool with_account)
{
	const char *base;

	if (!base_url.len)
		return "";
	base = with_account ? url_with_name(arena, base_url, alert->account.name)
			    : arena_copy(arena, base_url);
	return base ? arena_printf(arena, "%s" PATH "%lld", base, (long long)alert->key.task_id)
		    : NULL;
}

/* When and why the staff member gets the message. */
static enum err shown_why(const struct alert *alert, struct arena *arena, const char **why_out)
{
	const struct slice zone =
		alert->staff->time_zone.len ? alert->staff->time_zone : alert->account.time_zone;
	const char *name = zone.len ? arena_copy(arena, zone) : "UTC", *time;
	int32_t offset;
	enum err err = name ? zone_offset(name, alert->key.alert_at, &offset) : ERR_NOMEM;

	if (err)
		return err;
	time = shown_time(arena, alert->key.alert_at, name, offset);
	*why_out =
		!time ? NULL
		      : arena_printf(arena,
				     "You get this because you are assigned to the task, and its "
				     "alert was set for %s. Account: %.*s.",
				     time, (int)alert->account.name.len, alert->account.name.ptr);
	return *why_out ? OK : ERR_NOMEM;
}

/* "Call the witness (due 14 February 2027, case 2027-001)". */
static const char *shown_subject(const struct alert *alert, struct arena *arena)
{
	const char *title = text_shown(arena, alert->task->title, SUBJECT_TITLE),
		   *day = shown_day(arena, alert->task->due_on);
	const char *number =
		alert->casefile ? text_shown(arena, alert->casefile->case_number, SHOWN_CHARS) : "";

	return !day ? NULL
		    : arena_printf(arena, "%s (due %s%s%s)", title, strchr(day, ' ') + 1,
				   *number ? ", case " : "", number);
}

static enum err message_collect(const struct alert *alert, struct slice base_url, bool with_account,
				struct arena *arena, struct message_facts *facts)
{
	enum err err = shown_why(alert, arena, &facts->why);

	if (err)
		return err;
	facts->subject = shown_subject(alert, arena);
	facts->title = text_shown(arena, alert->task->title, ONE_LINE);
	facts->body = shown_lines(arena, text_trim(alert->task->body), BODY);
	facts->link = shown_link(arena, alert, base_url, with_account);
	facts_add_rows(alert, arena, facts);
	for (size_t i = 0; i < facts->row_count; i++)
		if (!facts->rows[i].value)
			return ERR_NOMEM;
	return facts->subject && facts->body && facts->link ? OK : ERR_NOMEM;
}

static void message_write_text(const struct message_facts *facts, struct buf *out)
{
	buf_printf(out, "%s\n\n", facts->title);
	for (size_t i = 0; i < facts->row_count; i++) {
		const char *label = facts->rows[i].label, *value = facts->rows[i].value;
		struct slice line;

		while (message_next_line(&value, &line)) {
			buf_printf(out, "%-*s%.*s\n", LABEL_WIDTH, label, (int)line.len, line.ptr);
			label = "";
		}
	}
	if (*facts->body)
		buf_printf(out, "\n%s", facts->body);
	if (*facts->link)
		buf_printf(out, "\n%s\n", facts->link);
	/* The line by which mail programs know the signature (RFC 3676, section 4.3). */
	buf_printf(out, "\n-- \n%s\n", facts->why);
}

static const char *message_write(void (*write)(const struct message_facts *facts, struct buf *out),
				 const struct message_facts *facts, struct arena *arena)
{
	struct buf out = {0};
	const char *text;

	write(facts, &out);
	text = out.failed ? NULL : arena_copy(arena, buf_slice(&out));
	buf_release(&out);
	return text;
}

enum err alert_message_build(const struct alert *alert, struct slice base_url, bool with_account,
			     struct arena *arena, struct alert_message *message_out)
{
	const struct staff *staff = alert->staff;
	struct message_facts facts = {0};
	struct alert_message message;
	enum err err = message_collect(alert, base_url, with_account, arena, &facts);

	if (err)
		return err;
	message.to_name = JOIN(arena, " ", &staff->first_name, &staff->last_name);
	message.subject = facts.subject;
	message.text = message_write(message_write_text, &facts, arena);
	message.html = message_write(message_write_html, &facts, arena);
	snprintf(message.task_id, sizeof(message.task_id), "%lld", (long long)alert->key.task_id);
	if (!message.to_name || !message.text || !message.html)
		return ERR_NOMEM;
	*message_out = message;
	return OK;
}
