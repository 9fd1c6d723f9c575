/* SPDX-License-Identifier: MIT */
/* The first calendar of an account. */
#ifndef ACCOUNTS_ACCOUNT_CALENDAR_H
#define ACCOUNTS_ACCOUNT_CALENDAR_H

#include "store/state.h"

/* Adds the statements that create an account's first calendar. Every task must have a calendar. */
enum err account_insert_calendar(struct store_write *write, struct calls *calls);

#endif
