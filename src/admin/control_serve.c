/* SPDX-License-Identifier: MIT */
/* The control socket: a command of another process, run by the one that serves the folder. Its
 * thread ends the removals of accounts that were broken off as well. */
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
#include "admin/admin.h"
#include "auth/guesses.h"
#include "auth/token.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "control.h"
#include "store/store.h"

#define LINE_MAX_BYTES (512 * 1024) /* of a command, whose words have up to 128 KiB each */
#define ASK_MS 3000                 /* what a command may take to arrive, whole */
#define STOP_MS 1000                /* and once the process is to end */
#define TICK_MS 200                 /* how often that is looked at */

struct control {
	const struct settings *settings; /* of the command that serves */
	struct store *store;
	struct guesses *guesses;
	pthread_t thread;
	int folder, listener, stop;
};

/* Whether one that began then may still take its time. */
static bool may_go_on(const void *context, int64_t began)
{
	const struct control *control = context;
	struct pollfd stop = {control->stop, POLLIN, 0};

	return monotonic_ms() - began < (poll(&stop, 1, 0) > 0 ? STOP_MS : ASK_MS);
}

static const struct command *find_admin_command(const struct commands *commands, const char *name)
{
	for (size_t i = 0; name && i < commands->count; i++)
		if (commands->rows[i].admin && strcmp(commands->rows[i].name, name) == 0)
			return &commands->rows[i];
	return NULL;
}

static bool settings_take_all(struct settings *settings, const json_t *asked, const json_t *origins)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)asked, name, value) {
		const char *origin = json_string_value(json_object_get(origins, name));

		if (!settings_take(settings, name, json_string_value(value), origin))
			return false;
	}
	return settings_presets(settings);
}

static bool are_all_texts(const json_t *asked)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)asked, name, value)
		if (!json_is_string(value))
			return false;
	return json_is_object(asked);
}

static bool token_hash_of(const json_t *text, unsigned char hash[TOKEN_HASH_BYTES])
{
	return json_is_string(text) && token_hash_read(slice_of(json_string_value(text)), hash);
}

static bool answer_waiting(void *context);

/* Runs what was asked with its words going to `out` and `err`. */
static enum exit_status run_asked(const struct control *control, const json_t *asked, FILE *out,
				  FILE *err)
{
	const struct commands *commands = control->settings->commands;
	const json_t *argument = json_object_get(asked, "argument");
	const json_t *given = json_object_get(asked, "settings");
	struct settings settings = {
		.commands = commands,
		.command = find_admin_command(commands,
					      json_string_value(json_object_get(asked, "command"))),
		.argument = json_string_value(argument),
		.out = out,
		.err = err,
		.serving = true,
		.serving_domain = control->settings->text[SETTING_BASE_DOMAIN],
		.meanwhile = answer_waiting,
		.context = (void *)(uintptr_t)control,
	};
	unsigned char hash[TOKEN_HASH_BYTES] = {0};
	enum exit_status status = EXIT_USAGE;

	if (!settings.command || !settings.argument != !settings.command->argument ||
	    !are_all_texts(given) ||
	    (settings.command->makes_token &&
	     !token_hash_of(json_object_get(asked, "token_hash"), hash)))
		fprintf(err,
			"docket: the process that serves the folder has another version and does "
			"not know this command: restart it\n");
	else if (settings_take_all(&settings, given, json_object_get(asked, "origins")))
		status = settings.command->admin(&settings, control->store, hash);
	/* Its owner has not used it yet, and must not have to wait for what others guess. */
	if (settings.command && settings.command->makes_token && status == EXIT_OK &&
	    guesses_load(control->guesses, control->store, clock_now(&system_clock),
			 monotonic_ms()))
		log_line("the new token waits where others guess at tokens");
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
	json_t *asked, *said = NULL;

	if (to_out && to_err && control_receive(fd, LINE_MAX_BYTES, may_go_on, control, &line)) {
		asked = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, NULL);
		status = run_asked(control, asked, to_out, to_err);
		json_decref(asked);
		fclose(to_out);
		fclose(to_err);
		to_out = to_err = NULL;
		said = json_pack("{si ss ss}", "status", (int)status, "out", out, "err", err);
		if (!said || !control_send(fd, said))
			log_line("cannot answer a command over the control socket");
	}
	json_decref(said);
	buf_release(&line);
	if (to_out)
		fclose(to_out);
	if (to_err)
		fclose(to_err);
	free(out);
	free(err);
}

/* Answers one command that waits; false where none does. */
static bool answer_next(const struct control *control)
{
	const struct timeval tick = {.tv_usec = TICK_MS * 1000};
	const struct timeval patience = {.tv_sec = ASK_MS / 1000};
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	answer_command(control, fd);
	close(fd);
	return true;
}

static bool is_ready(int fd, int milliseconds)
{
	struct pollfd wait = {fd, POLLIN, 0};

	return poll(&wait, 1, milliseconds) > 0;
}

/* Between the parts of a long command: the commands of others, which may be as long. */
static bool answer_waiting(void *context)
{
	const struct control *control = context;

	if (is_ready(control->listener, 0))
		(void)answer_next(control);
	return !is_ready(control->stop, 0);
}

/* What a process that was killed had begun to delete. Of a database another may be at it. */
static void end_removals(const struct control *control)
{
	bool more = true;
	enum err err = OK;

	while (more && !err && answer_waiting((void *)(uintptr_t)control))
		err = store_purge(control->store, &more);
	if (err && err != ERR_BUSY)
		log_line("cannot delete what a removed account had: %s: the next start goes on",
			 err_text(err));
}

static void *control_loop(void *context)
{
	const struct control *control = context;
	struct pollfd waits[] = {{control->listener, POLLIN, 0}, {control->stop, POLLIN, 0}};

	end_removals(control);
	for (;;) {
		bool served = false;

		if (poll(waits, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			break;
		}
		/* At the end no more come, for the socket is gone; who had come is answered. */
		if (waits[0].revents)
			served = answer_next(control);
		if (!served && waits[1].revents)
			break;
		/* Out of descriptors: not at once again. */
		if (!served)
			(void)is_ready(control->stop, TICK_MS);
	}
	return NULL;
}

static bool control_listen(struct control *control)
{
	const char *folder = control->settings->text[SETTING_DATA];
	struct sockaddr_un address;

	control->stop = eventfd(0, EFD_CLOEXEC);
	if (control->stop < 0 || !folder)
		return control->stop >= 0;
	control->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (control->folder < 0 || control->listener < 0)
		return false;
	address = control_address(control->folder);
	/* Of a process that has ended: the folder's lock is this one's. */
	unlinkat(control->folder, CONTROL_SOCKET, 0);
	return bind(control->listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	       fchmodat(control->folder, CONTROL_SOCKET, 0600, 0) == 0 &&
	       file_give(control->folder, CONTROL_SOCKET) && listen(control->listener, 16) == 0;
}

static void control_free(struct control *control)
{
	const int fds[] = {control->folder, control->listener, control->stop};

	for (size_t i = 0; i < COUNT_OF(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(control);
}

bool control_start(const struct settings *settings, struct store *store, struct guesses *guesses,
		   struct control **control_out)
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control) {
		log_line("out of memory");
		return false;
	}
	*control = (struct control){settings, store, guesses, 0, -1, -1, -1};
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
		unlinkat(control->folder, CONTROL_SOCKET, 0);
	if (write(control->stop, &one, sizeof(one)) == sizeof(one))
		pthread_join(control->thread, NULL);
	control_free(control);
}
