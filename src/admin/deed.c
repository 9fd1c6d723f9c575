/* SPDX-License-Identifier: MIT */
/* Runs the writes of commands, each with an entry in the audit log, and tells the user what
 * changed. */
#include <jansson.h>

#include "admin_private.h"
#include "audit/audit.h"

static enum err deed_describe(void *context, struct buf *details)
{
	struct admin_deed *deed = context;
	enum err err;
	char *text;

	json_decref(deed->details);
	deed->details = NULL;
	err = deed->describe ? deed->describe(deed->context, &deed->details)
			     : admin_detail(json_object(), &deed->details);
	if (err || !deed->details)
		return err;
	text = json_dumps(deed->details, JSON_COMPACT);
	if (!text)
		return ERR_NOMEM;
	buf_add_text(details, text);
	free(text);
	return OK;
}

enum err admin_write(struct store *store, struct store_write *write, struct admin_deed *deed,
		     struct arena *arena, struct faults *faults)
{
	struct audit_write audit;

	faults_init(faults, arena);
	write->arena = arena;
	write->faults = faults;
	audit_write_init(&audit, write, deed->settings->command->name);
	if (deed->settings->by)
		audit.by = deed->settings->by;
	audit.account = deed->account;
	audit.describe = deed_describe;
	audit.context = deed;
	return store_write(store, &audit.write);
}

enum err admin_detail(json_t *details, json_t **details_out)
{
	if (!details)
		return ERR_NOMEM;
	*details_out = details;
	return OK;
}

json_t *admin_changes(json_t *before, json_t *after)
{
	json_t *changes = before && after ? json_object() : NULL, *value;
	const char *key;

	json_object_foreach (after, key, value) {
		json_t *old = json_object_get(before, key);

		if (!changes || json_equal(old, value))
			continue;
		if (json_object_set_new(changes, key,
					json_pack("{sO sO}", "from", old, "to", value))) {
			json_decref(changes);
			changes = NULL;
		}
	}
	json_decref(before);
	json_decref(after);
	return changes;
}

/* Texts are in quotes, so that an empty one can be seen. */
static void value_print(FILE *out, const json_t *value)
{
	if (json_is_boolean(value))
		fputs(json_is_true(value) ? "yes" : "no", out);
	else
		json_dumpf(value, out, JSON_ENCODE_ANY);
}

void admin_print_changes(const struct settings *settings, const json_t *changes)
{
	const char *key;
	json_t *change;

	json_object_foreach ((json_t *)changes, key, change) {
		fprintf(settings->out, "%s is now ", key);
		value_print(settings->out, json_object_get(change, "to"));
		fputs(", it was ", settings->out);
		value_print(settings->out, json_object_get(change, "from"));
		fputs("\n", settings->out);
	}
}
