/* SPDX-License-Identifier: MIT */
/* Types of terminals. */
#ifndef TOP_TERMINAL_H
#define TOP_TERMINAL_H

#include <stdbool.h>

/* Whether terminfo knows the type of this terminal ($TERM), and it can move its cursor. */
bool terminal_is_known(void);

#endif
