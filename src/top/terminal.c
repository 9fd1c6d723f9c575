/* SPDX-License-Identifier: MIT */
/* Looks a terminal up before ncurses begins: newterm() leaks memory when it fails. In a file of its
 * own, because term.h defines words such as "columns" and "lines". */
#include "terminal.h"

#include <ncurses.h>
#include <term.h>
#include <unistd.h>

bool terminal_is_known(void)
{
	int found = 0;
	bool moves;

	if (setupterm(NULL, STDOUT_FILENO, &found) != OK || found != 1)
		return false;
	moves = cursor_address != NULL;
	del_curterm(cur_term);
	return moves;
}
