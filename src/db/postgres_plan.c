/* SPDX-License-Identifier: MIT */
/* The plans of PostgreSQL's statements: the generic plan, which does not depend on the values. Of
 * EXPLAIN's lines only those of nodes are taken: the others have conditions. */
#include "postgres_private.h"
#include "slow.h"

#define ARROW "->  "

static enum err plan_take_line(void *context, const struct db_value *values, size_t count)
{
	struct buf *plan = context;
	struct slice line = count ? values[0].bytes : (struct slice){NULL, 0};
	size_t at = 0;

	while (at < line.len && line.ptr[at] == ' ')
		at++;
	if (line.len - at > strlen(ARROW) && memcmp(line.ptr + at, ARROW, strlen(ARROW)) == 0) {
		at += strlen(ARROW);
		plan_add(plan, (struct slice){line.ptr + at, line.len - at});
	} else if (!plan->len && line.len) {
		plan_add(plan, line);
	}
	return OK;
}

/* `types` and `nulls` are lists such as " (bigint,text)" and " (NULL,NULL)". */
static void plan_list_args(const struct db_call *call, struct buf *types, struct buf *nulls)
{
	static const char *const names[] = {[DB_NULL] = "unknown",
					    [DB_INT] = "bigint",
					    [DB_TEXT] = "text",
					    [DB_BYTES] = "bytea"};

	for (size_t i = 0; i < call->arg_count; i++) {
		buf_printf(types, "%s%s", i ? "," : " (", names[call->args[i].type]);
		buf_add_text(nulls, i ? ",NULL" : " (NULL");
	}
	buf_add_text(types, call->arg_count ? ")" : "");
	buf_add_text(nulls, call->arg_count ? ")" : "");
	buf_add_char(types, '\0');
	buf_add_char(nulls, '\0');
}

/* The parameters of EXPLAIN itself cannot have types, so the statement is prepared by SQL. */
enum err postgres_explain(struct db *db, const struct db_call *call, struct buf *plan)
{
	struct buf types = {0}, nulls = {0}, prepare = {0}, explain = {0};
	enum err err = ERR_NOMEM;

	plan_list_args(call, &types, &nulls);
	if (!types.failed && !nulls.failed) {
		buf_printf(&prepare, "PREPARE slow%s AS %s", types.ptr, call->sql);
		buf_printf(&explain, "EXPLAIN (COSTS OFF) EXECUTE slow%s", nulls.ptr);
		buf_add_char(&prepare, '\0');
		buf_add_char(&explain, '\0');
	}
	if (prepare.ptr && explain.ptr && !prepare.failed && !explain.failed)
		err = db->driver->run(
			db,
			(const struct db_call[]){
				{.sql = "SET plan_cache_mode = force_generic_plan", .once = true},
				{.sql = prepare.ptr, .once = true},
				{.sql = explain.ptr,
				 .once = true,
				 .on_row = plan_take_line,
				 .context = plan},
				{.sql = "DEALLOCATE slow", .once = true},
			},
			4);
	buf_release(&types);
	buf_release(&nulls);
	buf_release(&prepare);
	buf_release(&explain);
	return err;
}
