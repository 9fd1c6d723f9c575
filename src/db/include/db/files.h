/* SPDX-License-Identifier: MIT */
/* The files that a connection to PostgreSQL needs. */
#ifndef DB_FILES_H
#define DB_FILES_H

/* Calls `on_file` for each file or folder that libpq may read for a URL: certificates, keys, the
 * files of passwords and of services. They need not exist. The URL may name them, or an environment
 * variable, or the file of services; otherwise they are in the user's home folder. A URL that
 * cannot be read names none. Call it before any thread starts: it may set PGSERVICE. */
void postgres_files(const char *url, void (*on_file)(void *context, const char *path),
		    void *context);

#endif
