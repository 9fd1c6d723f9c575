/* SPDX-License-Identifier: MIT */
/* The message of an alert: what it shows, and that no text of a client is more than text in it.
 * With a folder in DOCKET_MESSAGES, it also writes the messages there, for people to look at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alerts/message.h"
#include "base/array.h"
#include "base/text.h"
#include "base/timefmt.h"

#define BASE SLICE("https://docket.example.com/tracker")

/* A message and the records that it is made from. A test changes these, then calls build(). */
struct fixture {
	struct arena arena;
	struct address address;
	struct task task;
	struct staff staff;
	struct calendar calendar;
	struct casefile casefile;
	struct subject subject;
	struct case_service service;
	struct alert alert;
	struct slice base_url;
	bool with_account;
	struct alert_message message;
};

static int64_t timestamp(const char *text)
{
	int64_t time;

	assert_true(timestamp_parse(slice_of(text), TIME_FIRST, &time));
	return time;
}

static int32_t date(const char *text)
{
	int32_t day;

	assert_true(date_parse(slice_of(text), &day));
	return day;
}

static int set_up(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){
		.address = {SLICE("1 Main Street"), SLICE("Suite 200"), SLICE(""), SLICE("Denver"),
			    SLICE("CO"), SLICE("80202"), SLICE("US")},
		.task = {.record.id = 201,
			 .status = TASK_NEEDS_ACTION,
			 .due_on = date("2027-02-14"),
			 .title = SLICE("Call the witness"),
			 .body = SLICE("Ask about the van.\r\n\r\n\tBring the photos.\n")},
		.staff = {.first_name = SLICE("Jane"),
			  .last_name = SLICE("Doe"),
			  .time_zone = SLICE("America/New_York")},
		.calendar = {.name = SLICE("Field work"), .color = SLICE("#3366cc")},
		.casefile = {.case_number = SLICE("2027-001")},
		.subject = {.first_name = SLICE("Ann"), .last_name = SLICE("Smith")},
		.service = {.name = SLICE("Surveillance")},
		.base_url = BASE,
	};
	fixture.task.address = &fixture.address;
	fixture.alert = (struct alert){
		.key = {1, 201, 1, timestamp("2027-02-13T14:00:00Z")},
		.account = {.id = 1,
			    .name = SLICE("acme"),
			    .country = SLICE("US"),
			    .time_zone = SLICE("Europe/Berlin")},
		.task = &fixture.task,
		.staff = &fixture.staff,
		.calendar = &fixture.calendar,
		.casefile = &fixture.casefile,
		.subject = &fixture.subject,
		.case_service = &fixture.service,
	};
	*state = &fixture;
	return 0;
}

static int tear_down(void **state)
{
	arena_release(&((struct fixture *)*state)->arena);
	return 0;
}

static void keep(const struct alert_message *message, const char *name)
{
	const char *const forms[] = {"text", "html"};
	const char *folder = getenv("DOCKET_MESSAGES");

	for (size_t i = 0; folder && i < COUNT_OF(forms); i++) {
		char path[256];
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s.%s", folder, name, forms[i]);
		file = fopen(path, "w");
		assert_non_null(file);
		fputs(i ? message->html : message->text, file);
		assert_int_equal(fclose(file), 0);
	}
}

static void build(struct fixture *fixture)
{
	assert_int_equal(alert_message_build(&fixture->alert, fixture->base_url,
					     fixture->with_account, &fixture->arena,
					     &fixture->message),
			 OK);
	assert_true(text_is_utf8(slice_of(fixture->message.text)));
	assert_true(text_is_utf8(slice_of(fixture->message.html)));
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is in:\n%s", part, text);
}

static void the_whole_message(void **state)
{
	struct fixture *fixture = *state;
	const struct alert_message *message = &fixture->message;

	build(fixture);
	keep(message, "whole");
	assert_string_equal(message->to_name, "Jane Doe");
	assert_string_equal(message->subject,
			    "Call the witness (due 14 February 2027, case 2027-001)");
	assert_string_equal(message->task_id, "201");
	assert_string_equal(
		message->text,
		"Call the witness\n"
		"\n"
		"Due       Sunday, 14 February 2027\n"
		"Case      2027-001\n"
		"Subject   Ann Smith\n"
		"Service   Surveillance\n"
		"Place     1 Main Street\n"
		"          Suite 200\n"
		"          Denver, CO 80202\n"
		"Status    needs action\n"
		"Calendar  Field work\n"
		"\n"
		"Ask about the van.\n"
		"\n"
		" Bring the photos.\n"
		"\n"
		"https://docket.example.com/tracker/api/v1/tasks/201\n"
		"\n"
		"-- \n"
		"You get this because you are assigned to the task, and its alert was set for "
		"Saturday, 13 February 2027, 09:00 America/New_York (UTC-05:00). Account: acme.\n");
	assert_has(message->html, "<h1 dir=\"auto\">Call the witness</h1>");
	assert_has(message->html,
		   "<td dir=\"auto\">1 Main Street<br>\nSuite 200<br>\nDenver, CO 80202</td>");
	assert_has(message->html, "Ask about the van.<br>\n<br>\n Bring the photos.</p>");
	assert_has(message->html, "style=\"background: #3366cc\"");
	assert_has(message->html, "href=\"https://docket.example.com/tracker/api/v1/tasks/201\"");
	assert_has(message->html, "09:00 America/New_York (UTC-05:00)");
}

static void only_what_there_is(void **state)
{
	struct fixture *fixture = *state;

	fixture->alert.casefile = NULL;
	fixture->alert.subject = NULL;
	fixture->alert.case_service = NULL;
	fixture->task.address = NULL;
	fixture->task.status = TASK_NONE;
	fixture->task.body = SLICE(" \n");
	fixture->staff.first_name = SLICE("");
	fixture->staff.time_zone = SLICE("");
	fixture->base_url = SLICE("");
	build(fixture);
	keep(&fixture->message, "least");
	assert_string_equal(fixture->message.to_name, "Doe");
	assert_string_equal(fixture->message.subject, "Call the witness (due 14 February 2027)");
	assert_string_equal(
		fixture->message.text,
		"Call the witness\n"
		"\n"
		"Due       Sunday, 14 February 2027\n"
		"Calendar  Field work\n"
		"\n"
		"-- \n"
		"You get this because you are assigned to the task, and its alert was set for "
		"Saturday, 13 February 2027, 15:00 Europe/Berlin (UTC+01:00). Account: acme.\n");
	assert_lacks(fixture->message.html, "href");
	assert_lacks(fixture->message.html, "class=\"body\"");
}

static void the_link_of_an_account(void **state)
{
	struct fixture *fixture = *state;

	fixture->with_account = true;
	build(fixture);
	assert_has(fixture->message.text,
		   "\nhttps://acme.docket.example.com/tracker/api/v1/tasks/201\n");
}

static void times_and_zones(void **state)
{
	static const struct {
		const char *zone, *at, *shown;
	} rows[] = {
		{"UTC", "2027-02-13T00:00:00Z",
		 "Saturday, 13 February 2027, 00:00 UTC (UTC+00:00)"},
		{"Asia/Kolkata", "2028-02-28T20:00:00Z",
		 "Tuesday, 29 February 2028, 01:30 Asia/Kolkata (UTC+05:30)"},
		{"America/St_Johns", "2027-01-01T01:00:00Z",
		 "Thursday, 31 December 2026, 21:30 America/St_Johns (UTC-03:30)"},
		{"America/New_York", "2026-11-01T05:30:00Z",
		 "Sunday, 1 November 2026, 01:30 America/New_York (UTC-04:00)"},
		{"America/New_York", "2026-11-01T06:30:00Z",
		 "Sunday, 1 November 2026, 01:30 America/New_York (UTC-05:00)"},
		{"UTC", "1969-12-31T23:59:59Z",
		 "Wednesday, 31 December 1969, 23:59 UTC (UTC+00:00)"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		fixture->staff.time_zone = slice_of(rows[i].zone);
		fixture->alert.key.alert_at = timestamp(rows[i].at);
		build(fixture);
		assert_has(fixture->message.text, rows[i].shown);
	}
	fixture->staff.time_zone = SLICE("Mars/Olympus");
	assert_int_equal(alert_message_build(&fixture->alert, BASE, false, &fixture->arena,
					     &fixture->message),
			 ERR_NOT_FOUND);
}

/* Every text at once: markup, the end of a line, marks of direction. */
static void hostile_texts(void **state)
{
#define HOSTILE                                                                 \
	"<b onload='x'>&amp;\"</title></style>\r\nBcc: a@b.example\xe2\x80\xae" \
	"cod\x1b[31m"
	struct fixture *fixture = *state;
	const struct alert_message *message = &fixture->message;
	const struct slice hostile = SLICE(HOSTILE);
	static const char safe[] =
		"&lt;b onload=&#39;x&#39;&gt;&amp;amp;&quot;&lt;/title&gt;&lt;/style"
		"&gt;??Bcc: a@b.example?cod?[31m";

	fixture->address =
		(struct address){hostile, hostile, hostile, hostile, hostile, hostile, hostile};
	fixture->task.title = fixture->task.body = hostile;
	fixture->staff.first_name = fixture->staff.last_name = hostile;
	fixture->calendar.name = hostile;
	fixture->calendar.color = SLICE("#fff;a:b");
	fixture->casefile.case_number = fixture->service.name = hostile;
	fixture->subject.first_name = fixture->subject.middle_name = hostile;
	build(fixture);
	keep(message, "hostile");
	for (const char *at = message->subject; *at; at++)
		assert_true((unsigned char)*at >= ' ');
	for (const char *at = message->to_name; *at; at++)
		assert_true((unsigned char)*at >= ' ');
	for (const char *at = message->text; *at; at++)
		assert_true(*at == '\n' || (unsigned char)*at >= ' ');
	assert_lacks(message->text, "\xe2\x80\xae");
	assert_lacks(message->html, "\xe2\x80\xae");
	assert_lacks(message->html, "<b ");
	assert_lacks(message->html, "'x'");
	assert_lacks(message->html, "a:b");
	assert_lacks(strstr(message->html, "</style>") + 1, "</style>");
	assert_lacks(strstr(message->html, "</title>") + 1, "</title>");
	assert_has(message->html, safe);
}

static void long_texts(void **state)
{
	struct fixture *fixture = *state;
	static char body[65536], title[256];

	memset(body, 'b', sizeof(body) - 1);
	memset(title, 't', sizeof(title) - 1);
	fixture->task.body = slice_of(body);
	fixture->task.title = slice_of(title);
	fixture->address.country = SLICE("CA");
	build(fixture);
	keep(&fixture->message, "long");
	assert_has(fixture->message.text, "b\n…\n");
	assert_has(fixture->message.text, "\n          CA\n");
	assert_true(strlen(fixture->message.text) < 5000);
	assert_true(strlen(fixture->message.subject) < 200);
	assert_has(fixture->message.subject, "ttt... (due 14 February 2027, case 2027-001)");
	assert_true(strncmp(fixture->message.text, title, 255) == 0);
}

static void other_scripts(void **state)
{
	struct fixture *fixture = *state;

	fixture->task.title = SLICE("Zeugen anrufen: Jürgen Groß – 証人に電話");
	fixture->task.body = SLICE("اتصل بالشاهد قبل الظهر\nПозвонить свидетелю");
	fixture->staff.first_name = SLICE("Zoë");
	fixture->subject.last_name = SLICE("شاهد");
	fixture->calendar.name = SLICE("Außendienst");
	build(fixture);
	keep(&fixture->message, "scripts");
	assert_string_equal(fixture->message.to_name, "Zoë Doe");
	assert_has(fixture->message.subject, "Zeugen anrufen: Jürgen Groß – 証人に電話 (due");
	assert_has(fixture->message.html, "اتصل بالشاهد قبل الظهر<br>\nПозвонить свидетелю</p>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_whole_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_what_there_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_link_of_an_account, set_up, tear_down),
		cmocka_unit_test_setup_teardown(times_and_zones, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_texts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_texts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_scripts, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
