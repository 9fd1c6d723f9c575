/* SPDX-License-Identifier: MIT */
/* Reads settings from flags, environment and configuration file, by one table. */
#include "cli/settings.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <ini.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/log.h"
#include "base/slice.h"
#include "base/text.h"

enum setting_type {
	SETTING_TEXT,
	SETTING_ANY_TEXT, /* also none: "" */
	SETTING_NUMBER,
	SETTING_SWITCH,
	SETTING_LIST,  /* by comma; an option that is repeated adds to it */
	SETTING_URL,   /* of a database */
	SETTING_PLACE, /* a folder or a URL */
};

struct setting_row {
	const char *name;
	const char *argument; /* what stands for the value in help; NULL for a switch */
	enum setting_type type;
	int64_t max; /* of a number; they begin at 0 */
	const char *preset;
	const char *help;
};

static const struct setting_row rows[SETTINGS] = {
	[SETTING_CONFIG] = {"config", "FILE", SETTING_TEXT, 0, NULL,
			    "read settings from FILE, a line `name = value` each"},
	[SETTING_DATA] = {"data", "DIR", SETTING_TEXT, 0, NULL,
			  "the folder that everything is kept in"},
	[SETTING_DATABASE] = {"database", "URL", SETTING_URL, 0, NULL,
			      "instead of --data: postgresql://USER@HOST/NAME"},
	[SETTING_NETWORK_FOLDER] =
		{"allow-network-folder", NULL, SETTING_SWITCH, 0, NULL,
		 "open a folder on a network filesystem, where it can be damaged"},
	[SETTING_PARTITIONS] =
		{"partitions", "N", SETTING_NUMBER, 1024, "0",
		 "of a new PostgreSQL database: its tables have N parts, by account"},
	[SETTING_ACCOUNT] = {"account", "NAME", SETTING_TEXT, 0, NULL,
			     "the account; need not be named where there is only one"},
	[SETTING_USERNAME] = {"username", "NAME", SETTING_TEXT, 0, "admin",
			      "the user name of its first staff member"},
	[SETTING_EMAIL] = {"email", "ADDRESS", SETTING_ANY_TEXT, 0, NULL,
			   "the staff member's e-mail address"},
	[SETTING_FIRST_NAME] = {"first-name", "NAME", SETTING_ANY_TEXT, 0, NULL, "first name"},
	[SETTING_LAST_NAME] = {"last-name", "NAME", SETTING_ANY_TEXT, 0, NULL, "last name"},
	[SETTING_ACCESS] = {"access", "LEVEL", SETTING_TEXT, 0, NULL,
			    "full, limited or disabled; only full may use the API"},
	[SETTING_EXPIRES] = {"expires", "TIME", SETTING_TEXT, 0, NULL,
			     "when the token expires: 2027-01-31 or 2027-01-31T12:00:00Z"},
	[SETTING_READ_ONLY] = {"read-only", NULL, SETTING_SWITCH, 0, NULL, "the token only reads"},
	[SETTING_LENIENT] = {"lenient", NULL, SETTING_SWITCH, 0, NULL,
			     "unknown fields and parameters are ignored: for old clients"},
	[SETTING_COUNTRY] = {"country", "CODE", SETTING_TEXT, 0, NULL,
			     "the country of addresses that name none, such as US"},
	[SETTING_REQUIRE_CASE] = {"require-case", "yes|no", SETTING_SWITCH, 0, NULL,
				  "whether a task must have a case"},
	[SETTING_EXPAND] = {"expand", "NAMES", SETTING_TEXT, 0, NULL,
			    "what answers expand by themselves, such as case,users; or none"},
	[SETTING_ALERT_HOUR] = {"alert-hour", "HH:MM", SETTING_TEXT, 0, NULL,
				"the time of day that a bare date in alert_at means"},
	[SETTING_TIME_ZONE] = {"time-zone", "ZONE", SETTING_TEXT, 0, NULL,
			       "the zone of the alert hour, such as Europe/Berlin"},
	[SETTING_YES] = {"yes", NULL, SETTING_SWITCH, 0, NULL, "do it: it cannot be undone"},
	[SETTING_JSON] = {"json", NULL, SETTING_SWITCH, 0, NULL, "answer in JSON"},
	[SETTING_TOKEN_FILE] = {"token-file", "FILE", SETTING_TEXT, 0, NULL,
				"write the API token to FILE (mode 0600) instead of printing it"},
	[SETTING_TASKS] = {"tasks", "N", SETTING_NUMBER, 100000000, "200",
			   "how many tasks to make"},
	[SETTING_DRY_RUN] = {"dry-run", NULL, SETTING_SWITCH, 0, NULL,
			     "try it, and leave all as it is"},
	[SETTING_FROM] = {"from", "PLACE", SETTING_PLACE, 0, NULL,
			  "the folder or postgresql:// URL to take everything from"},
	[SETTING_TO] = {"to", "PLACE", SETTING_PLACE, 0, NULL,
			"the folder or postgresql:// URL to put it in"},
	[SETTING_EPHEMERAL] = {"ephemeral", NULL, SETTING_SWITCH, 0, NULL,
			       "serve a demo account in a temporary folder, gone at the end"},
	[SETTING_TOKEN] = {"token", "TOKEN", SETTING_TEXT, 0, NULL,
			   "the API token of the demo account; else one is made and printed"},
	[SETTING_LISTEN] = {"listen", "ADDR:PORT", SETTING_LIST, 0, "127.0.0.1:8080",
			    "where to serve, a comma list; port 0 picks a free one"},
	[SETTING_BASE_DOMAIN] = {"base-domain", "DOMAIN", SETTING_TEXT, 0, NULL,
				 "accounts are NAME.DOMAIN; needed where there are several"},
	[SETTING_TLS_CERT] = {"tls-cert", "FILE[,FILE]", SETTING_LIST, 0, NULL,
			      "serve with TLS: the certificate and its chain, as PEM"},
	[SETTING_TLS_KEY] = {"tls-key", "FILE[,FILE]", SETTING_LIST, 0, NULL,
			     "the certificate's key, as PEM without a password"},
	[SETTING_BEHIND_PROXY] = {"behind-proxy", NULL, SETTING_SWITCH, 0, NULL,
				  "serve other machines without TLS: a proxy in front has it"},
	[SETTING_BASE_URL] = {"base-url", "URL", SETTING_TEXT, 0, NULL,
			      "the URL that clients reach docket at, for --absolute-links"},
	[SETTING_ABSOLUTE_LINKS] = {"absolute-links", NULL, SETTING_SWITCH, 0, NULL,
				    "Link and Location are URLs under --base-url, not paths"},
	[SETTING_CORS_ORIGINS] =
		{"cors-origins", "ORIGINS", SETTING_TEXT, 0, NULL,
		 "pages of these origins may call the API, as https://app.example.com"},
	[SETTING_IDLE] = {"idle-timeout", "SECONDS", SETTING_NUMBER, 86400, "75",
			  "how long a client may be silent, in seconds"},
	[SETTING_CONNECTIONS] = {"database-connections", "N", SETTING_NUMBER, 1000, "8",
				 "with --database: how many connections to hold, 2 or more"},
	[SETTING_TIMEOUT] = {"statement-timeout", "MS", SETTING_NUMBER, 3600000, "2000",
			     "what a read or a write may take, in milliseconds"},
	[SETTING_QUEUE] = {"queue", "N", SETTING_NUMBER, 1000000, "4096",
			   "how many requests may wait for the database before others get 503"},
	[SETTING_QUIET] = {"quiet", NULL, SETTING_SWITCH, 0, NULL,
			   "write no line for each request"},
	[SETTING_LOG_FORMAT] = {"log-format", "FORMAT", SETTING_TEXT, 0, NULL,
				"json or text; text where standard error is a terminal, else json"},
};

#define PREFIX "DOCKET_"

static const char *environment_name(enum setting setting, char name[64])
{
	snprintf(name, 64, PREFIX "%s", rows[setting].name);
	for (char *at = name; *at; at++)
		*at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
	return name;
}

enum exit_status settings_wrong(const struct settings *settings, enum setting setting,
				const char *format, ...)
{
	const char *origin = settings->origin[setting];
	va_list args;

	if (origin)
		fprintf(settings->err, "docket %s: %s ", settings->command->name, origin);
	else
		fprintf(settings->err, "docket %s: --%s ", settings->command->name,
			rows[setting].name);
	va_start(args, format);
	vfprintf(settings->err, format, args);
	va_end(args);
	fputc('\n', settings->err);
	return EXIT_USAGE;
}

enum exit_status settings_missing(const struct settings *settings, enum setting setting)
{
	char name[64];

	fprintf(settings->err, "docket %s: --%s %s is missing (or %s in the environment)%s\n",
		settings->command->name, rows[setting].name, rows[setting].argument,
		environment_name(setting, name),
		setting == SETTING_DATA && settings->command->takes & SETTING_BIT(SETTING_DATABASE)
			? ", or --database URL in its place"
			: "");
	return EXIT_USAGE;
}

/* A folder and a database take each other's place: whichever was set first is meant. */
static bool is_set(const struct settings *settings, int i)
{
	return settings->text[i] || (i == SETTING_DATA && settings->text[SETTING_DATABASE]) ||
	       (i == SETTING_DATABASE && settings->text[SETTING_DATA]);
}

bool settings_is_url(const char *place)
{
	static const char *const schemes[] = {"postgresql://", "postgres://"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(place, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

/* Whether it was meant as a database, in another way than as a URL: libpq's `host=db
 * dbname=docket`, or a URL of something else. A folder of such a name is ./host=db. */
static bool is_like_database(const char *place)
{
	return strstr(place, "://") || place[strcspn(place, "/=")] == '=';
}

static bool check_place(const struct settings *settings, enum setting setting)
{
	const char *text = settings->text[setting];
	enum setting_type type = rows[setting].type;

	if (settings_is_url(text) || (type == SETTING_PLACE && !is_like_database(text)))
		return true;
	/* A password may be in it. */
	settings_wrong(settings, setting, "must be %sa URL that begins with postgresql://",
		       type == SETTING_PLACE ? "a folder or " : "");
	return false;
}

/* Sets one value and says whether it fits. */
static bool set(struct settings *settings, enum setting setting, const char *text,
		const char *origin)
{
	const struct setting_row *row = &rows[setting];
	bool yes = strcasecmp(text, "yes") == 0 || strcasecmp(text, "true") == 0 ||
		   strcmp(text, "1") == 0;
	bool no = strcasecmp(text, "no") == 0 || strcasecmp(text, "false") == 0 ||
		  strcmp(text, "0") == 0;

	if (!text)
		return false;
	settings->text[setting] = text;
	settings->origin[setting] = origin;
	if (!*text && row->type != SETTING_ANY_TEXT) {
		settings_wrong(settings, setting, "is empty");
		return false;
	}
	if (row->type == SETTING_NUMBER) {
		bool digits = strspn(text, "0123456789") == strlen(text);

		errno = 0;
		settings->number[setting] = strtoll(text, NULL, 10);
		if (!digits || errno || settings->number[setting] > row->max) {
			settings_wrong(settings, setting,
				       "must be a whole number from 0 to %lld; got \"%s\"",
				       (long long)row->max, text);
			return false;
		}
	}
	if (row->type == SETTING_SWITCH) {
		settings->number[setting] = yes;
		if (!yes && !no) {
			settings_wrong(settings, setting, "must be yes or no; got \"%s\"", text);
			return false;
		}
	}
	return (row->type != SETTING_URL && row->type != SETTING_PLACE) ||
	       check_place(settings, setting);
}

#define LINE_BYTES (64 * 1024) /* of the configuration file */

/* The flags: each has the number of its setting, and --help comes last. */
#define HELP SETTINGS

/* getopt_long() takes `--dat` for `--data`; a later `--date` would then break a script. */
static bool is_shortened(const char *argument, const char *name)
{
	return strcspn(argument, "=") != strlen(name) + 2;
}

/* Of the command, and --help, which comes last. */
static void list_options(const struct command *command, struct option options[SETTINGS + 2])
{
	size_t count = 0;

	for (int i = 0; i < SETTINGS; i++)
		if (command->takes & SETTING_BIT(i))
			options[count++] =
				(struct option){rows[i].name,
						rows[i].argument ? required_argument : no_argument,
						NULL, i};
	options[count] = (struct option){"help", no_argument, NULL, HELP};
}

/* What getopt_long() found is no option as it must be: says why. */
static bool refuse_flag(const struct command *command, int found, const char *argument)
{
	/* optopt is the setting where a value was given to a switch. */
	fprintf(stderr, "docket %s: %s %s; see \"docket help %s\"\n", command->name, argument,
		found == ':'                      ? "needs a value"
		: optopt > 0 && optopt < SETTINGS ? "takes no value"
						  : "is not a known option",
		command->name);
	return false;
}

/* What is left behind the options. */
static bool check_arguments(const struct settings *settings, const char *left)
{
	const char *name = settings->command->name;

	if (left)
		fprintf(stderr,
			"docket %s: \"%s\" is one argument too many; see \"docket help %s\"\n",
			name, left, name);
	else if (settings->command->argument && !settings->argument)
		fprintf(stderr, "docket %s: %s is missing; see \"docket help %s\"\n", name,
			settings->command->argument, name);
	else
		return true;
	return false;
}

/* What the option that getopt_long() found sets. NULL: no memory. */
static const char *flag_value(struct settings *settings, enum setting setting)
{
	const char *before = settings->text[setting];

	if (!optarg)
		return "yes";
	if (rows[setting].type != SETTING_LIST || !before || !*optarg)
		return optarg;
	return arena_printf(&settings->arena, "%s,%s", before, optarg);
}

static bool read_flags(struct settings *settings, int argc, char **argv,
		       enum exit_status *status_out)
{
	const struct command *command = settings->command;
	struct option options[SETTINGS + 2] = {{0}};
	const char *argument, *origin;
	int found;

	list_options(command, options);
	*status_out = EXIT_USAGE;
	optind = 1;
	opterr = 0;
	/* The + keeps the order, so that argv[optind] is what is read next. */
	for (;;) {
		argument = argv[optind];
		found = getopt_long(argc, argv, "+:h", options, NULL);
		if (found == -1 && optind < argc && command->argument && !settings->argument) {
			settings->argument = argv[optind++];
			/* Behind "--" nothing is an option, which getopt_long() forgets. */
			if (strcmp(argv[optind - 2], "--") != 0)
				continue;
		}
		if (found == -1)
			break;
		if (found == HELP || found == 'h') {
			settings_help(command);
			*status_out = EXIT_OK;
			return false;
		}
		if (found == ':' || found == '?' || is_shortened(argument, rows[found].name))
			return refuse_flag(command, found, argument);
		origin = arena_printf(&settings->arena, "--%s", rows[found].name);
		if (!origin || !set(settings, (enum setting)found,
				    flag_value(settings, (enum setting)found), origin))
			return false;
	}
	return check_arguments(settings, optind < argc ? argv[optind] : NULL);
}

/* Whether the environment and the file may set it. */
static bool may_be_preset(const struct command *command, int i)
{
	return command->takes & ~command->options_only & SETTING_BIT(i);
}

static const char *nearest_name(const char *name)
{
	const char *names[SETTINGS] = {0}; /* all but the file's own */
	size_t count = 0;

	for (int i = 0; i < SETTINGS; i++)
		if (i != SETTING_CONFIG)
			names[count++] = rows[i].name;
	return text_nearest(slice_of(name), names);
}

/* A variable that is nearly one of docket's is a mistake; others may be a script's own. */
static void warn_variable(const char *name, size_t len)
{
	char lower[64], variable[64];
	const char *nearest;

	if (len == 0 || len >= sizeof(lower))
		return;
	for (size_t i = 0; i < len; i++)
		lower[i] = name[i] == '_' ? '-' : (char)tolower((unsigned char)name[i]);
	lower[len] = '\0';
	nearest = nearest_name(lower);
	for (int i = 0; nearest && i < SETTINGS; i++)
		if (strcmp(rows[i].name, nearest) == 0)
			environment_name((enum setting)i, variable);
	if (nearest && !slice_is((struct slice){name, len}, variable + strlen(PREFIX)))
		log_line("warning: " PREFIX "%.*s is not a known variable; did you mean %s?",
			 (int)len, name, variable);
}

void settings_warn(void)
{
	for (char **at = environ; *at; at++)
		if (strncmp(*at, PREFIX, strlen(PREFIX)) == 0)
			warn_variable(*at + strlen(PREFIX), strcspn(*at + strlen(PREFIX), "="));
}

static bool read_environment(struct settings *settings)
{
	for (int i = 0; i < SETTINGS; i++) {
		char name[64];
		const char *text = getenv(environment_name((enum setting)i, name));
		char *origin;

		if (!text || is_set(settings, i) || !may_be_preset(settings->command, i))
			continue;
		origin = arena_copy(&settings->arena, slice_of(name));
		if (!origin || !set(settings, (enum setting)i, text, origin))
			return false;
	}
	return true;
}

struct file_reading {
	FILE *file;
	struct settings *settings;
	uint64_t seen;
	char wrong[256]; /* about the first line that is wrong */
};

static void refuse_name(const char *name, char *wrong, size_t size)
{
	const char *nearest = nearest_name(name);

	snprintf(wrong, size, "\"%s\" is not a known setting%s%s%s", name,
		 nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

/* Returns 0 for a line that is wrong, as inih asks. */
static int file_line(void *context, const char *section, const char *name, const char *value)
{
	struct file_reading *reading = context;
	struct settings *settings = reading->settings;
	char *text, *origin;
	int i = 0;

	(void)section; /* read_line() refuses them */
	if (reading->wrong[0])
		return 0;
	while (i < SETTINGS && strcmp(rows[i].name, name) != 0)
		i++;
	if (i == SETTING_CONFIG)
		snprintf(reading->wrong, sizeof(reading->wrong),
			 "a configuration file cannot name another one");
	else if (i == SETTINGS)
		refuse_name(name, reading->wrong, sizeof(reading->wrong));
	else if (reading->seen & SETTING_BIT(i))
		snprintf(reading->wrong, sizeof(reading->wrong), "%s is given twice", name);
	if (reading->wrong[0])
		return 0;
	reading->seen |= SETTING_BIT(i);
	if (is_set(settings, i) || !may_be_preset(settings->command, i))
		return 1;
	text = arena_copy(&settings->arena, slice_of(value));
	origin = arena_printf(&settings->arena, "%s: %s", settings->text[SETTING_CONFIG], name);
	if (!text || !origin || !set(settings, (enum setting)i, text, origin)) {
		snprintf(reading->wrong, sizeof(reading->wrong), "this value is wrong");
		return 0;
	}
	return 1;
}

/* As fgets; inih would read the rest of a line that is too long for it as a line of its own. */
static char *read_line(char *text, int size, void *context)
{
	struct file_reading *reading = context;
	char *line = fgets(text, size, reading->file);

	if (line && !strchr(line, '\n') && strlen(line) == (size_t)size - 1 && !reading->wrong[0])
		snprintf(reading->wrong, sizeof(reading->wrong),
			 "longer than %d bytes: set it as an option or in the environment",
			 size - 3);
	if (line && line[strspn(line, " \t\xef\xbb\xbf")] == '[' && !reading->wrong[0])
		snprintf(reading->wrong, sizeof(reading->wrong), "there are no sections");
	/* inih knows no wrong section: without a bracket it is a wrong line. */
	if (line && reading->wrong[0])
		snprintf(line, (size_t)size, "wrong\n");
	return line;
}

static bool read_file(struct settings *settings)
{
	struct file_reading reading = {.settings = settings};
	const char *name = settings->text[SETTING_CONFIG];
	int line;

	if (!name)
		return true;
	/* Debian's inih lets its limits be set: lines on the heap, and longer ones. */
	ini_use_stack = false;
	ini_initial_alloc = ini_max_line = LINE_BYTES;
	ini_allow_multiline = false;
	reading.file = fopen(name, "re");
	line = reading.file ? ini_parse_stream(read_line, &reading, file_line, &reading) : -1;
	if (line < 0 || ferror(reading.file)) {
		settings_wrong(settings, SETTING_CONFIG, "%s cannot be read: %s", name,
			       strerror(errno));
		line = -1;
	} else if (line > 0) {
		settings_wrong(settings, SETTING_CONFIG, "%s, line %d: %s", name, line,
			       reading.wrong[0] ? reading.wrong : "must be `name = value`");
	}
	if (reading.file)
		fclose(reading.file);
	return line == 0;
}

bool settings_presets(struct settings *settings)
{
	for (int i = 0; i < SETTINGS; i++)
		if (!settings->text[i] && rows[i].preset &&
		    (settings->command->takes & SETTING_BIT(i)) &&
		    !set(settings, (enum setting)i, rows[i].preset, NULL))
			return false;
	return true;
}

bool settings_take(struct settings *settings, const char *name, const char *text,
		   const char *origin)
{
	for (int i = 0; i < SETTINGS; i++)
		if (strcmp(rows[i].name, name) == 0 && (settings->command->takes & SETTING_BIT(i)))
			return set(settings, (enum setting)i, text, origin);
	fprintf(settings->err, "docket: the process that serves the folder does not know --%s\n",
		name);
	return false;
}

const char *settings_name(enum setting setting)
{
	return rows[setting].name;
}

bool settings_read(struct settings *settings, const struct command *command, int argc, char **argv,
		   enum exit_status *status_out)
{
	*settings = (struct settings){.command = command, .out = stdout, .err = stderr};
	if (!read_flags(settings, argc, argv, status_out))
		return false;
	*status_out = EXIT_USAGE;
	if (settings->text[SETTING_DATA] && settings->text[SETTING_DATABASE]) {
		settings_wrong(settings, SETTING_DATABASE,
			       "takes the place of --data: give only one of them");
		return false;
	}
	if (!read_environment(settings) || !read_file(settings))
		return false;
	for (int i = 0; i < SETTINGS; i++)
		if (!is_set(settings, i) && (command->needs & SETTING_BIT(i))) {
			*status_out = settings_missing(settings, (enum setting)i);
			return false;
		}
	return settings_presets(settings);
}

void settings_release(struct settings *settings)
{
	arena_release(&settings->arena);
}

void settings_help(const struct command *command)
{
	printf("docket %s%s%s: %s\n", command->name, command->argument ? " " : "",
	       command->argument ? command->argument : "", command->summary);
	if (command->about)
		printf("\n%s\n", command->about);
	printf("\noptions:\n");
	for (int i = 0; i < SETTINGS; i++) {
		const struct setting_row *row = &rows[i];
		char flag[64];

		if (!(command->takes & SETTING_BIT(i)))
			continue;
		snprintf(flag, sizeof(flag), "--%s%s%s", row->name, row->argument ? " " : "",
			 row->argument ? row->argument : "");
		printf("  %-22s %s", flag, row->help);
		if (row->preset)
			printf(" (%s)", row->preset);
		else if (command->needs & SETTING_BIT(i))
			printf(" (needed)");
		printf("\n");
	}
	printf("  %-22s %s\n", "--help", "print this and end");
	printf("\nEach option is also an environment variable, --data as DOCKET_DATA, and a key\n"
	       "of the configuration file. Options override environment variables, which\n"
	       "override the file.\n");
}
