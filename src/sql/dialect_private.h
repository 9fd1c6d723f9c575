/* SPDX-License-Identifier: MIT */
/* The dialects, which dialect.c finds. */
#ifndef SQL_DIALECT_PRIVATE_H
#define SQL_DIALECT_PRIVATE_H

#include "sql/dialect.h"

extern const struct sql_dialect sqlite_dialect;
extern const struct sql_dialect postgres_dialect;

#endif
