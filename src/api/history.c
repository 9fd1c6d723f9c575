/* SPDX-License-Identifier: MIT */
/* Answers with the history of one record, or with all changes of the account in their order. With
 * these a client keeps its copy of the records up to date. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "api_private.h"
#include "base/array.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "codec/codec.h"
#include "json/write.h"
#include "pipeline/pieces.h"
#include "records/history.h"

#define CHANGES_MAX 1000

struct history_answer {
	struct history_read read;
	struct pieces pieces;
	history_fn *put; /* writes an entry */
	json_t *before;  /* the record before the next entry; NULL: it did not exist */
	bool found;      /* the record has a history */
};

/* The parameters of these requests. */
struct history_params {
	int64_t since;
	int64_t limit;
};

static void param_read_number(struct call *call, const struct param *param,
			      const struct parameter *row, int64_t *value_out)
{
	const char *shown = text_shown(&call->http->arena, param->value, SHOWN_CHARS);
	long long value;

	errno = 0;
	value = strtoll(param->value.ptr, NULL, 10);
	if (!param->value.len || strspn(param->value.ptr, "0123456789") < param->value.len)
		faults_add(&call->faults, param->name, FAULT_FORMAT,
			   "must be an integer; got \"%s\"", shown);
	else if (errno || value > row->most)
		faults_add(&call->faults, param->name, FAULT_RANGE, "must be at most %lld; got %s",
			   (long long)row->most, shown);
	else if (value < row->least)
		faults_add(&call->faults, param->name, FAULT_RANGE,
			   "must be %lld or greater; got %s", (long long)row->least, shown);
	else
		*value_out = value;
}

static enum err history_params_read(struct call *call, const struct parameter *rows, int64_t limit)
{
	const char **names = parameter_names(call, rows, 0);
	struct history_params *params = arena_alloc(&call->http->arena, sizeof(*params));
	bool sent[2] = {false, false};

	if (!params || !names)
		return ERR_NOMEM;
	params->limit = limit;
	for (const struct param *param = call->params; param; param = param->next) {
		size_t i = 0;

		while (names[i] && strcmp(param->name, names[i]) != 0)
			i++;
		if (!names[i]) {
			params_unknown(call, param, names);
			continue;
		}
		assert(i < COUNT_OF(sent));
		if (sent[i])
			faults_add(&call->faults, param->name, FAULT_REPEATED, "is given twice");
		else
			param_read_number(call, param, &rows[i],
					  i == HISTORY_SINCE ? &params->since : &params->limit);
		sent[i] = true;
	}
	call->request = params;
	return OK;
}

enum err history_read_params(struct call *call)
{
	const struct parameter *per_page = &history_parameters[HISTORY_PER_PAGE];

	return history_params_read(call, history_parameters, per_page->preset);
}

enum err changes_read_params(struct call *call)
{
	return history_params_read(call, changes_parameters, CHANGES_MAX);
}

static void entry_put_id(struct buf *out, const char *key, int64_t value)
{
	json_put_key(out, key);
	if (value == ID_NONE)
		json_put_null(out);
	else
		json_put_int(out, value);
}

/* Opens an entry: its change number, when it was made and by whom. */
static void entry_put_head(struct buf *out, const struct history_entry *entry)
{
	char at[TIMESTAMP_LEN];

	json_open_object(out);
	json_put_key(out, "change");
	json_put_int(out, entry->change);
	timestamp_write(entry->at, at);
	json_put_key(out, "at");
	json_put_plain(out, (struct slice){at, sizeof(at)});
	entry_put_id(out, "staff_id", entry->staff_id);
}

static void history_drop_before(struct history_answer *answer)
{
	json_decref(answer->before);
	answer->before = NULL;
}

/* Writes what the entry has changed. */
static enum err history_put_entry(void *context, const struct history_entry *entry)
{
	struct history_answer *answer = context;
	struct buf *out = answer->pieces.out;
	json_t *after = NULL;

	if (entry->value.ptr)
		after = json_loadb(entry->value.ptr, entry->value.len, 0, NULL);
	if (entry->value.ptr && !after)
		return ERR_CORRUPT;
	answer->found = true;
	if (entry->change > answer->read.since) {
		entry_put_head(out, entry);
		json_put_key(out, "action");
		json_put_plain(out, entry->action);
		json_put_key(out, "fields");
		encode_changes(answer->before, after, out);
		json_close_object(out);
	}
	json_decref(answer->before);
	answer->before = after;
	return OK;
}

/* Writes the record after the change. */
static enum err changes_put_entry(void *context, const struct history_entry *entry)
{
	struct history_answer *answer = context;
	struct buf *out = answer->pieces.out;

	entry_put_head(out, entry);
	json_put_key(out, "record");
	json_put_plain(out, entry->record);
	json_put_key(out, "id");
	json_put_int(out, entry->record_id);
	json_put_key(out, "action");
	json_put_plain(out, entry->action);
	json_put_key(out, "value");
	if (entry->value.ptr)
		json_put_raw(out, entry->value);
	else
		json_put_null(out);
	json_close_object(out);
	return OK;
}

static void history_answer_begin(void *context)
{
	struct history_answer *answer = context;

	history_drop_before(answer);
	answer->found = false;
	pieces_begin(&answer->pieces, answer->read.type ? "[" : "{\"changes\":[");
}

static enum err history_answer_add(void *context, const struct history_entry *entry)
{
	struct history_answer *answer = context;
	size_t begins = answer->pieces.out->len;
	enum err err = answer->put(context, entry);

	if (!err && entry->change > answer->read.since)
		pieces_add(&answer->pieces, (struct piece_item){.change = entry->change}, begins);
	return !err && answer->pieces.out->failed ? ERR_NOMEM : err;
}

static void history_piece_begin(void *context)
{
	struct history_answer *answer = context;

	history_drop_before(answer);
	buf_clear(answer->pieces.out);
	buf_add_char(answer->pieces.out, ',');
}

/* Reads the entries of a piece. Between the changes of two entries of a record there is none of the
 * same record, so the read begins at the entry before the piece. */
static struct store_read *history_piece_read(struct pieces *pieces)
{
	struct history_answer *answer = pieces->call->read;

	answer->read.read.arena = &pieces->arena;
	answer->read.read.job.is_long = false;
	answer->read.since = pieces->items[pieces->next].change - 1;
	answer->read.until = pieces->items[pieces->end - 1].change;
	answer->read.on_begin = history_piece_begin;
	answer->read.on_entry = answer->put;
	return &answer->read.read;
}

static enum err history_piece_put(struct pieces *pieces, enum err err)
{
	struct history_answer *answer = pieces->call->read;

	history_drop_before(answer);
	/* It has stopped before the last entry. */
	return !err && answer->read.more ? ERR_TIMEOUT : err;
}

static struct history_answer *history_answer_new(struct call *call, history_fn *put)
{
	const struct history_params *params = call->request;
	struct history_answer *answer = arena_alloc(&call->http->arena, sizeof(*answer));

	if (!answer) {
		problem_err(call, ERR_NOMEM);
		return NULL;
	}
	history_read_init(&answer->read, &call->http->arena);
	answer->read.scope = call->scope;
	answer->read.since = params->since;
	answer->read.limit = params->limit;
	answer->read.read.job.weight = 1 + (size_t)params->limit / ITEMS_PER_WEIGHT;
	answer->read.on_begin = history_answer_begin;
	answer->read.on_entry = history_answer_add;
	answer->read.entry_context = answer;
	answer->put = put;
	answer->pieces.call = call;
	answer->pieces.limit = (size_t)params->limit;
	answer->pieces.read = history_piece_read;
	answer->pieces.put = history_piece_put;
	call->read = answer;
	return answer;
}

/* Ends the answer after the first read. `tail` NULL: memory ran out. */
static enum flow history_answer_end(struct call *call, enum err err, const char *tail)
{
	struct history_answer *answer = call->read;

	history_drop_before(answer);
	pieces_release(&answer->pieces);
	if (!err && !tail)
		err = ERR_NOMEM;
	if (!err)
		pieces_end(&answer->pieces, tail);
	return answer_json(call, err);
}

static enum flow record_history_done(struct call *call)
{
	const struct history_answer *answer = call->read;
	enum err err = answer->read.read.err;
	const char *base;
	char *link;

	if (!err && !answer->found)
		err = ERR_NOT_FOUND;
	if (!err && answer->read.more) {
		base = link_base(call);
		link = base ? arena_printf(&call->http->arena,
					   "<%s%.*s?since=%lld&per_page=%lld>; rel=\"next\"", base,
					   (int)call->http->path.len, call->http->path.ptr,
					   (long long)answer->read.last,
					   (long long)answer->read.limit)
			    : NULL;
		if (!link)
			err = ERR_NOMEM;
		else
			http_add_header(call->http, "Link", link);
	}
	return history_answer_end(call, err, "]");
}

enum flow record_history(struct call *call)
{
	struct history_answer *answer;
	int64_t id;

	if (!call_id(call, &id)) {
		problem_err(call, ERR_NOT_FOUND);
		return FLOW_ANSWERED;
	}
	answer = history_answer_new(call, history_put_entry);
	if (!answer)
		return FLOW_ANSWERED;
	answer->read.type = record_types[call->route->kind];
	answer->read.record_id = id;
	return call_read(call, &answer->read.read, record_history_done);
}

static enum flow changes_list_done(struct call *call)
{
	const struct history_answer *answer = call->read;
	enum err err = answer->read.read.err;
	const char *tail;

	/* A copy that is ahead of the account is one of another account. */
	if (!err && answer->read.since > answer->read.last_change) {
		faults_add(&call->faults, "since", FAULT_RANGE,
			   "is after the account's last change, %lld; start again with 0",
			   (long long)position_of(call, answer->read.last_change));
		problem_faults(call, PROBLEM_INVALID_PARAMETER);
		return FLOW_ANSWERED;
	}
	tail = arena_printf(&call->http->arena, "],\"last\":%lld}",
			    (long long)position_of(call, answer->read.last));
	return history_answer_end(call, err, tail);
}

enum flow changes_list(struct call *call)
{
	struct history_answer *answer = history_answer_new(call, changes_put_entry);

	if (!answer)
		return FLOW_ANSWERED;
	if (!position_read(call, answer->read.since, &answer->read.since))
		return FLOW_ANSWERED;
	return call_read(call, &answer->read.read, changes_list_done);
}
