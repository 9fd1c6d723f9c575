/* SPDX-License-Identifier: MIT */
/* The table of commands. */
#include "admin/admin.h"
#include "cli/cli.h"
#include "demo/demo.h"
#include "serve/serve.h"
#include "top/top.h"

#define BIT SETTING_BIT
#define DATA                                                               \
	(BIT(SETTING_CONFIG) | BIT(SETTING_DATA) | BIT(SETTING_DATABASE) | \
	 BIT(SETTING_NETWORK_FOLDER))
#define STAFF                                                                    \
	(BIT(SETTING_FIRST_NAME) | BIT(SETTING_LAST_NAME) | BIT(SETTING_EMAIL) | \
	 BIT(SETTING_ACCESS))

#define MAIL                                                                                  \
	(BIT(SETTING_SMTP_URL) | BIT(SETTING_SMTP_USERNAME) | BIT(SETTING_SMTP_PASSWORD) |    \
	 BIT(SETTING_SMTP_PASSWORD_FILE) | BIT(SETTING_SMTP_CA) | BIT(SETTING_SMTP_TIMEOUT) | \
	 BIT(SETTING_MAIL_FROM))

static const struct command rows[] = {
	{
		.name = "init",
		.summary = "make a data folder with an account, its first staff member and an API "
			   "token",
		.about =
			"Without --account the account is \"main\". A name has lower-case letters,\n"
			"digits and hyphens. The account begins with a calendar. With --database\n"
			"docket makes the account in an empty PostgreSQL database, not in a folder.\n"
			"docket prints the token on standard output and never shows it again;\n"
			"--token-file writes it to a file instead.",
		.takes = DATA | BIT(SETTING_PARTITIONS) | BIT(SETTING_ACCOUNT) |
			 BIT(SETTING_USERNAME) | BIT(SETTING_EMAIL) | BIT(SETTING_TOKEN_FILE),
		.needs = BIT(SETTING_DATA),
		.run = command_init,
	},
	{
		.name = "account add",
		.argument = "NAME",
		.summary = "make an account with its first staff member and an API token",
		.about =
			"NAME has lower-case letters, digits and hyphens. \"docket serve\n"
			"--base-domain DOMAIN\" serves the account as NAME.DOMAIN. docket prints\n"
			"the token on standard output and never shows it again; --token-file writes\n"
			"it to a file instead.",
		.takes =
			DATA | BIT(SETTING_USERNAME) | BIT(SETTING_EMAIL) | BIT(SETTING_TOKEN_FILE),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = account_add,
		.makes_token = true,
	},
	{
		.name = "account list",
		.summary = "list the accounts and their settings",
		.takes = DATA | BIT(SETTING_JSON),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = account_list,
	},
	{
		.name = "account set",
		.argument = "NAME",
		.summary = "change the settings of an account",
		.takes = DATA | BIT(SETTING_COUNTRY) | BIT(SETTING_REQUIRE_CASE) |
			 BIT(SETTING_EXPAND) | BIT(SETTING_ALERT_HOUR) | BIT(SETTING_TIME_ZONE),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = account_set,
	},
	{
		.name = "account remove",
		.argument = "NAME",
		.summary = "remove an account and all its records",
		.about =
			"Clients lose access to it at once. Then docket deletes its tasks, cases,\n"
			"staff and history, a part at a time. --yes works only on the command line.",
		.takes = DATA | BIT(SETTING_YES),
		.needs = BIT(SETTING_DATA),
		.options_only = BIT(SETTING_YES),
		.run = admin_run,
		.admin = account_remove,
	},
	{
		.name = "staff add",
		.argument = "USERNAME",
		.summary = "add a staff member",
		.about =
			"The default of --access is full: the staff member may use the API with any\n"
			"token of the account.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | STAFF,
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = staff_add,
	},
	{
		.name = "staff list",
		.summary = "list the staff members of an account",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_JSON),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = staff_list,
	},
	{
		.name = "staff set",
		.argument = "USERNAME",
		.summary = "change a staff member",
		.about =
			"The last staff member with full access keeps it. \"\" removes a name or an\n"
			"e-mail address. --first-name, --last-name, --email and --access work only\n"
			"on the command line.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | STAFF,
		.needs = BIT(SETTING_DATA),
		.options_only = STAFF,
		.run = admin_run,
		.admin = staff_set,
	},
	{
		.name = "staff rename",
		.argument = "OLD",
		.second = "NEW",
		.summary = "give a staff member another user name",
		.about =
			"NEW follows the rules for the user names of new staff members. The staff\n"
			"member logs in with it from now on. The number stays the same.",
		.takes = DATA | BIT(SETTING_ACCOUNT),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = staff_rename,
	},
	{
		.name = "staff remove",
		.argument = "USERNAME",
		.summary = "remove a staff member who has no tasks",
		.about =
			"It refuses while tasks are assigned to the staff member, and says how many.\n"
			"The history still names the staff member by number. To keep the staff member\n"
			"and end the access, use \"docket staff set USERNAME --access disabled\".\n"
			"--yes works only on the command line.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_YES),
		.needs = BIT(SETTING_DATA),
		.options_only = BIT(SETTING_YES),
		.run = admin_run,
		.admin = staff_remove,
	},
	{
		.name = "token add",
		.argument = "LABEL",
		.summary = "make an API token",
		.about =
			"LABEL says what the token is for. docket prints the token on standard\n"
			"output and never shows it again; --token-file writes it to a file instead.\n"
			"\n"
			"--scopes says what the token may do: a list of tasks, cases, subjects,\n"
			"staff, calendars and case_services, each with :read or :write, such as\n"
			"tasks:write,cases:read. all:read and all:write are for every kind. Who may\n"
			"write records may read them. Without --scopes the token may do everything.\n"
			"--read-only is --scopes all:read.\n"
			"\n"
			"--addresses is a list of addresses and networks. From everywhere else the\n"
			"token is refused as a wrong one.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_EXPIRES) |
			 BIT(SETTING_READ_ONLY) | BIT(SETTING_SCOPES) | BIT(SETTING_ADDRESSES) |
			 BIT(SETTING_LENIENT) | BIT(SETTING_TOKEN_FILE),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = token_add,
		.makes_token = true,
	},
	{
		.name = "token list",
		.summary = "list the API tokens of an account, without their secrets",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_JSON),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = token_list,
	},
	{
		.name = "token rotate",
		.argument = "LABEL",
		.summary = "make a new API token in the place of another one, which expires soon",
		.about =
			"The new token has the label, scopes, addresses and marks of the old one. It\n"
			"expires at --expires, else after as much time as the old one had. The old\n"
			"one works on for --overlap, and gets the label \"LABEL (rotated TIME)\". With\n"
			"--overlap 0 it stops at once, and so do those that were rotated from LABEL\n"
			"before. docket prints the new token on standard output and never shows it\n"
			"again; --token-file writes it to a file instead. --overlap and --expires work\n"
			"only on the command line.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_OVERLAP) | BIT(SETTING_EXPIRES) |
			 BIT(SETTING_TOKEN_FILE),
		.needs = BIT(SETTING_DATA),
		.options_only = BIT(SETTING_OVERLAP) | BIT(SETTING_EXPIRES),
		.run = admin_run,
		.admin = token_rotate,
		.makes_token = true,
	},
	{
		.name = "token revoke",
		.argument = "LABEL",
		.summary = "revoke an API token: it stops working at once",
		.takes = DATA | BIT(SETTING_ACCOUNT),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = token_revoke,
	},
	{
		.name = "alerts list",
		.summary = "list the alerts of an account: what was sent, what waits, what failed",
		.about = "The latest alert times come first. It lists at most 1000 alerts.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_TASK) | BIT(SETTING_STATE) |
			 BIT(SETTING_JSON),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = alerts_list,
	},
	{
		.name = "alerts retry",
		.summary = "send alerts that failed or were skipped or cancelled",
		.about =
			"Sends those whose task still wants them and that are less than a day late.\n"
			"A process that serves the database must have --smtp-url. --task works only\n"
			"on the command line.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_TASK),
		.needs = BIT(SETTING_DATA),
		.options_only = BIT(SETTING_TASK),
		.run = admin_run,
		.admin = alerts_retry,
	},
	{
		.name = "alerts cancel",
		.summary = "cancel the alerts of a task that wait",
		.about =
			"The task stays as it is. \"docket alerts retry\" sends them after all. --task\n"
			"works only on the command line.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_TASK),
		.needs = BIT(SETTING_DATA) | BIT(SETTING_TASK),
		.options_only = BIT(SETTING_TASK),
		.run = admin_run,
		.admin = alerts_cancel,
	},
	{
		.name = "log",
		.summary = "list what administrators did, who did it, and when",
		.about =
			"It lists the last 1000 entries, the oldest first. An entry has the user of\n"
			"the operating system who ran the command, and who ran sudo. It never has a\n"
			"token. An entry about a backup tells that docket handed over a copy. --since\n"
			"and --until work only on the command line.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_SINCE) | BIT(SETTING_UNTIL) |
			 BIT(SETTING_JSON),
		.needs = BIT(SETTING_DATA),
		.options_only = BIT(SETTING_SINCE) | BIT(SETTING_UNTIL),
		.run = admin_run,
		.admin = log_list,
	},
	{
		.name = "demo",
		.summary = "make sample records",
		.about =
			"Makes cases 245 and 246 with a subject and a case service each, a calendar\n"
			"and two more staff members, unless they exist. Every run makes --tasks N\n"
			"more tasks, with the cases, subjects, calendars and staff of an agency of\n"
			"that size. The account must have no cases of its own. docket must not\n"
			"serve the folder meanwhile; it may serve a PostgreSQL database.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_TASKS),
		.needs = BIT(SETTING_DATA),
		.run = command_demo,
	},
	{
		.name = "check",
		.summary = "check whether the database is sound",
		.about =
			"Reads the whole database and writes nothing. It works while docket serves\n"
			"the database, and on a read-only medium. While it runs, no process can\n"
			"begin to serve the folder. If records break a rule, docket names the first\n"
			"of them, and the exit status is 1. Notes report what is sound but worth\n"
			"knowing, such as user names that differ only in case.",
		.takes = DATA | BIT(SETTING_JSON),
		.needs = BIT(SETTING_DATA),
		.run = command_check,
	},
	{
		.name = "migrate",
		.summary = "bring the database to this program's schema",
		.about =
			"Prints the number and the name of each migration. Nobody may serve the\n"
			"database meanwhile. In a folder it writes the database anew, checks it and\n"
			"keeps the old one, as \"docket serve\" does. It first says how much room that\n"
			"needs. A dry run does the same, and then removes the new database. In\n"
			"PostgreSQL only this command migrates: make a copy yourself first. There a\n"
			"dry run is one transaction, which docket rolls back. docket sorts and\n"
			"compares texts by the system's version of Unicode. If the database has\n"
			"another version, docket folds its texts again. A dry run counts the\n"
			"records that this changes.",
		.takes = DATA | BIT(SETTING_DRY_RUN),
		.needs = BIT(SETTING_DATA),
		.run = command_migrate,
	},
	{
		.name = "backup",
		.summary = "make a backup of a data folder, also while docket serves it",
		.about =
			"Makes the file that --to names: one file, with everything that was\n"
			"committed before. It verifies the backup before the file gets its name, and\n"
			"it never replaces a file. If docket serves the folder, the process that\n"
			"serves makes a copy in the folder, and this command writes the backup.\n"
			"\"docket restore\" makes a folder from a backup.\n"
			"\n"
			"If --to is a folder, the backup is docket-20270131T030000Z.db in it, with the\n"
			"time in UTC. --keep 7,4,12 then removes older backups with such names. It\n"
			"keeps the last one of each of 7 days, of each of 4 weeks before them, and of\n"
			"each of 12 months before those. --keep works only on the command line. Give\n"
			"each data folder a folder of its own.",
		.options_only = BIT(SETTING_KEEP),
		.takes = DATA | BIT(SETTING_TO) | BIT(SETTING_KEEP) | BIT(SETTING_JSON),
		.needs = BIT(SETTING_DATA) | BIT(SETTING_TO),
		.run = command_backup,
		.admin = backup_answer,
	},
	{
		.name = "restore",
		.summary = "make a data folder from a backup or a replica",
		.about =
			"--data names the new folder, which must have no database. --from is a file\n"
			"that \"docket backup\" has made, a docket.db.before-NNNN, or the folder of\n"
			"\"docket serve --replicate-to\". docket verifies the database before the folder\n"
			"has it. A dry run says what would be restored, and writes nothing.\n"
			"\n"
			"From a replica it restores the last state, or that of --at or --change. If\n"
			"the replica is damaged, it restores up to the damage, says so, and the exit\n"
			"status is 1.\n"
			"\n"
			"A restore begins a new era: the entity tags and cursors of clients are no\n"
			"longer valid, /changes answers 410 until a client starts again with 0, and\n"
			"ids go on a million higher. With --database and without --from, it begins\n"
			"the new era in a PostgreSQL database that its own tools have restored.",
		.options_only = BIT(SETTING_AT) | BIT(SETTING_CHANGE),
		.takes = DATA | BIT(SETTING_FROM) | BIT(SETTING_AT) | BIT(SETTING_CHANGE) |
			 BIT(SETTING_DRY_RUN) | BIT(SETTING_JSON),
		.needs = BIT(SETTING_DATA),
		.run = command_restore,
	},
	{
		.name = "move",
		.summary = "copy everything to another database, a folder or PostgreSQL",
		.about =
			"Copies every record with its id, its history and the tokens into an empty\n"
			"database, then reads both and compares every row. Only then can docket\n"
			"serve the target. The source stays unchanged. If the command was\n"
			"interrupted, run it again and it continues. Nobody may serve either\n"
			"database meanwhile.",
		.takes = BIT(SETTING_CONFIG) | BIT(SETTING_FROM) | BIT(SETTING_TO) |
			 BIT(SETTING_NETWORK_FOLDER) | BIT(SETTING_PARTITIONS),
		.needs = BIT(SETTING_FROM) | BIT(SETTING_TO),
		.run = command_move,
	},
	{
		.name = "status",
		.summary = "show what the process that serves does and has done",
		.about =
			"Shows its version, connections, requests, reads, writes and memory, and\n"
			"what it has refused. Counts and times are since its start. If no process\n"
			"serves the folder, the exit status is 1. Several processes may serve a\n"
			"PostgreSQL database: start each with a --control-socket of its own, and\n"
			"give \"docket status\" the same --control-socket in place of --data.",
		.takes = BIT(SETTING_CONFIG) | BIT(SETTING_DATA) | BIT(SETTING_DATABASE) |
			 BIT(SETTING_CONTROL_SOCKET) | BIT(SETTING_JSON),
		.run = command_status,
		.admin = status_answer,
	},
	{
		.name = "top",
		.summary = "show what the process that serves does, once a second",
		.about =
			"A page for a terminal: requests by route with their times, queues,\n"
			"connections, memory, refusals, alerts, backup and replica, as they change.\n"
			"It asks the process as \"docket status\" does. Keys: q ends it, s sorts the\n"
			"routes by the next column, r reverses their order, p pauses and resumes it,\n"
			"the arrows move through the routes. In a script use \"docket status --json\".",
		.takes = BIT(SETTING_CONFIG) | BIT(SETTING_DATA) | BIT(SETTING_DATABASE) |
			 BIT(SETTING_CONTROL_SOCKET),
		.run = command_top,
	},
	{
		.name = "mail test",
		.argument = "ADDRESS",
		.summary = "send a message to ADDRESS, to try the settings of mail",
		.about =
			"Prints the mail server's answer. Beyond this machine docket sends only over\n"
			"TLS: at once with smtps://, else after STARTTLS. It checks the server's\n"
			"certificate. To a server at localhost, 127.0.0.1 or [::1] it sends without\n"
			"TLS. file:DIR writes the message into a file of the folder DIR. The\n"
			"password is never an option: put it into a file, or into the environment\n"
			"variable DOCKET_SMTP_PASSWORD.",
		.takes = BIT(SETTING_CONFIG) | MAIL,
		.needs = BIT(SETTING_SMTP_URL) | BIT(SETTING_MAIL_FROM),
		.run = command_mail_test,
	},
	{
		.name = "serve",
		.summary = "serve the API over HTTP",
		.about =
			"Prints \"listening on http://ADDR:PORT\" on standard error for each\n"
			"address once it accepts connections, with https for TLS. --listen may be\n"
			"given more than once; a host name there means all its addresses. [::]:PORT\n"
			"accepts IPv4 as well, unless the list also has an IPv4 address with that\n"
			"port: then add 0.0.0.0:PORT for all of IPv4.\n"
			"\n"
			"SIGTERM and SIGINT end it. It accepts no more connections, answers the\n"
			"requests in progress and one more request of each connected client, and\n"
			"closes a connection that is silent for a second. That takes 10 s at most,\n"
			"and longer if a disk hangs: up to 10 s for that of a backup and 10 s for\n"
			"that of a replica. A second signal cuts off the requests still in\n"
			"progress.\n"
			"\n"
			"Give one of --data, --database and --ephemeral. --ephemeral makes the\n"
			"records of \"docket demo\" and the user name admin. Its API token has 20\n"
			"to 255 letters, digits or -._~+/=; without --token docket makes one and\n"
			"prints it on standard output. Each request is a line on standard error,\n"
			"unless --quiet is given. With --log-format json each line is a JSON\n"
			"object, except those that begin with \"listening on\".\n"
			"\n"
			"For several host names, give several files to --tls-cert, and as many to\n"
			"--tls-key in the same order. The first pair is for names that no other\n"
			"certificate has. SIGHUP reads the files again; without TLS it does\n"
			"nothing. From 14 days before a certificate expires, docket warns of it\n"
			"at the start, after SIGHUP and each day. Session tickets have a key that\n"
			"is in memory only, and changes each day and at SIGHUP.\n"
			"\n"
			"--backup-to and --backup-at make a backup each day. Without --keep docket\n"
			"keeps those of 7 days, 4 weeks and 12 months.\n"
			"\n"
			"--rate-per-token and --rate-per-account limit the requests of a minute, in\n"
			"this process. Others get 429, and each answer says how many are left.\n"
			"\n"
			"--metrics serves counters for Prometheus at /metrics, on a listener of its\n"
			"own, without TLS and without access control. Its values have the form of\n"
			"those of --listen. A line on standard error has each address.\n"
			"\n"
			"docket limits itself: by Landlock to the files that the settings name and\n"
			"those of the system, and by a filter to the system calls that it needs.\n"
			"--no-confinement turns both off.\n"
			"\n"
			"systemd may pass sockets that listen: docket then serves these and not\n"
			"--listen. It tells systemd when it is ready, reads certificates again and\n"
			"ends, and answers the watchdog of systemd.",
		.takes = DATA | BIT(SETTING_CONTROL_SOCKET) | BIT(SETTING_EPHEMERAL) |
			 BIT(SETTING_TOKEN) | BIT(SETTING_LISTEN) | BIT(SETTING_BASE_DOMAIN) |
			 BIT(SETTING_TLS_CERT) | BIT(SETTING_TLS_KEY) | BIT(SETTING_BEHIND_PROXY) |
			 BIT(SETTING_BASE_URL) | BIT(SETTING_IDLE) | BIT(SETTING_ABSOLUTE_LINKS) |
			 BIT(SETTING_CORS_ORIGINS) | BIT(SETTING_CONNECTIONS) |
			 BIT(SETTING_TIMEOUT) | BIT(SETTING_SLOW) | BIT(SETTING_QUEUE) |
			 BIT(SETTING_MEMORY) | BIT(SETTING_RECORD_CACHE) |
			 BIT(SETTING_NO_CONFINEMENT) | BIT(SETTING_QUIET) |
			 BIT(SETTING_LOG_FORMAT) | MAIL | BIT(SETTING_MAIL_PER_MINUTE) |
			 BIT(SETTING_MAIL_PER_ACCOUNT) | BIT(SETTING_REPLICATE_TO) |
			 BIT(SETTING_REPLICATE_KEEP) | BIT(SETTING_BACKUP_TO) |
			 BIT(SETTING_BACKUP_AT) | BIT(SETTING_KEEP) | BIT(SETTING_METRICS) |
			 BIT(SETTING_RATE_PER_TOKEN) | BIT(SETTING_RATE_PER_ACCOUNT),
		.run = command_serve,
	},
};

int main(int argc, char **argv)
{
	const struct commands commands = {rows, COUNT_OF(rows)};

	return (int)cli_main(&commands, argc, argv);
}
