/* SPDX-License-Identifier: MIT */
/* docket demo: makes the calendars, case services, staff members, cases and subjects that a large
 * account has besides the base records. If a record of the same name exists already, it is used. */
#include "base/timefmt.h"
#include "demo_private.h"
#include "model/calendar.h"
#include "model/case_service.h"
#include "model/casefile.h"
#include "model/staff.h"
#include "model/subject.h"
#include "samples/samples.h"

#define BASE_CASES 2
#define BASE_STAFF 3

/* Besides those of the base records. Each is made if there are at least `from` tasks. They are
 * sorted by `from`. */
static const struct {
	const char *name, *color;
	int64_t from;
} calendars[] = {
	{"Office", "#2e8b57", 200},
	{"Court dates", "#b22222", 1000},
	{"Surveillance", "#8a2be2", 2000},
	{"Interviews", "#d2691e", 5000},
	{"Reports", "#008b8b", 10000},
	{"Billing", "#708090", 20000},
	{"Northern region", "#1e90ff", 50000},
	{"Southern region", "#ff8c00", 50000},
	{"Büro Zürich", "#c71585", 100000},
	{"Bureau de Montréal", "#556b2f", 200000},
	{"東京", "#483d8b", 400000},
};

static const struct {
	const char *name;
	int64_t from;
} services[] = {
	{"Interview", 1000},           {"Document retrieval", 4000}, {"Asset search", 10000},
	{"Service of process", 20000}, {"Accident scene", 50000},    {"Übersetzung", 100000},
};

_Static_assert(COUNT_OF(calendars) + 1 == DEMO_CALENDARS, "one is a base record");
_Static_assert(COUNT_OF(services) + BASE_CASES == DEMO_SERVICES, "two are base records");

static const char *const first_names[] = {
	"Maria",   "James", "Ana",    "Robert", "Søren",  "Linda", "Zoë",
	"William", "Chloé", "Ahmed",  "Olga",   "José",   "Mary",  "Jürgen",
	"Wei",     "Emily", "Łukasz", "Daniel", "Ingrid",
};

static const char *const last_names[] = {
	"Smith",    "García", "Müller", "Johnson", "Nguyen", "O'Brien",    "Dubois",
	"Kowalski", "Tanaka", "Brown",  "Åberg",   "Rossi",  "McAllister", "Çelik",
	"Ivanova",  "Lee",    "Straße", "Okafor",  "Silva",
};

/* Returns an empty record of `kind`, and the write that makes it, or finds the existing one. NULL
 * if memory runs out. */
static void *cast_put(enum record_kind kind, int64_t *id_out, struct arena *arena,
		      struct store_write **write_out)
{
	const struct record_type *type = record_types[kind];
	struct sample_put *put = arena_alloc(arena, sizeof(*put));
	void *record = arena_alloc(arena, type->size);

	if (!put || !record)
		return NULL;
	record_clear(type, record);
	sample_put_init(put);
	put->kind = kind;
	put->record = record;
	put->id_out = id_out;
	*write_out = &put->write;
	return record;
}

static struct store_write *make_calendar(struct demo *demo, int64_t n, struct arena *arena)
{
	struct store_write *write;
	struct calendar *calendar =
		cast_put(RECORD_CALENDAR, &demo->calendars[1 + n], arena, &write);

	if (!calendar)
		return NULL;
	calendar->name = slice_of(calendars[n].name);
	calendar->color = slice_of(calendars[n].color);
	return write;
}

static struct store_write *make_service(struct demo *demo, int64_t n, struct arena *arena)
{
	int64_t *id = &demo->services[BASE_CASES + n];
	struct store_write *write;
	struct case_service *service = cast_put(RECORD_CASE_SERVICE, id, arena, &write);

	if (!service)
		return NULL;
	service->name = slice_of(services[n].name);
	return write;
}

/* None of them has full access: otherwise anybody with a token could act in their names. */
static struct store_write *make_staff(struct demo *demo, int64_t n, struct arena *arena)
{
	struct dice dice = {UINT64_C(1) << 40 | (uint64_t)n};
	struct store_write *write;
	struct staff *staff = cast_put(RECORD_STAFF, &demo->staff[BASE_STAFF + n], arena, &write);
	const char *name = arena_printf(arena, "staff%lld", (long long)(BASE_STAFF + 1 + n));
	const char *email = arena_printf(arena, "%s@example.com", name ? name : "");

	if (!staff || !name || !email)
		return NULL;
	staff->username = slice_of(name);
	staff->email = slice_of(email);
	staff->first_name = slice_of(PICK(&dice, first_names));
	staff->last_name = slice_of(PICK(&dice, last_names));
	staff->is_vendor = !roll(&dice, 5);
	staff->access_level = roll(&dice, 12) ? STAFF_LIMITED : STAFF_DISABLED;
	return write;
}

/* Picks one to three of the case services that the account has when case `n` is opened. */
static uint32_t pick_services(int64_t n, struct dice *dice)
{
	uint32_t known = BASE_CASES, picked = 0;

	while (known < DEMO_SERVICES && services[known - BASE_CASES].from <= n * TASKS_PER_CASE)
		known++;
	for (uint32_t i = 0, wanted = 1 + roll(dice, 3); i < wanted; i++)
		picked |= UINT32_C(1) << roll_low(dice, known, 2);
	return picked;
}

static struct store_write *make_case(struct demo *demo, int64_t n, struct arena *arena)
{
	struct dice dice = {UINT64_C(2) << 40 | (uint64_t)n};
	struct demo_case *to = &demo->cases[BASE_CASES + n];
	int64_t age = demo_age(demo, n * TASKS_PER_CASE);
	struct store_write *write;
	struct casefile *casefile = cast_put(RECORD_CASEFILE, &to->id, arena, &write);
	const char *number = arena_printf(arena, "DEMO-%lld", 245 + BASE_CASES + (long long)n);
	const char *claim = arena_printf(arena, "CLAIM-%06u", roll(&dice, 1000000));
	int64_t *attached = arena_alloc(arena, DEMO_SERVICES * sizeof(*attached));

	if (!casefile || !number || !attached || !claim)
		return NULL;
	to->services = pick_services(n, &dice);
	casefile->case_services_list.ids = attached;
	for (size_t i = 0; i < DEMO_SERVICES; i++)
		if (to->services & UINT32_C(1) << i)
			attached[casefile->case_services_list.count++] = demo->services[i];
	casefile->case_number = slice_of(number);
	casefile->status = age > 180 * DAY && roll(&dice, 8) ? CASEFILE_CLOSED : CASEFILE_OPEN;
	casefile->record.created_at = demo->now - age;
	casefile->created_on = date_of(casefile->record.created_at) - (int32_t)roll(&dice, 4);
	if (roll(&dice, 3))
		casefile->due_on = casefile->created_on + 30 + (int32_t)roll(&dice, 120);
	if (roll(&dice, 2))
		casefile->reference_value_1 = slice_of(claim);
	return write;
}

static struct store_write *subject_put(struct demo *demo, int64_t of, size_t which,
				       struct arena *arena)
{
	struct dice dice = {UINT64_C(3) << 40 | (uint64_t)of * DEMO_SUBJECTS | which};
	struct demo_case *to = &demo->cases[BASE_CASES + of];
	struct store_write *write;
	struct subject *subject = cast_put(RECORD_SUBJECT, &to->subjects[which], arena, &write);

	if (!subject)
		return NULL;
	subject->casefile_id = to->id;
	subject->first_name = slice_of(PICK(&dice, first_names));
	subject->last_name = slice_of(PICK(&dice, last_names));
	subject->is_primary = which == 0;
	if (!roll(&dice, 3))
		subject->middle_name = slice_of(PICK(&dice, first_names));
	subject->record.created_at = demo->now - demo_age(demo, of * TASKS_PER_CASE);
	return write;
}

static struct store_write *make_subject(struct demo *demo, int64_t n, struct arena *arena)
{
	return subject_put(demo, n, 0, arena);
}

/* A second subject for every third case. */
static struct store_write *make_second_subject(struct demo *demo, int64_t n, struct arena *arena)
{
	return subject_put(demo, 3 * n, 1, arena);
}

/* Adds the base records, whose ids are always the same. */
static bool cast_begin(struct demo *demo, int64_t cases)
{
	const struct demo_case base[BASE_CASES] = {{245, {209}, 1 << 0}, {246, {210}, 1 << 1}};

	demo->cases =
		arena_alloc(&demo->arena, (BASE_CASES + (size_t)cases) * sizeof(*demo->cases));
	if (!demo->cases)
		return false;
	memcpy(demo->cases, base, sizeof(base));
	demo->calendars[0] = demo->services[0] = 1;
	demo->services[1] = 2;
	for (int64_t i = 0; i < BASE_STAFF; i++)
		demo->staff[i] = i + 1;
	return true;
}

enum err demo_make_cast(struct demo *demo)
{
	int64_t cases = demo->tasks / TASKS_PER_CASE, staff = demo->tasks / TASKS_PER_STAFF;
	int64_t calendar_count = 0, service_count = 0;

	if (staff > DEMO_STAFF - BASE_STAFF)
		staff = DEMO_STAFF - BASE_STAFF;
	for (size_t i = 0; i < COUNT_OF(calendars); i++)
		calendar_count += calendars[i].from <= demo->tasks;
	for (size_t i = 0; i < COUNT_OF(services); i++)
		service_count += services[i].from <= demo->tasks;
	if (!cast_begin(demo, cases))
		return ERR_NOMEM;
	demo->calendar_count = 1 + (size_t)calendar_count;
	demo->service_count = BASE_CASES + (size_t)service_count;
	demo->staff_count = BASE_STAFF + (size_t)staff;
	demo->case_count = BASE_CASES + (size_t)cases;

	const struct {
		const char *what;
		int64_t count;
		demo_make_fn *make;
	} parts[] = {
		{"calendars", calendar_count, make_calendar},
		{"case services", service_count, make_service},
		{"staff members", staff, make_staff},
		{"cases", cases, make_case},
		{"subjects", cases, make_subject},
		{"more subjects", (cases + 2) / 3, make_second_subject},
	};
	enum err err = OK;

	for (size_t i = 0; i < COUNT_OF(parts) && !err; i++)
		err = demo_make(demo, parts[i].what, parts[i].count, parts[i].make);
	return err;
}
