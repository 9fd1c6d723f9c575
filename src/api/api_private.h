/* SPDX-License-Identifier: MIT */
/* What the handlers share. */
#ifndef API_API_PRIVATE_H
#define API_API_PRIVATE_H

#include "codec/codec.h"
#include "cursor.h"
#include "pipeline/pipeline.h"

/* What the parameters of a list, or of one record, ask for. */
struct list_request {
	struct list_query query;
	size_t sort_row; /* the row of the type's sorts */
	uint64_t page;
	bool count; /* mode=count */
	/* The digest of the filters in a canonical form. A cursor is for these filters alone. */
	unsigned char filters[SEAL_DIGEST_BYTES];
};

/* parameters.c: the rows of parameters, ended by one without a name */
enum list_parameter {
	LIST_PAGE,
	LIST_PER_PAGE,
	LIST_SORT,
	LIST_DIR,
	LIST_MODE,
	LIST_AFTER,
	LIST_EXPAND, /* the only one that a single record takes as well; the last */
	LIST_PARAMETERS,
};
enum history_parameter { HISTORY_SINCE, HISTORY_PER_PAGE };
extern const struct parameter list_parameters[], history_parameters[], changes_parameters[],
	write_parameters[];

/* documents.c */
enum flow openapi_get(struct call *call);
enum flow reference_get(struct call *call);

/* pages.c */
/* Begins a page. `up` leads from its path to the folder of the style sheet: "", "docs/", "../". */
void page_add_head(struct buf *out, const char *title, const char *up);
/* Adds the headers of a page. A browser then loads nothing but the style sheet. If the page has the
 * script, it loads that too, and the script sends requests to this server alone. */
void page_add_headers(struct call *call, bool has_script);
enum flow style_get(struct call *call);
enum flow script_get(struct call *call);
enum flow problem_page_get(struct call *call);

/* health.c */
enum flow health_get(struct call *call);
enum flow ready_get(struct call *call);

/* write_params.c: reads dry_run, which every write takes. */
enum err write_read_params(struct call *call);

/* list_params.c: reads the parameters of lists, and of single records, as a struct list_request. */
enum err list_read_params(struct call *call);
enum err record_read_params(struct call *call);

/* page.c: writes a cursor, a text for the client that says where the next page begins. NULL if
 * memory runs out. */
char *cursor_write(struct call *call, const struct list_position *position);
/* Reads a cursor: sets the position, the sort and the direction. `parts`, of cursor.h, must be the
 * same in the cursor and in the request. What is wrong becomes a fault of `after`. */
enum err cursor_read(struct call *call, struct slice text, unsigned parts);
/* Adds the header Link (RFC 8288) with first, prev and next. `position` is that of the page's last
 * record, NULL if no page follows. `empty`: the page has no records, and gets no prev. ERR_INVALID
 * if the request is too long to be repeated in the link to the next page. */
enum err page_links(struct call *call, const struct list_position *position, bool empty);

/* list.c: lists of any kind of record, and one record. */
/* Answers with the JSON that is in the response's body, or with the error. */
enum flow answer_json(struct call *call, enum err err);
enum flow record_list(struct call *call);
enum flow record_get(struct call *call);
/* Makes a read of one record of the route's kind, and sets call->read. The read calls `take` with
 * the call. If memory runs out, answers the request and returns NULL. */
struct record_read *record_read_new(struct call *call, int64_t id, store_record_fn *take);

/* Reads the id in the path. False: it is not a number, so there is no such record. */
bool call_id(const struct call *call, int64_t *id_out);

/* history.c */
enum err history_read_params(struct call *call);
enum err changes_read_params(struct call *call);
enum flow record_history(struct call *call);
enum flow changes_list(struct call *call);

/* alerts.c */
enum flow task_alerts(struct call *call);

/* me.c */
enum flow me_get(struct call *call);

/* record_write.c */
enum flow record_create(struct call *call);
enum flow record_patch(struct call *call);
enum flow record_remove(struct call *call);
void record_written(struct call *call);
/* Writes the record that was stored or, in a dry run, would be stored. */
void record_put_written(const struct call *call, const struct record_write *write, struct buf *out);
/* How to decode the fields of a record of that kind for this request. */
struct decode record_decode(struct call *call, enum record_kind kind);

/* bulk.c */
enum flow tasks_bulk(struct call *call);
void tasks_bulk_written(struct call *call);

#endif
