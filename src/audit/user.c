/* SPDX-License-Identifier: MIT */
/* Finds out who runs a command. */
#include "audit/user.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

#define ENTRY_BYTES 16384 /* of an entry of the system's list of users */

static void name_copy(char to[AUDIT_USER_NAME_BYTES], const char *name)
{
	struct slice text = slice_of(name ? name : "");

	if (text.len < AUDIT_USER_NAME_BYTES && text_is_utf8(text) && !text_has_control(text))
		memcpy(to, text.len ? text.ptr : "", text.len + 1);
}

static void operator_fill(int64_t uid, const char *sudo_username, struct audit_user *user_out)
{
	char buffer[ENTRY_BYTES];
	struct passwd entry, *found = NULL;

	*user_out = (struct audit_user){.uid = uid};
	if (uid != AUDIT_USER_UNKNOWN &&
	    getpwuid_r((uid_t)uid, &entry, buffer, sizeof(buffer), &found) == 0 && found)
		name_copy(user_out->username, found->pw_name);
	name_copy(user_out->sudo_username, sudo_username);
}

const char *audit_user_sudo(void)
{
	return getenv("SUDO_USER");
}

void audit_user_of_process(struct audit_user *user_out)
{
	operator_fill((int64_t)geteuid(), audit_user_sudo(), user_out);
}

void audit_user_of_peer(int fd, const char *sudo_username, struct audit_user *user_out)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0;

	operator_fill(known ? (int64_t)peer.uid : AUDIT_USER_UNKNOWN, sudo_username, user_out);
}
