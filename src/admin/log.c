/* SPDX-License-Identifier: MIT */
/* docket log: lists the audit log. */
#include <jansson.h>

#include "admin_private.h"
#include "audit/audit.h"
#include "base/text.h"
#include "base/timefmt.h"

#define ENTRIES_MOST 1000

static json_t *log_text(struct slice text)
{
	return text.len ? json_stringn(text.ptr, text.len) : json_null();
}

static void log_add_value(struct buf *text, const json_t *value)
{
	char *json = json_is_boolean(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);

	buf_add_text(text, json ? json : json_is_true(value) ? "yes" : "no");
	free(json);
}

/* "id 2, username "doe", email was "", is now "doe@example.com"". */
static void log_add_details(struct buf *text, const json_t *details)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)details, key, value) {
		if (strcmp(key, "changes") == 0) {
			log_add_details(text, value);
			continue;
		}
		buf_printf(text, "%s%s ", text->len ? ", " : "", key);
		if (json_is_object(value)) {
			buf_add_text(text, "was ");
			log_add_value(text, json_object_get(value, "from"));
			buf_add_text(text, ", is now ");
			value = json_object_get(value, "to");
		}
		log_add_value(text, value);
	}
}

static json_t *log_shown(const struct audit_entry *entry, const json_t *details)
{
	struct buf text = {0};
	json_t *shown;

	if (!entry->details.ptr)
		return json_string("removed with the account");
	if (!json_is_object(details))
		return json_string("cannot be read: run \"docket check\"");
	log_add_details(&text, details);
	shown = text.failed ? NULL : json_stringn(text.len ? text.ptr : "", text.len);
	buf_release(&text);
	return shown;
}

struct log_rows {
	json_t *rows; /* the oldest first */
	bool json;    /* else the details are a text for people */
};

static enum err log_append(void *context, const struct audit_entry *entry)
{
	const struct log_rows *log = context;
	json_t *details = json_loadb(entry->details.ptr ? entry->details.ptr : "",
				     entry->details.len, 0, NULL);
	json_t *shown = log->json ? details ? json_incref(details) : json_null()
				  : log_shown(entry, details);
	json_t *row = json_pack("{sI so sI so so so so so}", "number", (json_int_t)entry->number,
				"at", output_time(entry->at), "uid", (json_int_t)entry->uid,
				"username", log_text(entry->username), "sudo_username",
				log_text(entry->sudo_username), "command", log_text(entry->command),
				"account", log_text(entry->account), "details", shown);

	json_decref(details);
	/* The read begins with the latest. */
	return json_array_insert_new(log->rows, 0, row) ? ERR_NOMEM : OK;
}

enum exit_status log_list(const struct settings *settings, struct store *store,
			  const unsigned char *token_hash)
{
	const char *account = settings->text[SETTING_ACCOUNT];
	struct audit_filter filter = {.account = slice_of(account ? account : ""),
				      .since = TIME_MIN,
				      .until = TIME_MAX,
				      .limit = ENTRIES_MOST};
	struct log_rows log = {.json = settings->number[SETTING_JSON]};
	enum err err;

	(void)token_hash;
	if (!admin_time(settings, SETTING_SINCE, TIME_FIRST, &filter.since) ||
	    !admin_time(settings, SETTING_UNTIL, TIME_LAST, &filter.until))
		return EXIT_USAGE;
	if (account && !account_name_is_valid(slice_of(account)))
		return settings_wrong(settings, SETTING_ACCOUNT, "is not the name of an account");
	log.rows = json_array();
	err = log.rows ? audit_read(store, &filter, log_append, &log) : ERR_NOMEM;
	if (!err && json_array_size(log.rows) == ENTRIES_MOST)
		fprintf(settings->err,
			"only the last %d entries are listed: use --until to see earlier ones\n",
			ENTRIES_MOST);
	if (!err)
		return output_list(settings, "entries", log.rows);
	json_decref(log.rows);
	return output_outcome(settings, err, "cannot read the audit log");
}
