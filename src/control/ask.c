/* SPDX-License-Identifier: MIT */
/* Asks the process that serves a folder to run a command. */
#include <errno.h>
#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit/user.h"
#include "auth/token.h"
#include "control_private.h"

#define ANSWER_MAX_BYTES (64 * 1024 * 1024)

/* Those that only concern this process. */
#define OWN_SETTINGS                                                                               \
	(SETTING_BIT(SETTING_DATA) | SETTING_BIT(SETTING_CONFIG) | SETTING_BIT(SETTING_DATABASE) | \
	 SETTING_BIT(SETTING_CONTROL_SOCKET) | SETTING_BIT(SETTING_NETWORK_FOLDER) |               \
	 SETTING_BIT(SETTING_TOKEN_FILE) | SETTING_BIT(SETTING_TO) | SETTING_BIT(SETTING_KEEP))

/* The request for the command. It has the settings that were given, except those that only concern
 * this process. NULL: an option is not UTF-8. */
static json_t *request_json(const struct settings *settings, const unsigned char *token_hash)
{
	char hex[TOKEN_HASH_CHARS + 1];
	json_t *given = json_object(), *origins = json_object(), *request;

	for (int i = 0; i < SETTINGS; i++) {
		const char *name = settings_name((enum setting)i);

		if (!settings->origin[i] || (OWN_SETTINGS & SETTING_BIT(i)))
			continue;
		/* An origin may have a file's name that is not UTF-8; then it is left out. */
		json_object_set_new(origins, name, json_string(settings->origin[i]));
		if (json_object_set_new(given, name, json_string(settings->text[i]))) {
			json_decref(given);
			json_decref(origins);
			return NULL;
		}
	}
	request = json_pack("{ss so so}", "command", settings->command->name, "settings", given,
			    "origins", origins);
	if ((settings->argument &&
	     json_object_set_new(request, "argument", json_string(settings->argument))) ||
	    (settings->second &&
	     json_object_set_new(request, "second", json_string(settings->second)))) {
		json_decref(request);
		return NULL;
	}
	/* A name that is not UTF-8 is left out. */
	if (audit_user_sudo())
		json_object_set_new(request, "sudo_username", json_string(audit_user_sudo()));
	if (token_hash) {
		token_hash_write(token_hash, hex);
		json_object_set_new(request, "token_hash", json_string(hex));
	}
	return request;
}

/* 0, or an error number. */
static int control_connect(const struct settings *settings, int *fd_out)
{
	const char *name;
	int folder = control_open_folder(settings, &name);
	const struct sockaddr_un address = control_address(folder, name);
	int fd = folder < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool connected =
		fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
	int why = connected ? 0 : errno;

	if (folder >= 0)
		close(folder);
	if (connected)
		*fd_out = fd;
	else if (fd >= 0)
		close(fd);
	return why;
}

/* Shows how far the command is, if the line tells that. `what` is kept as long as `shown`. */
static bool answer_is_progress(const json_t *line, struct progress *progress, char shown[32])
{
	const char *what = json_string_value(json_object_get(line, "what"));
	const json_t *done = json_object_get(line, "done"), *total = json_object_get(line, "total");

	if (!what)
		return false;
	if (strcmp(shown, what) != 0) {
		progress_end(progress);
		*progress = (struct progress){0};
		snprintf(shown, 32, "%s", what);
	}
	progress_tell(progress, shown, json_integer_value(done), json_integer_value(total));
	return true;
}

/* The answer, after the lines that tell of the progress. NULL: there is none. A descriptor that
 * comes with it goes to `file`. */
static json_t *answer_receive(int fd, int *file)
{
	struct progress progress = {0};
	struct buf lines = {0};
	json_t *answer = NULL;
	char shown[32] = "";
	bool more = true;

	while (more && !answer) {
		size_t at = 0;

		buf_clear(&lines);
		more = control_receive(fd, ANSWER_MAX_BYTES, NULL, NULL, &lines, file);
		/* Several lines may have come at once. */
		while (at < lines.len) {
			const char *end = memchr(lines.ptr + at, '\n', lines.len - at);
			size_t next = end ? (size_t)(end - lines.ptr) + 1 : lines.len;

			json_decref(answer);
			answer = json_loadb(lines.ptr + at, next - at, 0, NULL);
			if (answer && answer_is_progress(answer, &progress, shown)) {
				json_decref(answer);
				answer = NULL;
			}
			at = next;
		}
	}
	progress_end(&progress);
	buf_release(&lines);
	return answer;
}

/* Prints the answer, and releases it. */
static enum exit_status answer_print(const struct settings *settings, json_t *answer,
				     bool *unknown_out)
{
	const char *out = json_string_value(json_object_get(answer, "out"));
	const char *err = json_string_value(json_object_get(answer, "err"));
	json_t *status = json_object_get(answer, "status");
	enum exit_status result = EXIT_FAILED;

	if (out && err && json_is_integer(status)) {
		fputs(out, settings->out);
		fputs(err, settings->err);
		result = (enum exit_status)json_integer_value(status);
	} else {
		*unknown_out = true;
		fprintf(settings->err, "docket: the process that serves the folder gave no answer: "
				       "check whether it carried out the command\n");
	}
	json_decref(answer);
	return result;
}

static void file_take(const struct settings *settings, int file)
{
	if (settings->take_file)
		settings->take_file(settings->take_context, file);
	else
		close(file);
}

int control_ask(const struct settings *settings, const unsigned char *token_hash,
		enum exit_status *status_out, bool *unknown_out)
{
	json_t *request = request_json(settings, token_hash);
	int fd = -1, why;

	if (!request) {
		fprintf(settings->err, "docket %s: an option is not UTF-8\n",
			settings->command->name);
		*status_out = EXIT_USAGE;
		return 0;
	}
	why = control_connect(settings, &fd);
	if (fd >= 0) {
		json_t *answer;
		int file = -1;

		answer = control_send(fd, request, -1) ? answer_receive(fd, &file) : NULL;
		*status_out = answer_print(settings, answer, unknown_out);
		if (file >= 0)
			file_take(settings, file);
		close(fd);
	}
	json_decref(request);
	return why;
}
