/* SPDX-License-Identifier: MIT */
/* The user of the operating system who runs a command. */
#ifndef AUDIT_USER_H
#define AUDIT_USER_H

#include <stdint.h>

#define AUDIT_USER_NAME_BYTES 256
#define AUDIT_USER_UNKNOWN (-1)

struct audit_user {
	int64_t uid; /* AUDIT_USER_UNKNOWN: the system does not say */
	/* The user's name; "": the system has none for this number, or it is longer than
	 * AUDIT_USER_NAME_BYTES - 1, not UTF-8 or not one line. */
	char username[AUDIT_USER_NAME_BYTES];
	/* Who ran sudo, as its variable SUDO_USER says; "" as above. It is not proof: whoever may
	 * run the command may set it. */
	char sudo_username[AUDIT_USER_NAME_BYTES];
};

/* The user that this process runs as. */
void audit_user_of_process(struct audit_user *user_out);

/* The user of the process at the other end of a UNIX socket, by SO_PEERCRED. `sudo_username` is
 * what that process says; it may be NULL. */
void audit_user_of_peer(int fd, const char *sudo_username, struct audit_user *user_out);

/* What this process says to another as `sudo_username`; NULL: sudo did not run it. */
const char *audit_user_sudo(void);

#endif
