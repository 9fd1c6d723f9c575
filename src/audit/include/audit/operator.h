/* SPDX-License-Identifier: MIT */
/* The user of the operating system who runs a command. */
#ifndef AUDIT_OPERATOR_H
#define AUDIT_OPERATOR_H

#include <stdint.h>

#define OPERATOR_NAME_BYTES 256
#define OPERATOR_UNKNOWN (-1)

struct operator
{
	int64_t uid; /* OPERATOR_UNKNOWN: the system does not say */
	/* The user's name; "": the system has none for this number, or it is longer than
	 * OPERATOR_NAME_BYTES - 1, not UTF-8 or not one line. */
	char username[OPERATOR_NAME_BYTES];
	/* Who ran sudo, as its variable SUDO_USER says; "" as above. It is not proof: whoever may
	 * run the command may set it. */
	char sudo_username[OPERATOR_NAME_BYTES];
};

/* The user that this process runs as. */
void operator_of_process(struct operator* operator_out);

/* The user of the process at the other end of a UNIX socket, by SO_PEERCRED. `sudo_username` is
 * what that process says; it may be NULL. */
void operator_of_peer(int fd, const char *sudo_username, struct operator* operator_out);

/* What this process says to another as `sudo_username`; NULL: sudo did not run it. */
const char *operator_sudo(void);

#endif
