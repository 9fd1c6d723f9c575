/* SPDX-License-Identifier: MIT */
/* The control socket: a command of another process, run by the one that serves the folder. Its
 * thread ends the removals of accounts that were broken off as well. */
#include "accounts/accounts.h"
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "auth/guesses.h"
#include "auth/token.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/commands.h"
#include "store/store.h"

#define SOCKET "docket.sock"
#define LINE_MAX_BYTES (512 * 1024) /* of a command, whose words have up to 128 KiB each */
#define ANSWER_MAX_BYTES (64 * 1024 * 1024)
#define ASK_MS 3000  /* what a command may take to arrive, whole */
#define STOP_MS 1000 /* and once the process is to end */
#define TICK_MS 200  /* how often that is looked at */

struct control {
	const struct settings *settings; /* of the command that serves */
	struct store *store;
	struct guesses *guesses;
	pthread_t thread;
	int folder, listener, stop;
};

/* The socket's address, however long the folder's path is: through its descriptor. */
static struct sockaddr_un address_of(int folder)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" SOCKET, folder);
	return address;
}

/* Whether one that began then may still take its time. */
static bool may_go_on(const struct control *control, int64_t began)
{
	struct pollfd stop = {control->stop, POLLIN, 0};

	return monotonic_ms() - began < (poll(&stop, 1, 0) > 0 ? STOP_MS : ASK_MS);
}

/* The side that asks has no `control` and waits. */
static bool read_line(const struct control *control, int fd, size_t most, struct buf *line)
{
	int64_t began = monotonic_ms();
	char part[4096];

	while (line->len <= most && !line->failed && (!control || may_go_on(control, began))) {
		ssize_t got = recv(fd, part, sizeof(part), 0);

		if (got < 0 && (errno == EINTR || (control && errno == EAGAIN)))
			continue;
		if (got <= 0)
			return false;
		buf_add(line, part, (size_t)got);
		if (part[got - 1] == '\n')
			return !line->failed;
	}
	return false;
}

/* The object and a newline. */
static bool write_line(int fd, const json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);
	size_t len = text ? strlen(text) : 0, sent = 0;

	if (text)
		text[len++] = '\n'; /* in the place of its NUL */
	while (sent < len) {
		ssize_t more = send(fd, text + sent, len - sent, MSG_NOSIGNAL);

		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			break;
		sent += (size_t)more;
	}
	free(text);
	return len && sent == len;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; name && i < command_count; i++)
		if (commands[i].admin && strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static bool take_settings(struct settings *settings, const json_t *asked, const json_t *origins)
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

static bool all_texts(const json_t *asked)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)asked, name, value)
		if (!json_is_string(value))
			return false;
	return json_is_object(asked);
}

static bool read_hash(const json_t *text, unsigned char hash[TOKEN_HASH_BYTES])
{
	return json_is_string(text) && token_hash_read(slice_of(json_string_value(text)), hash);
}

static bool serve_waiting(void *context);

/* Runs what was asked with its words going to `out` and `err`. */
static enum exit_status run(const struct control *control, const json_t *asked, FILE *out,
			    FILE *err)
{
	const json_t *argument = json_object_get(asked, "argument");
	const json_t *given = json_object_get(asked, "settings");
	struct settings settings = {
		.command = find_command(json_string_value(json_object_get(asked, "command"))),
		.argument = json_string_value(argument),
		.out = out,
		.err = err,
		.serving = true,
		.serving_domain = control->settings->text[SETTING_BASE_DOMAIN],
		.meanwhile = serve_waiting,
		.context = (void *)(uintptr_t)control,
	};
	unsigned char hash[TOKEN_HASH_BYTES] = {0};
	enum exit_status status = EXIT_USAGE;

	if (!settings.command || !settings.argument != !settings.command->argument ||
	    !all_texts(given) ||
	    (settings.command->makes_token &&
	     !read_hash(json_object_get(asked, "token_hash"), hash)))
		fprintf(err,
			"docket: the process that serves the folder has another version and does "
			"not know this command: restart it\n");
	else if (take_settings(&settings, given, json_object_get(asked, "origins")))
		status = settings.command->admin(&settings, control->store, hash);
	/* Its owner has not used it yet, and must not have to wait for what others guess. */
	if (settings.command && settings.command->makes_token && status == EXIT_OK &&
	    guesses_load(control->guesses, control->store, clock_now(&system_clock),
			 monotonic_ms()))
		log_line("the new token waits where others guess at tokens");
	settings_release(&settings);
	return status;
}

static void answer(const struct control *control, int fd)
{
	char *out = NULL, *err = NULL;
	size_t out_len = 0, err_len = 0;
	FILE *to_out = open_memstream(&out, &out_len), *to_err = open_memstream(&err, &err_len);
	struct buf line = {0};
	enum exit_status status = EXIT_FAILED;
	json_t *asked, *said = NULL;

	if (to_out && to_err && read_line(control, fd, LINE_MAX_BYTES, &line)) {
		asked = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, NULL);
		status = run(control, asked, to_out, to_err);
		json_decref(asked);
		fclose(to_out);
		fclose(to_err);
		to_out = to_err = NULL;
		said = json_pack("{si ss ss}", "status", (int)status, "out", out, "err", err);
		if (!said || !write_line(fd, said))
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
static bool serve_one(const struct control *control)
{
	const struct timeval tick = {.tv_usec = TICK_MS * 1000};
	const struct timeval patience = {.tv_sec = ASK_MS / 1000};
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tick, sizeof(tick));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	answer(control, fd);
	close(fd);
	return true;
}

static bool is_ready(int fd, int milliseconds)
{
	struct pollfd wait = {fd, POLLIN, 0};

	return poll(&wait, 1, milliseconds) > 0;
}

/* Between the parts of a long command: the commands of others, which may be as long. */
static bool serve_waiting(void *context)
{
	const struct control *control = context;

	if (is_ready(control->listener, 0))
		(void)serve_one(control);
	return !is_ready(control->stop, 0);
}

/* What a process that was killed had begun to delete. Of a database another may be at it. */
static void end_removals(const struct control *control)
{
	bool more = true;
	enum err err = OK;

	while (more && !err && serve_waiting((void *)(uintptr_t)control))
		err = store_purge(control->store, &more);
	if (err && err != ERR_BUSY)
		log_line("cannot delete what a removed account had: %s: the next start goes on",
			 err_text(err));
}

static void *serve(void *context)
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
			served = serve_one(control);
		if (!served && waits[1].revents)
			break;
		/* Out of descriptors: not at once again. */
		if (!served)
			(void)is_ready(control->stop, TICK_MS);
	}
	return NULL;
}

static bool listen_in(struct control *control)
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
	address = address_of(control->folder);
	/* Of a process that has ended: the folder's lock is this one's. */
	unlinkat(control->folder, SOCKET, 0);
	return bind(control->listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	       fchmodat(control->folder, SOCKET, 0600, 0) == 0 &&
	       file_give(control->folder, SOCKET) && listen(control->listener, 16) == 0;
}

static void control_free(struct control *control)
{
	const int fds[] = {control->folder, control->listener, control->stop};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
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
	if (!listen_in(control) || pthread_create(&control->thread, NULL, serve, control)) {
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
		unlinkat(control->folder, SOCKET, 0);
	if (write(control->stop, &one, sizeof(one)) == sizeof(one))
		pthread_join(control->thread, NULL);
	control_free(control);
}

/* The settings that were given, but for those of this process. */
static json_t *asked_of(const struct settings *settings, const unsigned char *token_hash)
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

static int reach(const struct settings *settings)
{
	int folder = open(settings->text[SETTING_DATA], O_PATH | O_DIRECTORY | O_CLOEXEC);
	const struct sockaddr_un address = address_of(folder);
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

static enum exit_status print_answer(const struct settings *settings, const struct buf *line,
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
	json_t *asked = asked_of(settings, token_hash);
	struct buf line = {0};
	int fd;

	if (!asked) {
		fprintf(settings->err, "docket %s: an option is not UTF-8\n",
			settings->command->name);
		*status_out = EXIT_USAGE;
		return true;
	}
	fd = reach(settings);
	if (fd >= 0) {
		if (write_line(fd, asked))
			(void)read_line(NULL, fd, ANSWER_MAX_BYTES, &line);
		*status_out = print_answer(settings, &line, unknown_out);
		close(fd);
	}
	json_decref(asked);
	buf_release(&line);
	return fd >= 0;
}
