/* SPDX-License-Identifier: MIT */
/* docket alerts: lists the alerts of an account, and lets them wait again or cancels them. */
#include <jansson.h>

#include "alerts/alerts.h"
#include "admin_private.h"
#include "base/timefmt.h"

/* Reads --task: ID_NONE if it is not given. */
static bool alerts_task(const struct settings *settings, int64_t *id_out)
{
	int64_t id = settings->number[SETTING_TASK];

	if (settings->text[SETTING_TASK] && id == ID_NONE) {
		settings_wrong(settings, SETTING_TASK, "must be the id of a task; got 0");
		return false;
	}
	*id_out = id;
	return true;
}

/* Reads --state. */
static bool alerts_state(const struct settings *settings, enum alert_state *state_out)
{
	const char *text = settings->text[SETTING_STATE];
	enum alert_state state = 0;

	while (text && state < ALERT_STATES && strcmp(text, alert_states[state].name) != 0)
		state++;
	if (text && state == ALERT_STATES) {
		settings_wrong(settings, SETTING_STATE,
			       "must be waiting, leased, sent, failed, skipped or cancelled; got "
			       "\"%s\"",
			       text);
		return false;
	}
	*state_out = text ? state : ALERT_STATES;
	return true;
}

static enum err alerts_append(void *context, const struct alert_row *row)
{
	const char *reason = alert_reasons[row->reason].name;
	json_t *object =
		json_pack("{sI sI so ss so sI so so ss#}", "task_id", (json_int_t)row->key.task_id,
			  "staff_id", (json_int_t)row->key.staff_id, "alert_at",
			  output_time(row->key.alert_at), "state", alert_states[row->state].name,
			  "reason", *reason ? json_string(reason) : json_null(), "attempts",
			  (json_int_t)row->attempts, "next_attempt_at",
			  output_time(row->state == ALERT_WAITING ? row->due_at : TIME_NONE),
			  "ended_at", output_time(row->ended_at), "answer", row->answer.ptr,
			  (int)row->answer.len);

	return json_array_append_new(context, object) ? ERR_NOMEM : OK;
}

static void table_begin(void *context)
{
	json_array_clear(context);
}

static enum exit_status alerts_print(const struct settings *settings, struct store *store,
				     struct alerts_read *read)
{
	json_t *rows = json_array();
	enum err err;

	read->on_begin = table_begin;
	read->on_row = alerts_append;
	read->row_context = rows;
	err = rows ? store_do(store, &read->read) : ERR_NOMEM;
	if (!err && json_array_size(rows) == read->limit)
		fprintf(settings->err,
			"only the last %zu alerts are listed: use --task or --state to see "
			"others\n",
			read->limit);
	if (!err)
		return output_list(settings, "alerts", rows);
	json_decref(rows);
	return output_outcome(settings, err, "cannot read the alerts");
}

enum exit_status alerts_list(const struct settings *settings, struct store *store,
			     const unsigned char *token_hash)
{
	struct arena arena = {0};
	struct account account;
	struct alerts_read read;
	enum exit_status status = EXIT_FAILED;

	(void)token_hash;
	alerts_read_init(&read, &arena);
	if (!alerts_task(settings, &read.task_id) || !alerts_state(settings, &read.state))
		return EXIT_USAGE;
	if (admin_account(settings, store, &arena, &account)) {
		read.scope.account_id = account.id;
		status = alerts_print(settings, store, &read);
	}
	arena_release(&arena);
	return status;
}

static enum err alerts_describe(void *context, json_t **details_out)
{
	const struct alerts_change *change = context;
	json_t *details;

	if (!change->count)
		return OK;
	details = json_pack("{sI}", "alerts", (json_int_t)change->count);
	if (details && change->task_id != ID_NONE)
		json_object_set_new(details, "task_id", json_integer(change->task_id));
	return admin_detail(details, details_out);
}

/* Runs the write and prints "3 alerts WHAT". */
static enum exit_status alerts_run_change(const struct settings *settings, struct store *store,
					  struct alerts_change *change, const char *what,
					  const char *none)
{
	struct arena arena = {0};
	struct account account;
	struct faults faults;
	struct admin_deed deed = {
		.settings = settings, .describe = alerts_describe, .context = change};
	enum exit_status status = EXIT_FAILED;

	if (!alerts_task(settings, &change->task_id))
		return EXIT_USAGE;
	if (admin_account(settings, store, &arena, &account)) {
		change->write.scope.account_id = account.id;
		deed.account = account.name;
		status = output_outcome(settings,
					admin_write(store, &change->write, &deed, &arena, &faults),
					"cannot write the alerts");
		json_decref(deed.details);
	}
	arena_release(&arena);
	if (status == EXIT_OK && !change->count) {
		fprintf(settings->err, "docket: %s\n", none);
		status = EXIT_FAILED;
	} else if (status == EXIT_OK) {
		fprintf(settings->err, "%lld alert%s %s\n", (long long)change->count,
			change->count == 1 ? "" : "s", what);
	}
	return status;
}

enum exit_status alerts_retry(const struct settings *settings, struct store *store,
			      const unsigned char *token_hash)
{
	struct alerts_change retry;

	(void)token_hash;
	alerts_retry_init(&retry);
	return alerts_run_change(settings, store, &retry, "will be sent",
				 "there is no alert to send again that its task still wants and "
				 "that is less than a day late");
}

enum exit_status alerts_cancel(const struct settings *settings, struct store *store,
			       const unsigned char *token_hash)
{
	struct alerts_change cancel;

	(void)token_hash;
	alerts_cancel_init(&cancel);
	return alerts_run_change(settings, store, &cancel, "cancelled",
				 "no alert of the task waits");
}
