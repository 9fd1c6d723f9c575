/* SPDX-License-Identifier: MIT */
/* What an account begins with. */
#ifndef ACCOUNTS_ACCOUNT_CALENDAR_H
#define ACCOUNTS_ACCOUNT_CALENDAR_H

#include "store/state.h"

/* Lists what creates the calendar that an account begins with: a task must have one. */
enum err account_insert_calendar(struct store_write *write, struct calls *calls);

#endif
