/* SPDX-License-Identifier: MIT */
/* Confines the process to the files that its settings name. */
#include "confine/confine.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/log.h"
#include "base/url.h"
#include "db/files.h"
#include "serve_private.h"

#define FILE_URL "file:"

static const struct {
	enum setting setting;
	enum confine_scope scope;
	unsigned rights;
} rows[] = {
	{SETTING_DATA, CONFINE_ITSELF, CONFINE_WRITE | CONFINE_SOCKETS},
	{SETTING_CONTROL_SOCKET, CONFINE_FOLDER, CONFINE_SOCKETS},
	{SETTING_REPLICATE_TO, CONFINE_TARGET, CONFINE_WRITE},
	{SETTING_BACKUP_TO, CONFINE_TARGET, CONFINE_WRITE},
	{SETTING_TLS_CERT, CONFINE_FOLDER, CONFINE_READ},
	{SETTING_TLS_KEY, CONFINE_FOLDER, CONFINE_READ},
	{SETTING_SMTP_CA, CONFINE_FOLDER, CONFINE_READ},
	{SETTING_SMTP_PASSWORD_FILE, CONFINE_ITSELF, CONFINE_READ},
};

/* The settings that are a comma list are those of files for TLS. A path cannot have a comma
 * there. */
static void confine_add_setting(struct confine_list *list, const struct settings *settings,
				size_t row)
{
	const char *value = settings->text[rows[row].setting];
	bool many = rows[row].setting == SETTING_TLS_CERT || rows[row].setting == SETTING_TLS_KEY;
	struct slice entry;

	if (!many)
		confine_add(list, value, rows[row].scope, rows[row].rights);
	while (many && value && url_list_next(&value, &entry))
		confine_add(list, arena_copy(&list->arena, entry), rows[row].scope,
			    rows[row].rights);
}

static void confine_add_mail(struct confine_list *list, const char *url)
{
	if (url && strncmp(url, FILE_URL, strlen(FILE_URL)) == 0)
		confine_add(list, url + strlen(FILE_URL), CONFINE_TARGET, CONFINE_WRITE);
}

/* A postgres_file_fn. The home folder has more than that. */
static void confine_add_file(void *context, const char *path, bool in_home)
{
	confine_add(context, path, in_home ? CONFINE_ITSELF : CONFINE_FOLDER, CONFINE_READ);
}

static void confine_add_settings(struct confine_list *list, const struct settings *settings)
{
	confine_add_system(list);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		confine_add_setting(list, settings, i);
	confine_add_mail(list, settings->text[SETTING_SMTP_URL]);
	if (settings->text[SETTING_DATABASE])
		postgres_files(settings->text[SETTING_DATABASE], confine_add_file, list);
	/* To remove its folder at the end. */
	if (settings->number[SETTING_EPHEMERAL])
		confine_add(list, settings->text[SETTING_DATA], CONFINE_FOLDER, CONFINE_RMDIR);
}

enum err serve_confine(const struct settings *settings, struct confine_state *state_out)
{
	struct confine_list list = {0};
	struct buf why = {0};
	enum err err;

	*state_out = (struct confine_state){0};
	if (settings->number[SETTING_NO_CONFINEMENT])
		return OK;
	confine_add_settings(&list, settings);
	err = confine_process(&list, state_out, &why);
	if (err)
		log_line("%.*s; --no-confinement starts docket without these limits", (int)why.len,
			 why.ptr ? why.ptr : err_text(err));
	confine_list_release(&list);
	buf_release(&why);
	return err;
}

json_t *confine_json(const struct confine_state *state)
{
	return json_pack("{ss si ss}", "landlock", confine_status_text(state->landlock),
			 "landlock_version", state->landlock_abi, "seccomp",
			 confine_status_text(state->seccomp));
}
