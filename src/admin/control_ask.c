/* SPDX-License-Identifier: MIT */
/* Asks the process that serves a folder to run a command. */
#include <fcntl.h>
#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/token.h"
#include "control.h"

#define ANSWER_MAX_BYTES (64 * 1024 * 1024)

/* The settings that were given, but for those of this process. */
static json_t *asked_json(const struct settings *settings, const unsigned char *token_hash)
{
	char hex[TOKEN_HASH_CHARS + 1];
	json_t *given = json_object(), *origins = json_object(), *asked;

	for (int i = 0; i < SETTINGS; i++) {
		const char *name = settings_name((enum setting)i);

		if (!settings->origin[i] || i == SETTING_DATA || i == SETTING_CONFIG ||
		    i == SETTING_NETWORK_FOLDER || i == SETTING_TOKEN_FILE)
			continue;
		/* An origin that is no text is one of a file's name, and left out. */
		json_object_set_new(origins, name, json_string(settings->origin[i]));
		if (json_object_set_new(given, name, json_string(settings->text[i]))) {
			json_decref(given);
			json_decref(origins);
			return NULL;
		}
	}
	asked = json_pack("{ss so so}", "command", settings->command->name, "settings", given,
			  "origins", origins);
	if (settings->argument &&
	    json_object_set_new(asked, "argument", json_string(settings->argument))) {
		json_decref(asked);
		return NULL;
	}
	if (token_hash) {
		token_hash_write(token_hash, hex);
		json_object_set_new(asked, "token_hash", json_string(hex));
	}
	return asked;
}

static int control_connect(const struct settings *settings)
{
	int folder = open(settings->text[SETTING_DATA], O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct sockaddr_un address = control_address(folder);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool there = fd >= 0 && folder >= 0 &&
		     connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

	if (folder >= 0)
		close(folder);
	if (there || fd < 0)
		return fd;
	close(fd);
	return -1;
}

static enum exit_status answer_print(const struct settings *settings, const struct buf *line,
				     bool *unknown_out)
{
	json_t *said = line->len ? json_loadb(line->ptr, line->len, 0, NULL) : NULL;
	const char *out = json_string_value(json_object_get(said, "out"));
	const char *err = json_string_value(json_object_get(said, "err"));
	json_t *status = json_object_get(said, "status");
	enum exit_status result = EXIT_FAILED;

	if (out && err && json_is_integer(status)) {
		fputs(out, settings->out);
		fputs(err, settings->err);
		result = (enum exit_status)json_integer_value(status);
	} else {
		*unknown_out = true;
		fprintf(settings->err, "docket: the process that serves the folder gave no answer: "
				       "look whether it carried out the command\n");
	}
	json_decref(said);
	return result;
}

bool control_ask(const struct settings *settings, const unsigned char *token_hash,
		 enum exit_status *status_out, bool *unknown_out)
{
	json_t *asked = asked_json(settings, token_hash);
	struct buf line = {0};
	int fd;

	if (!asked) {
		fprintf(settings->err, "docket %s: an option is not UTF-8\n",
			settings->command->name);
		*status_out = EXIT_USAGE;
		return true;
	}
	fd = control_connect(settings);
	if (fd >= 0) {
		if (control_send(fd, asked))
			(void)control_receive(fd, ANSWER_MAX_BYTES, NULL, NULL, &line);
		*status_out = answer_print(settings, &line, unknown_out);
		close(fd);
	}
	json_decref(asked);
	buf_release(&line);
	return fd >= 0;
}
