/* SPDX-License-Identifier: MIT */
/* The dialects, for sql_dialect(). */
#ifndef SQL_DIALECTS_H
#define SQL_DIALECTS_H

#include "sql/dialect.h"

extern const struct sql_dialect sqlite_dialect;
extern const struct sql_dialect postgres_dialect;

#endif
