/* SPDX-License-Identifier: MIT */
/* The settings of mail, and docket mail test. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/url.h"
#include "mail/mail.h"
#include "admin_private.h"

#define PASSWORD_BYTES 1024

/* The first line of the file, in the arena. NULL, with a message, if there is none. */
static const char *password_read(const struct settings *settings, struct arena *arena)
{
	const char *file = settings->text[SETTING_SMTP_PASSWORD_FILE];
	char text[PASSWORD_BYTES];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text));
	int error = errno;
	size_t len;

	if (fd >= 0)
		close(fd);
	if (got < 0) {
		settings_wrong(settings, SETTING_SMTP_PASSWORD_FILE, "%s cannot be read: %s", file,
			       strerror(error));
		return NULL;
	}
	for (len = 0; len < (size_t)got && !strchr("\r\n", text[len]);)
		len++;
	if (!len || len == sizeof(text)) {
		settings_wrong(settings, SETTING_SMTP_PASSWORD_FILE,
			       "%s must begin with a line of 1 to %zu bytes, the password", file,
			       sizeof(text) - 1);
		return NULL;
	}
	return arena_copy(arena, (struct slice){text, len});
}

/* Sets the user name and the password, if they are given. */
static bool login_set(const struct settings *settings, struct arena *arena,
		      struct mail_config *config)
{
	const char *file = settings->text[SETTING_SMTP_PASSWORD_FILE];

	config->username = settings->text[SETTING_SMTP_USERNAME];
	config->password = settings->text[SETTING_SMTP_PASSWORD];
	if (file && config->password)
		settings_wrong(settings, SETTING_SMTP_PASSWORD_FILE,
			       "replaces %s: give only one of them",
			       settings->origin[SETTING_SMTP_PASSWORD]);
	else if (config->username && !file && !config->password)
		settings_wrong(settings, SETTING_SMTP_USERNAME,
			       "needs a password: give --smtp-password-file FILE, or set "
			       "DOCKET_SMTP_PASSWORD");
	else if (!config->username && (file || config->password))
		settings_wrong(settings, file ? SETTING_SMTP_PASSWORD_FILE : SETTING_SMTP_PASSWORD,
			       "needs --smtp-username as well");
	else if (file)
		return (config->password = password_read(settings, arena));
	else
		return true;
	return false;
}

static bool mail_is_right(const struct settings *settings, const struct mail_config *config)
{
	const char *from = settings->text[SETTING_MAIL_FROM];
	struct buf why = {0};
	bool right = mail_config_check(config, &why);

	if (!right)
		settings_wrong(settings, SETTING_SMTP_URL, "%.*s", (int)why.len,
			       why.ptr ? why.ptr : err_text(ERR_NOMEM));
	buf_release(&why);
	if (!right)
		return false;
	if (!from)
		settings_missing(settings, SETTING_MAIL_FROM);
	else if (!mail_is_address(slice_of(from)))
		settings_wrong(settings, SETTING_MAIL_FROM,
			       "must be an ASCII address such as docket@example.com; got \"%s\"",
			       from);
	else if (!config->timeout_s)
		settings_wrong(settings, SETTING_SMTP_TIMEOUT, "must be 1 or more");
	else if (config->ca_file && access(config->ca_file, R_OK))
		settings_wrong(settings, SETTING_SMTP_CA, "%s cannot be read: %s", config->ca_file,
			       strerror(errno));
	else
		return true;
	return false;
}

/* In EHLO docket has the name of the sender's domain: many servers refuse the bare name of a
 * machine. */
static bool name_set(const char *from, struct arena *arena, struct mail_config *config)
{
	struct slice origin = url_origin(slice_of(config->url));

	if (origin.len)
		config->url = arena_printf(arena, "%.*s/%s", (int)origin.len, origin.ptr,
					   strchr(from, '@') + 1);
	return config->url;
}

bool admin_mail(const struct settings *settings, struct arena *arena,
		struct mail_config *config_out)
{
	struct mail_config config = {
		.url = settings->text[SETTING_SMTP_URL],
		.ca_file = settings->text[SETTING_SMTP_CA],
		.timeout_s = (unsigned)settings->number[SETTING_SMTP_TIMEOUT],
	};

	*config_out = (struct mail_config){0};
	if (!config.url)
		return true;
	if (!mail_is_right(settings, &config) || !login_set(settings, arena, &config))
		return false;
	if (!name_set(settings->text[SETTING_MAIL_FROM], arena, &config))
		return false;
	*config_out = config;
	return true;
}

/* A new Message-ID: the domain is that of the sender. */
static const char *id_new(struct arena *arena, const char *from)
{
	return arena_printf(arena, "test.%lld.%lld.%ld%s", (long long)system_ms(),
			    (long long)monotonic_us(), (long)getpid(), strchr(from, '@'));
}

static enum exit_status mail_send_test(const struct settings *settings,
				       const struct mail_config *config, const char *to,
				       const char *id)
{
	const struct mail mail = {
		.from = slice_of(settings->text[SETTING_MAIL_FROM]),
		.to = slice_of(to),
		.subject = SLICE("A test of docket's mail"),
		.text = SLICE("This message was sent by \"docket mail test\".\n"
			      "So docket can send its alerts through this mail server.\n"),
		.id = slice_of(id),
		.date = clock_now(&system_clock),
	};
	struct mail_session *session = mail_session_new(config);
	struct mail_answer answer = {MAIL_TEMPORARY};

	if (session)
		mail_send(session, &mail, &answer);
	mail_session_free(session);
	if (answer.outcome == MAIL_ACCEPTED)
		fprintf(settings->out, "accepted: %s\n", answer.text);
	else
		fprintf(settings->err, "docket %s: %s: %s\n", settings->command->name,
			answer.outcome == MAIL_UNKNOWN     ? "perhaps sent"
			: answer.outcome == MAIL_PERMANENT ? "refused"
							   : "not sent",
			session ? answer.text : err_text(ERR_NOMEM));
	return answer.outcome == MAIL_ACCEPTED ? EXIT_OK : EXIT_FAILED;
}

enum exit_status command_mail_test(const struct settings *settings)
{
	struct arena arena = {0};
	struct mail_config config;
	enum exit_status status = EXIT_USAGE;
	char to[MAIL_ADDRESS_BYTES];
	const char *id;

	if (!mail_address(slice_of(settings->argument), to)) {
		fprintf(settings->err,
			"docket %s: ADDRESS must be an address such as name@example.com; got "
			"\"%s\"\n",
			settings->command->name, settings->argument);
		return EXIT_USAGE;
	}
	if (admin_mail(settings, &arena, &config)) {
		id = mail_begin() ? NULL : id_new(&arena, settings->text[SETTING_MAIL_FROM]);
		status = EXIT_FAILED;
		if (id)
			status = mail_send_test(settings, &config, to, id);
		mail_end();
	}
	arena_release(&arena);
	return status;
}
