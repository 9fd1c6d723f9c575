/* SPDX-License-Identifier: MIT */
/* docket demo: makes sample records. Each task follows from its number alone, so that two folders
 * with the same N differ only in their dates. */
#include "base/log.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "store/store.h"

#define DAY 86400
#define BATCH 4096

/* What a task is made from: bits that look random and follow from its number (SplitMix64). */
struct dice {
	uint64_t state;
};

static uint32_t roll(struct dice *dice, uint32_t sides)
{
	uint64_t z = dice->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ (z >> 31)) % sides);
}

#define PICK(dice, list) ((list)[roll((dice), sizeof(list) / sizeof((list)[0]))])

static const char *const verbs[] = {
	"Call",
	"Interview",
	"Photograph",
	"Serve papers on",
	"Write report about",
	"Review file of",
	"Schedule surveillance of",
	"Rückruf an",
	"Vérifier le dossier de",
	"Entrevistar a",
};

static const char *const whom[] = {
	"the claimant",    "the insured",   "a witness",    "the neighbour",
	"the employer",    "counsel",       "the adjuster", "Straße 12",
	"le bénéficiaire", "el demandante", "the landlord", "the bank",
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

static void set_case(struct dice *dice, struct task *task)
{
	int64_t n = roll(dice, 2);

	task->calendar_id = 1;
	if (roll(dice, 10) == 0)
		return; /* a task without a case */
	task->casefile_id = 245 + n;
	task->subject_id = roll(dice, 3) ? 209 + n : ID_NONE;
	task->case_service_id = roll(dice, 2) ? 1 + n : ID_NONE;
}

/* No alert falls within a day of now: one is long over, or days ahead. */
static void set_times(struct dice *dice, int64_t now, int64_t age, struct task *task)
{
	int64_t alert_distance = (int64_t)(2 + roll(dice, 300)) * DAY + (int64_t)roll(dice, DAY);
	uint32_t alert = roll(dice, 4);

	task->record.created_at = now - age;
	task->record.updated_at = now - (age ? (int64_t)roll(dice, (uint32_t)age) : 0);
	task->due_on = (int32_t)((now - age) / DAY) + (int32_t)roll(dice, 120);
	if (alert == 1)
		task->alert_at = now + alert_distance;
	if (alert == 2) {
		task->alert_at = now - alert_distance;
		task->alert_sent_at = task->alert_at + (int64_t)roll(dice, 30);
	}
	task->status = (int32_t)roll(dice, TASK_COMPLETE + 1);
	if (task->status == TASK_COMPLETE)
		task->complete_at = task->record.updated_at;
}

/* Task `n` of `total`; what it points at is in the arena or static. The older come first. */
static bool make_task(int64_t n, int64_t total, int64_t now, struct arena *arena, struct task *task)
{
	struct dice dice = {(uint64_t)n};
	const char *verb = PICK(&dice, verbs), *name = PICK(&dice, whom);
	char *title = arena_printf(arena, "%s %s", verb, name);

	record_clear(&task_type, task);
	task->users_list.ids = arena_alloc(arena, 3 * sizeof(int64_t));
	if (!title || !task->users_list.ids)
		return false;
	task->title = slice_of(title);
	task->body = PICK(&dice, bodies);
	if (roll(&dice, 2))
		/* Only read; the struct has no const for those who decode into it. */
		task->address = (struct address *)(uintptr_t)&PICK(&dice, addresses);
	set_case(&dice, task);
	set_times(&dice, now, (int64_t)((double)(total - n) / (double)total * 2 * 365 * DAY), task);
	for (int64_t staff = 1; staff <= 3; staff++)
		if (roll(&dice, 3) == 0)
			task->users_list.ids[task->users_list.count++] = staff;
	return true;
}

/* Makes the tasks from number `first` on in one transaction. */
static enum err make_batch(struct store *store, const struct scope *scope, int64_t first,
			   int64_t total, size_t count)
{
	struct store_write *writes[BATCH];
	struct arena arena = {0};
	int64_t now = clock_now(&system_clock);
	enum err err = OK;

	for (size_t i = 0; i < count && !err; i++) {
		struct task_create *create = arena_alloc(&arena, sizeof(*create));
		struct task *task = arena_alloc(&arena, sizeof(*task));
		struct faults *faults = arena_alloc(&arena, sizeof(*faults));

		if (!create || !task || !faults ||
		    !make_task(first + (int64_t)i, total, now, &arena, task)) {
			err = ERR_NOMEM;
			break;
		}
		faults_init(faults, &arena);
		task_create_init(create);
		create->task = task;
		create->valid = UINT64_MAX;
		create->write.scope = *scope;
		create->write.arena = &arena;
		create->write.faults = faults;
		writes[i] = &create->write;
	}
	if (!err)
		err = store_run(store, writes, count);
	for (size_t i = 0; i < count && !err; i++)
		err = writes[i]->err ? writes[i]->err : writes[i]->faults->count ? ERR_INVALID : OK;
	arena_release(&arena);
	return err;
}

static enum err make_tasks(struct store *store, const struct scope *scope, int64_t total)
{
	struct progress progress;
	enum err err = OK;

	progress_begin(&progress, "tasks", total);
	for (int64_t made = 0; made < total && !err;) {
		size_t count = total - made < BATCH ? (size_t)(total - made) : BATCH;

		err = make_batch(store, scope, made, total, count);
		made += (int64_t)count;
		progress_show(&progress, made);
	}
	progress_end(&progress);
	return err;
}

static enum err make_all(struct store *store, const char *name, int64_t total)
{
	struct scope scope = {.staff_id = 1};
	bool made = false;
	struct account account = {0};
	struct arena arena = {0};
	enum err err = store_account(store, name, &arena, &account);

	arena_release(&arena);
	scope.account_id = account.id;
	if (err == ERR_EXISTS) {
		log_line("the folder has several accounts: say which, with --account");
		return err;
	}
	if (err == ERR_NOT_FOUND && name) {
		log_line("there is no account \"%s\"", name);
		return err;
	}

	if (!err)
		err = store_demo_records(store, &scope, &made);
	if (err == ERR_EXISTS) {
		log_line(
			"the account has records of its own: sample records go only into a new one");
		return err;
	}
	if (!err)
		err = make_tasks(store, &scope, total);
	if (err)
		log_line("cannot make the sample records: %s", err_text(err));
	else
		fprintf(stderr, "made %s%lld tasks\n", made ? "the sample records and " : "",
			(long long)total);
	return err;
}

enum exit_status command_demo(const struct settings *settings)
{
	const struct store_config config = {
		.folder = settings->text[SETTING_DATA],
		.clock = &system_clock,
		.readers = 1,
	};
	struct buf why = {0};
	struct store *store;
	enum err err = store_open(&config, &store, &why);

	if (err) {
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : "");
	} else {
		err = make_all(store, settings->text[SETTING_ACCOUNT],
			       settings->number[SETTING_TASKS]);
		store_close(store);
	}
	buf_release(&why);
	return err ? EXIT_FAILED : EXIT_OK;
}
