/* SPDX-License-Identifier: MIT */
/* What the handlers share. */
#ifndef API_API_PRIVATE_H
#define API_API_PRIVATE_H

#include "codec/codec.h"
#include "pipeline/pipeline.h"

/* health.c */
enum flow health_get(struct call *call);
enum flow ready_get(struct call *call);

/* write_params.c: reads dry_run, which every write takes. */
enum err write_read_params(struct call *call);

/* list_params.c: reads the parameters of lists, and of single records, into call->list. */
enum err list_read_params(struct call *call);
enum err record_read_params(struct call *call);

/* page.c: where the next page begins, as text for a client. NULL when memory is out. */
char *cursor_write(struct call *call, const struct list_position *position);
/* Sets the position, the sort and the direction from `text`. `sort_given` and `dir_given`: the
 * request has its own, and they must agree, as the filters must where none is at fault. What is
 * wrong is a fault of `after`. */
enum err cursor_read(struct call *call, struct slice text, bool sort_given, bool dir_given,
		     bool filter_at_fault);
/* The header Link (RFC 8288): first, prev and next; `position` is of the page's last record, NULL
 * where nothing follows; `empty`: the page has none, and therefore no prev. ERR_INVALID where the
 * request is too long to be carried on in it. */
enum err page_links(struct call *call, const struct list_position *position, bool empty);

/* list.c: lists of any kind of record, and one record. */
/* Answers with the JSON that the body has, or with what went wrong. */
enum flow answer_json(struct call *call, enum err err);
enum flow record_list(struct call *call);
enum flow record_get(struct call *call);
/* A read of one record of the route's kind, as call->read, or an answer and NULL; `take` is
 * called with the call. */
struct record_read *record_read_new(struct call *call, int64_t id, store_record_fn *take);

/* The number that the path names. False: it is none, and there can be no such record. */
bool call_id(const struct call *call, int64_t *id_out);

/* history.c */
enum err history_read_params(struct call *call);
enum err changes_read_params(struct call *call);
enum flow record_history(struct call *call);
enum flow changes_list(struct call *call);

/* me.c */
enum flow me_get(struct call *call);

/* record_write.c */
enum flow record_create(struct call *call);
enum flow record_patch(struct call *call);
enum flow record_remove(struct call *call);
void record_written(struct call *call);
/* Puts the record that a write has stored or, of a dry run, would store. */
void record_put_written(const struct call *call, const struct record_write *write, struct buf *out);
/* How to decode the fields of a record of that kind for this request. */
struct decode record_decode(struct call *call, enum record_kind kind);

/* bulk.c */
enum flow tasks_bulk(struct call *call);
void tasks_bulk_written(struct call *call);

#endif
