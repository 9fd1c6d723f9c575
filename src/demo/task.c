/* SPDX-License-Identifier: MIT */
/* docket demo: makes tasks like those of an agency. Most old tasks are complete, and most open
 * tasks are recent. A few cases are large, and a few staff members busy. Some words are common in
 * titles, and others rare. */
#include "demo_private.h"
#include "base/timefmt.h"
#include "model/address.h"
#include "model/task.h"
#include "records/records.h"

/* In the tables of PICK_LOW() the common entries come first. */
static const char *const verbs[] = {
	"Call",
	"Interview",
	"Review file of",
	"Write report about",
	"Photograph",
	"Schedule surveillance of",
	"Serve papers on",
	"Rückruf an",
	"Vérifier le dossier de",
	"Entrevistar a",
	"Background check of",
	"Locate",
	"Prepare invoice for",
	"Order records about",
	"Unterlagen prüfen für",
	"Follow up with",
	"Позвонить:",
	"Quarterly audit of",
};

static const char *const whom[] = {
	"the claimant",     "the insured",     "a witness",       "the neighbour",
	"the employer",     "counsel",         "the adjuster",    "Straße 12",
	"le bénéficiaire",  "el demandante",   "the landlord",    "the bank",
	"the driver",       "the hospital",    "the tow company", "Dr. Åkesson",
	"the body shop",    "O'Brien & Sons",  "the school",      "田中さん",
	"the county clerk", "the beneficiary", "Müller GmbH",     "the pharmacist",
};

static const char *const notes[] = {
	"",
	"",
	"",
	"",
	"",
	" again",
	" (urgent)",
	" before the hearing",
	" by phone",
	", second attempt",
	" for the invoice",
	" à Montréal",
	" über Zürich",
	" with photographs",
	" (İstanbul)",
	", scene diagram",
	" at the warehouse",
};

/* Rare words: one title in 2,000 has one of these. */
static const char *const oddities[] = {
	" (subrogation)", " (zeppelin hangar)", " with the notary", " – Ærøskøbing ferry", " 🚢",
};

static const struct slice bodies[] = {
	SLICE(""),
	SLICE("Ask for the signed statement and note the time of the call."),
	SLICE("Bring the camera.\nPark at the corner, not in front of the house."),
	SLICE("Draft first, then send it to the client for approval. Attach the invoices of the last "
	      "quarter and the two photographs from the file."),
};

static const struct address addresses[] = {
	{SLICE("2000 Blake Street"), SLICE(""), SLICE(""), SLICE("Denver"), SLICE("CO"),
	 SLICE("80202"), SLICE("US")},
	{SLICE("1 Congress Street"), SLICE("Floor 4"), SLICE(""), SLICE("Boston"), SLICE("MA"),
	 SLICE("02114"), SLICE("US")},
	{SLICE("10 Martin Place"), SLICE(""), SLICE(""), SLICE("Sydney"), SLICE("NSW"),
	 SLICE("2000"), SLICE("AU")},
	{SLICE("12 Kildare Street"), SLICE(""), SLICE(""), SLICE("Dublin"), SLICE("D"), SLICE(""),
	 SLICE("IE")},
};

/* How many staff members a task has. */
static const uint32_t team_sizes[] = {0, 0, 0, 1, 1, 1, 1, 1, 2, 3};

/* Picks the case of a task. Most tasks are of newer cases. A few old cases get some tasks all the
 * time. */
static const struct demo_case *task_pick_case(const struct demo *demo, int64_t n, struct dice *dice)
{
	/* Cases that are opened later do not count. */
	int64_t opened = n / TASKS_PER_CASE + 3;
	uint32_t count = (uint32_t)demo->case_count, recent;

	if (opened < count)
		count = (uint32_t)opened;
	if (roll(dice, 4) == 0)
		return &demo->cases[roll_low(dice, count, 4)];
	recent = 4 + count / 8;
	if (recent > count)
		recent = count;
	return &demo->cases[count - 1 - roll_low(dice, recent, 2)];
}

static void task_set_case(const struct demo *demo, int64_t n, struct dice *dice, struct task *task)
{
	const struct demo_case *of;
	uint32_t service;

	task->calendar_id = demo->calendars[roll_low(dice, (uint32_t)demo->calendar_count, 2)];
	if (roll(dice, 10) == 0)
		return; /* a task without a case */
	of = task_pick_case(demo, n, dice);
	task->casefile_id = of->id;
	if (roll(dice, 3))
		task->subject_id = of->subjects[of->subjects[1] == ID_NONE ? 0 : roll(dice, 2)];
	if (roll(dice, 2) == 0)
		return;
	service = roll(dice, DEMO_SERVICES);
	while (!(of->services & UINT32_C(1) << service))
		service = (service + 1) % DEMO_SERVICES;
	task->case_service_id = demo->services[service];
}

/* Assigns staff members: ascending ids, none twice. */
static void task_set_users(const struct demo *demo, struct dice *dice, struct id_list *list)
{
	for (uint32_t wanted = PICK(dice, team_sizes); wanted; wanted--) {
		int64_t id = demo->staff[roll_low(dice, (uint32_t)demo->staff_count, 2)];
		size_t at = 0;

		while (at < list->count && list->ids[at] < id)
			at++;
		if (at < list->count && list->ids[at] == id)
			continue;
		memmove(&list->ids[at + 1], &list->ids[at],
			(list->count - at) * sizeof(*list->ids));
		list->ids[at] = id;
		list->count++;
	}
}

/* Sets an alert in the days before the task is due, if any. It is never within two days of now, nor
 * after the task was completed. */
static void task_set_alert(struct dice *dice, int64_t now, struct task *task)
{
	int64_t at = (task->due_on - (int64_t)roll(dice, 4)) * DAY + 8 * 3600 +
		     (int64_t)roll(dice, 40) * 900;
	bool open = task->status != TASK_COMPLETE;
	bool wanted = roll(dice, open ? 4 : 2);
	bool again = roll(dice, 2); /* an open task may get another alert after its date */

	if (open && again && at < now + 2 * DAY)
		at = now + (int64_t)(2 + roll(dice, 60)) * DAY;
	if (!wanted || at < task->record.created_at || (!open && at > task->complete_at) ||
	    (at > now - 2 * DAY && at < now + 2 * DAY))
		return;
	task->alert_at = at;
	if (at < now)
		task->alert_sent_at = at + (int64_t)roll(dice, 30);
}

static void task_set_times(struct dice *dice, int64_t now, int64_t age, struct task *task)
{
	uint32_t days = 1 + roll_low(dice, 150, 2);
	int64_t takes = (int64_t)days * (DAY / 8) * (int64_t)(2 + roll(dice, 12));

	if (roll(dice, 40) == 0)
		days += 365;
	takes += (int64_t)roll(dice, DAY);
	task->record.created_at = task->record.updated_at = now - age;
	task->due_on = (int32_t)((now - age) / DAY + days);
	if (takes < age && roll(dice, 24)) {
		task->status = TASK_COMPLETE;
		task->complete_at = now - age + takes;
		task->record.updated_at = task->complete_at;
		age -= takes;
	} else {
		task->status = (int32_t)roll_low(dice, TASK_COMPLETE, 1);
	}
	/* Open tasks are worked at; complete ones are corrected now and then. */
	if (age && (task->status != TASK_COMPLETE || roll(dice, 8) == 0))
		task->record.updated_at += (int64_t)roll(dice, (uint32_t)age);
	task_set_alert(dice, now, task);
}

/* An alert that was sent had somebody to go to. Some of those of complete tasks have failed. */
static void task_check_alert(int64_t n, struct task *task)
{
	if (task->alert_sent_at == TIME_NONE)
		return;
	if (!task->users_list.count)
		task->alert_at = task->alert_sent_at = TIME_NONE;
	else if (task->status == TASK_COMPLETE && n % 5 == 0)
		task->alert_sent_at = TIME_NONE;
}

static bool task_fill(const struct demo *demo, int64_t n, struct arena *arena, struct task *task)
{
	struct dice dice = {(uint64_t)n};
	const char *verb = PICK_LOW(&dice, verbs), *name = PICK_LOW(&dice, whom);
	const char *note = roll(&dice, 2000) ? PICK_LOW(&dice, notes) : PICK(&dice, oddities);
	char *title = arena_printf(arena, "%s %s%s", verb, name, note);

	record_clear(&task_type, task);
	task->users_list.ids = arena_alloc(arena, 4 * sizeof(int64_t));
	if (!title || !task->users_list.ids)
		return false;
	task->title = slice_of(title);
	task->body = PICK(&dice, bodies);
	if (roll(&dice, 2))
		/* The address is only read. The member is not const because decoding writes to
		 * it. */
		task->address = (struct address *)(uintptr_t)&PICK(&dice, addresses);
	task_set_case(demo, n, &dice, task);
	task_set_times(&dice, demo->now, demo_age(demo, n), task);
	task_set_users(demo, &dice, &task->users_list);
	task_check_alert(n, task);
	return true;
}

struct store_write *demo_make_task(struct demo *demo, int64_t n, struct arena *arena)
{
	struct record_write *create = arena_alloc(arena, sizeof(*create));
	struct task *task = arena_alloc(arena, sizeof(*task));

	if (!create || !task || !task_fill(demo, n, arena, task))
		return NULL;
	record_write_init(create, RECORD_TASK, RECORD_CREATE);
	create->record = task;
	create->given = UINT64_MAX;
	return &create->write;
}
