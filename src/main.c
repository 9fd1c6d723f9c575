/* SPDX-License-Identifier: MIT */
/* The table of commands. */
#include "admin/admin.h"
#include "cli/cli.h"
#include "demo/demo.h"
#include "serve/serve.h"

#define BIT SETTING_BIT
#define DATA                                                               \
	(BIT(SETTING_CONFIG) | BIT(SETTING_DATA) | BIT(SETTING_DATABASE) | \
	 BIT(SETTING_NETWORK_FOLDER))
#define STAFF                                                                    \
	(BIT(SETTING_FIRST_NAME) | BIT(SETTING_LAST_NAME) | BIT(SETTING_EMAIL) | \
	 BIT(SETTING_ACCESS))

static const struct command rows[] = {
	{
		.name = "init",
		.summary = "make a data folder with an account, its first staff member and an API "
			   "token",
		.about =
			"The account is \"main\" where it is not named: lower-case letters, digits "
			"and hyphens.\nThe token is printed on standard output, this one time; "
			"--token-file keeps it\nin a file instead.",
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
			"NAME has lower-case letters, digits and hyphens; with a base domain it is "
			"the host\nname before it. The token is printed on standard output, this "
			"one time;\n--token-file keeps it in a file instead.",
		.takes =
			DATA | BIT(SETTING_USERNAME) | BIT(SETTING_EMAIL) | BIT(SETTING_TOKEN_FILE),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = account_add,
		.makes_token = true,
	},
	{
		.name = "account list",
		.summary = "list the accounts and what they are set to",
		.takes = DATA | BIT(SETTING_JSON),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = account_list,
	},
	{
		.name = "account set",
		.argument = "NAME",
		.summary = "set what an account does",
		.takes = DATA | BIT(SETTING_COUNTRY) | BIT(SETTING_REQUIRE_CASE) |
			 BIT(SETTING_EXPAND) | BIT(SETTING_ALERT_HOUR) | BIT(SETTING_TIME_ZONE),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = account_set,
	},
	{
		.name = "account remove",
		.argument = "NAME",
		.summary = "remove an account and all that it has",
		.about =
			"It is out of reach at once. Then its tasks, cases, staff and history are deleted, a "
			"part\nat a time. --yes can be given only on the command line.",
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
			"Without --access it is full: the staff member may use the API with any token of "
			"the account.",
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
			"The last staff member with full access keeps it. \"\" takes a name or an e-mail "
			"address\naway. What is to be changed can be given only on the command line.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | STAFF,
		.needs = BIT(SETTING_DATA),
		.options_only = STAFF,
		.run = admin_run,
		.admin = staff_set,
	},
	{
		.name = "token add",
		.argument = "LABEL",
		.summary = "make an API token",
		.about = "LABEL says what it is for. The token is printed on standard output, this "
			 "one time;\n--token-file keeps it in a file instead.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_EXPIRES) |
			 BIT(SETTING_READ_ONLY) | BIT(SETTING_LENIENT) | BIT(SETTING_TOKEN_FILE),
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
		.name = "token revoke",
		.argument = "LABEL",
		.summary = "revoke an API token: it stops working at once",
		.takes = DATA | BIT(SETTING_ACCOUNT),
		.needs = BIT(SETTING_DATA),
		.run = admin_run,
		.admin = token_revoke,
	},
	{
		.name = "demo",
		.summary = "make sample records",
		.about =
			"Cases 245 and 246 with a subject and a case service each, a calendar and "
			"two more\nstaff members where they are not there yet, and --tasks N more "
			"tasks, with the cases,\nsubjects, calendars and staff of an agency of that "
			"size. Only for an account without\ncases of its own. docket must not serve "
			"a folder meanwhile; it may serve a PostgreSQL\ndatabase. Every run makes N more "
			"tasks.",
		.takes = DATA | BIT(SETTING_ACCOUNT) | BIT(SETTING_TASKS),
		.needs = BIT(SETTING_DATA),
		.run = command_demo,
	},
	{
		.name = "check",
		.summary = "tell whether all that is stored is sound",
		.about =
			"Reads the whole database and writes nothing, also while docket serves it and from "
			"a\nmedium that cannot be written; nobody can begin to serve a folder "
			"meanwhile. Names the\nfirst records that break a rule; then the exit status is "
			"1. Notes name what is sound and\nworth knowing, such as user names that differ "
			"in their case alone.",
		.takes = DATA | BIT(SETTING_JSON),
		.needs = BIT(SETTING_DATA),
		.run = command_check,
	},
	{
		.name = "migrate",
		.summary = "bring the database to this program's schema",
		.about =
			"Prints the number and the name of each migration. In a folder, where serve "
			"does the\nsame, a checked copy of the database is put beside it first, and a "
			"dry run is on another.\nIn PostgreSQL only this command does it, a copy is "
			"yours to make, and a dry run is one\ntransaction, which is taken back. Nobody "
			"may serve the database meanwhile.\nTexts are sorted and compared by the system's "
			"version of Unicode: where the database has\nanother, the records that this changes "
			"are written. A dry run counts them.",
		.takes = DATA | BIT(SETTING_DRY_RUN),
		.needs = BIT(SETTING_DATA),
		.run = command_migrate,
	},
	{
		.name = "move",
		.summary = "move everything to another database, of the same kind or the other",
		.about =
			"Copies every record with its id, its history and the tokens into a database "
			"that is\nmade for it, then reads both and compares every row. Only then the "
			"target can be used;\nthe source stays as it is. Where it was broken off, the "
			"same command goes on. Nobody\nmay serve either of them meanwhile.",
		.takes = BIT(SETTING_CONFIG) | BIT(SETTING_FROM) | BIT(SETTING_TO) |
			 BIT(SETTING_NETWORK_FOLDER) | BIT(SETTING_PARTITIONS),
		.needs = BIT(SETTING_FROM) | BIT(SETTING_TO),
		.run = command_move,
	},
	{
		.name = "serve",
		.summary = "serve the API over HTTP",
		.about =
			"Says \"listening on http://ADDR:PORT\" on standard error for each address "
			"once it\naccepts, https with TLS. --listen may be given more than once; a host "
			"name there\nmeans all its addresses. [::]:PORT takes IPv4 as well, but "
			"not beside an IPv4 address\nof that port: then list 0.0.0.0:PORT for "
			"all of IPv4.\n\n"
			"SIGTERM and SIGINT end it: it accepts no connection any more, answers the "
			"requests\nunder way and one more request of each client that is connected, "
			"and closes who is\nsilent for a second. That takes 10 s at most; a second "
			"signal cuts off what\nis still under way.\n\n"
			"It takes either --data or --ephemeral, which makes the records of "
			"\"docket demo\" and the user\nname admin; its API token has 20 to 255 letters, "
			"digits or -._~+/= and is printed on\nstandard output where it is not given. "
			"Every request is a line on standard error, unless\n--quiet is given."
			" With --log-format json each line is a JSON object, but for\nthose that begin "
			"with \"listening on\".\n\n"
			"Several files for --tls-cert, and as many for --tls-key in the "
			"same order, serve\nseveral host names; the first pair is for names that no "
			"other has. SIGHUP reads\nthe files again; without TLS it does nothing.",
		.takes = DATA | BIT(SETTING_EPHEMERAL) | BIT(SETTING_TOKEN) | BIT(SETTING_LISTEN) |
			 BIT(SETTING_BASE_DOMAIN) | BIT(SETTING_TLS_CERT) | BIT(SETTING_TLS_KEY) |
			 BIT(SETTING_BEHIND_PROXY) | BIT(SETTING_BASE_URL) | BIT(SETTING_IDLE) |
			 BIT(SETTING_ABSOLUTE_LINKS) | BIT(SETTING_CORS_ORIGINS) |
			 BIT(SETTING_CONNECTIONS) | BIT(SETTING_TIMEOUT) | BIT(SETTING_QUEUE) |
			 BIT(SETTING_QUIET) | BIT(SETTING_LOG_FORMAT),
		.run = command_serve,
	},
};

int main(int argc, char **argv)
{
	const struct commands commands = {rows, COUNT_OF(rows)};

	return (int)cli_main(&commands, argc, argv);
}
