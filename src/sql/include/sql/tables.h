/* SPDX-License-Identifier: MIT */
/* All tables of schema/. A move, the removal of an account, docket check and the statistics take
 * their tables from here.
 *
 *	for (size_t i = 0; i < SQL_TABLES; i++)
 *		if (!sql_tables[i].global)
 *			count_rows(sql_tables[i].name, sql_tables[i].key[0], account_id); */
#ifndef SQL_TABLES_H
#define SQL_TABLES_H

#include <stdbool.h>

#define SQL_TABLES 21
#define SQL_KEY_COLUMNS 4

struct sql_table {
	const char *name;
	/* The columns of its primary key; ends with NULL. The first is the account's id, unless the
	 * table is global. */
	const char *key[SQL_KEY_COLUMNS + 1];
	/* The table whose rows own these rows; key[1] is the id of the owner. NULL: none.
	 */
	const char *parent;
	const char *shown;   /* the name of its rows; NULL: not shown to people */
	const char *indexed; /* the column in the text index; NULL: none */
	bool global;         /* its rows belong to no account */
	bool large;          /* an account may have very many rows: they are removed in parts */
	bool counted;        /* docket check says how many rows it has */
	/* It has few rows, which differ between two databases and between two states of a
	 * database. */
	bool identifies;
};

/* A table comes after all tables that its foreign keys name. The table of migrations is the
 * last. */
#define SQL_TABLE_MIGRATION (SQL_TABLES - 1)
extern const struct sql_table sql_tables[SQL_TABLES];

#endif
