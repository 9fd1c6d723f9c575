/* SPDX-License-Identifier: MIT */
/* What can go wrong below the HTTP layer. Every function that can fail returns one of these;
 * 0 is success. Faults in a request are not errors: they are collected (model/fault.h). */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
	OK = 0,
	ERR_NOMEM,          /* no memory */
	ERR_NOT_FOUND,      /* no such record, file or name */
	ERR_EXISTS,         /* already there, and must not be */
	ERR_BUSY,           /* too much is waiting, or somebody holds a lock: try again later */
	ERR_IN_PROGRESS,    /* the same operation is already running */
	ERR_TIMEOUT,        /* over its time budget */
	ERR_FULL,           /* no room left on the disk */
	ERR_IO,             /* the storage failed */
	ERR_UNKNOWN_STATE,  /* the storage failed and its state is unknown: restart */
	ERR_UNREACHABLE,    /* the database cannot be reached; nothing was stored */
	ERR_COMMIT_UNKNOWN, /* the connection was lost during a commit: stored or not */
	ERR_CORRUPT,        /* the stored data is damaged */
	ERR_SCHEMA,         /* the database is older or newer than this program */
	ERR_CONSTRAINT,     /* a rule of the schema forbade it */
	ERR_INVALID,        /* an argument or a setting is wrong */
	ERR_STOPPED,        /* the program is stopping */
	ERR_INTERNAL,       /* a bug in docket */
};
#define ERR_CODES (ERR_INTERNAL + 1)

/* A short English text for `err`, never NULL; static storage. */
const char *err_text(enum err err);

#endif
