/* SPDX-License-Identifier: MIT */
/* The server's side of the control socket: the process that serves the folder runs the commands of
 * other processes. Its thread also completes removals of accounts that were broken off. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accounts/accounts.h"
#include "audit/user.h"
#include "auth/guesses.h"
#include "auth/token.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "control_private.h"
#include "store/store.h"

#define LINE_MAX_BYTES (512 * 1024) /* of a command; each option has up to 128 KiB */
#define RECEIVE_MS 3000             /* how long a whole command may take to arrive */
#define STOP_MS 1000                /* the same while the process is ending */
#define TICK_MS 200                 /* how often these limits are checked */

struct control {
	struct control_config config;
	pthread_t thread;
	int folder, listener, stop;
	const char *name; /* of the socket in its folder */
};

/* Whether to wait longer for a command that began to arrive at `began`. */
static bool command_may_wait(const void *context, int64_t began)
{
	const struct control *control = context;
	struct pollfd stop = {control->stop, POLLIN, 0};

	return monotonic_ms() - began < (poll(&stop, 1, 0) > 0 ? STOP_MS : RECEIVE_MS);
}

static const struct command *find_admin_command(const struct commands *commands, const char *name)
{
	for (size_t i = 0; name && i < commands->count; i++)
		if (commands->rows[i].admin && strcmp(commands->rows[i].name, name) == 0)
			return &commands->rows[i];
	return NULL;
}

static bool settings_take_all(struct settings *settings, const json_t *given, const json_t *origins)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)given, name, value) {
		const char *origin = json_string_value(json_object_get(origins, name));

		if (!settings_take(settings, name, json_string_value(value), origin))
			return false;
	}
	return settings_presets(settings);
}

static bool are_all_texts(const json_t *given)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)given, name, value)
		if (!json_is_string(value))
			return false;
	return json_is_object(given);
}

static bool token_hash_from_json(const json_t *text, unsigned char hash[TOKEN_HASH_BYTES])
{
	return json_is_string(text) && token_hash_read(slice_of(json_string_value(text)), hash);
}

static bool answer_waiting(void *context);

/* Sends how far the command is. Returns false if the other process has gone. */
static bool answer_tell(void *context, const char *what, int64_t done, int64_t total)
{
	json_t *line = json_pack("{ss sI sI}", "what", what, "done", (json_int_t)done, "total",
				 (json_int_t)total);
	bool sent = line && control_send(*(const int *)context, line, -1);

	json_decref(line);
	return sent;
}

/* For take_file() of struct settings; `context` is an int. */
static void answer_take_file(void *context, int fd)
{
	*(int *)context = fd;
}

/* Runs the requested command. Its output goes to `out` and `err`, the descriptor of a file that it
 * makes to `file`. */
static enum exit_status request_run(const struct control *control, int fd, const json_t *request,
				    FILE *out, FILE *err, int *file)
{
	const struct commands *commands = control->config.settings->commands;
	const json_t *argument = json_object_get(request, "argument");
	const json_t *second = json_object_get(request, "second");
	const json_t *given = json_object_get(request, "settings");
	struct audit_user by;
	struct settings settings = {
		.commands = commands,
		.command = find_admin_command(
			commands, json_string_value(json_object_get(request, "command"))),
		.argument = json_string_value(argument),
		.second = json_string_value(second),
		.by = &by,
		.out = out,
		.err = err,
		.serving = true,
		.serving_domain = control->config.settings->text[SETTING_BASE_DOMAIN],
		.meanwhile = answer_waiting,
		.context = (void *)(uintptr_t)control,
		.tell = answer_tell,
		.tell_context = &fd,
		.take_file = answer_take_file,
		.take_context = file,
	};
	unsigned char hash[TOKEN_HASH_BYTES] = {0};
	enum exit_status status = EXIT_USAGE;

	audit_user_of_peer(fd, json_string_value(json_object_get(request, "sudo_username")), &by);
	if (!settings.command || !settings.argument != !settings.command->argument ||
	    !settings.second != !settings.command->second || !are_all_texts(given) ||
	    (settings.command->makes_token &&
	     !token_hash_from_json(json_object_get(request, "token_hash"), hash)))
		fprintf(err,
			"docket: the process that serves the folder has another version and does "
			"not know this command: restart it\n");
	else if (settings_take_all(&settings, given, json_object_get(request, "origins")))
		status = settings.command->admin(&settings, control->config.store, hash);
	/* Reads all tokens again, so that the limit on guesses knows the new token. A known
	 * token is never refused. */
	if (settings.command && settings.command->makes_token && status == EXIT_OK &&
	    guesses_load(control->config.guesses, control->config.store, clock_now(&system_clock),
			 monotonic_ms()))
		log_line("cannot read the tokens: the limit on guesses may refuse the new token");
	settings_release(&settings);
	return status;
}

static void answer_command(const struct control *control, int fd)
{
	char *out = NULL, *err = NULL;
	size_t out_len = 0, err_len = 0;
	FILE *to_out = open_memstream(&out, &out_len), *to_err = open_memstream(&err, &err_len);
	struct buf line = {0};
	enum exit_status status = EXIT_FAILED;
	json_t *request, *answer = NULL;
	int file = -1;

	if (to_out && to_err &&
	    control_receive(fd, LINE_MAX_BYTES, command_may_wait, control, &line, NULL)) {
		request = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, NULL);
		status = request_run(control, fd, request, to_out, to_err, &file);
		json_decref(request);
		fclose(to_out);
		fclose(to_err);
		to_out = to_err = NULL;
		answer = json_pack("{si ss ss}", "status", (int)status, "out", out, "err", err);
		if (!answer || !control_send(fd, answer, file))
			log_line("cannot answer a command over the control socket");
	}
	json_decref(answer);
	buf_release(&line);
	if (file >= 0)
		close(file);
	if (to_out)
		fclose(to_out);
	if (to_err)
		fclose(to_err);
	free(out);
	free(err);
}

/* Answers one command that waits. False if there is none. */
static bool answer_next(const struct control *control)
{
	const struct timeval tick = {.tv_usec = TICK_MS * 1000};
	const struct timeval timeout = {.tv_sec = RECEIVE_MS / 1000};
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	answer_command(control, fd);
	close(fd);
	return true;
}

static bool is_ready(int fd, int milliseconds)
{
	struct pollfd wait = {fd, POLLIN, 0};

	return poll(&wait, 1, milliseconds) > 0;
}

/* A long command calls this between its parts. Answers one command of another process, if one
 * waits. Returns false if this process is ending. */
static bool answer_waiting(void *context)
{
	const struct control *control = context;

	if (is_ready(control->listener, 0))
		(void)answer_next(control);
	return !is_ready(control->stop, 0);
}

/* Completes removals that a killed process had begun. Another process on the same PostgreSQL
 * database may be doing this; then the error is ERR_BUSY. */
static void complete_removals(const struct control *control)
{
	enum err err =
		store_purge(control->config.store, answer_waiting, (void *)(uintptr_t)control);

	if (err && err != ERR_BUSY)
		log_line("cannot delete the data of a removed account: %s: docket continues at its "
			 "next start",
			 err_text(err));
}

static void *control_loop(void *context)
{
	const struct control *control = context;
	struct pollfd waits[] = {{control->listener, POLLIN, 0}, {control->stop, POLLIN, 0}};

	complete_removals(control);
	for (;;) {
		bool served = false;

		if (poll(waits, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		/* control_stop() has removed the socket, so no more commands come. Answers those
		 * that have come. */
		if (waits[0].revents)
			served = answer_next(control);
		if (!served && waits[1].revents)
			break;
		/* There may be no descriptors left: wait before the next attempt. */
		if (!served)
			(void)is_ready(control->stop, TICK_MS);
	}
	return NULL;
}

/* Removes the socket if the process that made it has ended: then connect(2) fails. Leaves a file
 * that is not a socket. */
static void socket_remove_stale(const struct control *control, const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool accepts =
		fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0;
	struct stat found;

	if (fd >= 0)
		close(fd);
	if (!accepts && !fstatat(control->folder, control->name, &found, AT_SYMLINK_NOFOLLOW) &&
	    S_ISSOCK(found.st_mode))
		unlinkat(control->folder, control->name, 0);
}

static bool control_listen(struct control *control)
{
	const struct settings *settings = control->config.settings;
	struct sockaddr_un address;

	control->stop = eventfd(0, EFD_CLOEXEC);
	if (control->stop < 0 ||
	    (!settings->text[SETTING_DATA] && !settings->text[SETTING_CONTROL_SOCKET]))
		return control->stop >= 0;
	control->folder = control_open_folder(settings, &control->name);
	if (control->folder < 0)
		return false;
	control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address = control_address(control->folder, control->name);
	socket_remove_stale(control, &address);
	return control->listener >= 0 &&
	       bind(control->listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	       fchmodat(control->folder, control->name, 0600, 0) == 0 &&
	       file_give(control->folder, control->name) && listen(control->listener, 16) == 0;
}

static void control_free(struct control *control)
{
	const int fds[] = {control->folder, control->listener, control->stop};

	for (size_t i = 0; i < COUNT_OF(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(control);
}

struct json_t *control_status(const struct settings *settings)
{
	const struct control *control = settings->context;

	return control->config.status(control->config.context);
}

bool control_start(const struct control_config *config, struct control **control_out)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control) {
		log_line("out of memory");
		return false;
	}
	*control = (struct control){.config = *config, .folder = -1, .listener = -1, .stop = -1};
	if (!control_listen(control) ||
	    pthread_create(&control->thread, NULL, control_loop, control)) {
		log_line("cannot make the control socket or its thread: %s", strerror(errno));
		control_free(control);
		return false;
	}
	*control_out = control;
	return true;
}

void control_stop(struct control *control)
{
	const uint64_t one = 1;

	if (!control)
		return;
	if (control->folder >= 0)
		unlinkat(control->folder, control->name, 0);
	if (write(control->stop, &one, sizeof(one)) == sizeof(one))
		pthread_join(control->thread, NULL);
	control_free(control);
}
