/* SPDX-License-Identifier: MIT */
/* Runs the commands that work on accounts, and what they share. A folder belongs to one process:
 * where docket serves it, that process runs the command (control.h). */
#include "accounts/accounts.h"
#include "admin.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/token.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/timefmt.h"
#include "control.h"
#include "place/place.h"

#define QUEUE_LIMIT 16
/* 0.1 s apart: another command has the folder for a moment, and a process that has only just begun
 * to serve it has no socket yet. */
#define TRIES 20

void admin_place(const struct settings *settings, struct store_config *config)
{
	config->folder = settings->text[SETTING_DATA];
	config->database = settings->text[SETTING_DATABASE];
	config->network_folder = settings->number[SETTING_NETWORK_FOLDER];
	config->clock = &system_clock;
}

bool admin_account(const struct settings *settings, struct store *store, struct arena *arena,
		   struct account *account_out)
{
	const char *name = settings->text[SETTING_ACCOUNT];
	enum err err = store_account(store, name, arena, account_out);

	if (err == ERR_EXISTS)
		fprintf(settings->err,
			"docket: there are several accounts: name one with --account\n");
	else if (err == ERR_NOT_FOUND && name)
		fprintf(settings->err, "docket: there is no account \"%s\"\n", name);
	else if (err == ERR_NOT_FOUND)
		fprintf(settings->err, "docket: there is no account: make one with "
				       "\"docket account add\"\n");
	else if (err)
		fprintf(settings->err, "docket: cannot read the account: %s\n", err_text(err));
	return err == OK;
}

enum exit_status admin_outcome(const struct settings *settings, enum err err, const char *what)
{
	if (!err)
		return EXIT_OK;
	fprintf(settings->err, "docket: %s: %s\n", what, err_text(err));
	return EXIT_FAILED;
}

enum err admin_write(struct store *store, struct store_write *write, struct arena *arena,
		     struct faults *faults)
{
	faults_init(faults, arena);
	write->arena = arena;
	write->faults = faults;
	return store_write(store, write);
}

json_t *admin_time(int64_t time)
{
	char text[TIMESTAMP_LEN];

	if (time == TIME_NONE)
		return json_null();
	timestamp_write(time, text);
	return json_stringn(text, TIMESTAMP_LEN);
}

static const char *shown(const json_t *value, char number[24])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_boolean(value))
		return json_is_true(value) ? "yes" : "no";
	if (!json_is_integer(value))
		return "-";
	snprintf(number, 24, "%lld", (long long)json_integer_value(value));
	return number;
}

/* Columns as wide as what stands in them; text of other scripts may be wider than it counts. */
static void print_table(FILE *out, const json_t *rows)
{
	const char *key;
	json_t *value, *row;
	size_t i;
	char number[24];
	int widths[32] = {0}, column;

	json_array_foreach (rows, i, row) {
		column = 0;
		json_object_foreach (row, key, value) {
			size_t chars = text_chars(slice_of(shown(value, number)));
			size_t head = strlen(key);

			widths[column] =
				(int)(chars > (size_t)widths[column] ? chars
								     : (size_t)widths[column]);
			widths[column] =
				(int)(head > (size_t)widths[column] ? head
								    : (size_t)widths[column]);
			column++;
		}
	}
	json_array_foreach (rows, i, row) {
		column = 0;
		if (i == 0) {
			json_object_foreach (row, key, value)
				fprintf(out, "%s%-*s", column ? "  " : "", widths[column], key),
					column++;
			fprintf(out, "\n");
		}
		column = 0;
		json_object_foreach (row, key, value) {
			const char *text = shown(value, number);
			int fill = widths[column] - (int)text_chars(slice_of(text));

			fprintf(out, "%s%s%*s", column ? "  " : "", text, fill, "");
			column++;
		}
		fprintf(out, "\n");
	}
}

enum exit_status admin_list(const struct settings *settings, const char *what, json_t *rows)
{
	enum exit_status status = rows ? EXIT_OK : EXIT_FAILED;

	if (!rows) {
		fprintf(settings->err, "docket: out of memory\n");
	} else if (!settings->number[SETTING_JSON] && json_array_size(rows) == 0) {
		fprintf(settings->err, "there are no %s\n", what);
	} else if (!settings->number[SETTING_JSON]) {
		print_table(settings->out, rows);
	} else if (json_dumpf(rows, settings->out, JSON_INDENT(2))) {
		status = EXIT_FAILED;
	} else {
		fprintf(settings->out, "\n");
	}
	json_decref(rows);
	return status;
}

enum exit_status admin_nothing(const struct settings *settings, const enum setting *options,
			       size_t count)
{
	fprintf(settings->err, "docket %s: nothing to change: give", settings->command->name);
	for (size_t i = 0; i < count; i++)
		fprintf(settings->err, "%s --%s",
			i == 0          ? ""
			: i + 1 < count ? ","
					: " or",
			settings_name(options[i]));
	fprintf(settings->err, "\n");
	return EXIT_USAGE;
}

/* The folder's own process, or this one where it has none; a database is for everybody. */
static enum exit_status run_command(const struct settings *settings,
				    const unsigned char *token_hash, bool *unknown_out)
{
	struct store_config config = {.readers = 1, .queue_limit = QUEUE_LIMIT};
	enum exit_status status = EXIT_FAILED;
	struct buf why = {0};
	struct store *store;
	enum err err = ERR_BUSY;

	admin_place(settings, &config);
	for (int i = 0; i < TRIES && err == ERR_BUSY; i++) {
		if (i)
			nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		buf_clear(&why);
		err = store_open(&config, &store, &why);
		if (err == ERR_BUSY && config.folder &&
		    control_ask(settings, token_hash, &status, unknown_out)) {
			buf_release(&why);
			return status;
		}
	}
	if (!err) {
		status = settings->command->admin(settings, store, token_hash);
		store_close(store);
	} else {
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	}
	buf_release(&why);
	return status;
}

static bool is_in_folder(const char *file, const char *folder)
{
	const char *slash = strrchr(file, '/');
	char path[STORE_PATH_BYTES];
	struct stat parent, data;

	snprintf(path, sizeof(path), "%.*s", slash ? (int)(slash - file + 1) : 1,
		 slash ? file : ".");
	return folder && stat(path, &parent) == 0 && stat(folder, &data) == 0 &&
	       parent.st_dev == data.st_dev && parent.st_ino == data.st_ino;
}

bool admin_token_file(const struct settings *settings, const char *file, const char *token)
{
	int fd = is_in_folder(file, settings->text[SETTING_DATA])
			 ? file_make(file)
			 : open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool written;

	if (fd < 0) {
		log_line("cannot make the token's file %s: %s", file, strerror(errno));
		return false;
	}
	written = dprintf(fd, "%s\n", token) == TOKEN_CHARS + 1 && fsync(fd) == 0;
	if (close(fd) || !written) {
		log_line("cannot write the token's file %s: %s", file, strerror(errno));
		unlink(file);
		return false;
	}
	return true;
}

enum exit_status admin_run(const struct settings *settings)
{
	const char *file = settings->text[SETTING_TOKEN_FILE];
	unsigned char hash[TOKEN_HASH_BYTES];
	char token[TOKEN_CHARS + 1];
	enum exit_status status;
	bool unknown = false;

	if (!settings->command->makes_token)
		return run_command(settings, NULL, &unknown);
	if (auth_init()) {
		log_line("cannot get random numbers from this machine");
		return EXIT_FAILED;
	}
	token_new(token);
	token_hash(slice_of(token), hash);
	/* First: a token that cannot be handed over is of no use. The folder's process is told its
	 * hash alone. */
	if (file && !admin_token_file(settings, file, token))
		return EXIT_FAILED;
	status = run_command(settings, hash, &unknown);
	if (file && unknown)
		fprintf(settings->err, "if it was, the API token is in %s\n", file);
	else if (file && status != EXIT_OK)
		unlink(file);
	else if (file)
		fprintf(settings->err, "the API token is in %s\n", file);
	else if (status == EXIT_OK)
		fprintf(settings->out, "%s\n", token);
	return status;
}
