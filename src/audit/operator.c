/* SPDX-License-Identifier: MIT */
/* Finds out who runs a command. */
#include "audit/operator.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

#define ENTRY_BYTES 16384 /* of an entry of the system's list of users */

static void name_copy(char to[OPERATOR_NAME_BYTES], const char *name)
{
	struct slice text = slice_of(name ? name : "");

	if (text.len < OPERATOR_NAME_BYTES && text_is_utf8(text) && !text_has_control(text))
		memcpy(to, text.len ? text.ptr : "", text.len + 1);
}

static void operator_fill(int64_t uid, const char *sudo_username, struct operator* operator_out)
{
	char buffer[ENTRY_BYTES];
	struct passwd entry, *found = NULL;

	*operator_out = (struct operator){.uid = uid};
	if (uid != OPERATOR_UNKNOWN &&
	    getpwuid_r((uid_t)uid, &entry, buffer, sizeof(buffer), &found) == 0 && found)
		name_copy(operator_out->username, found->pw_name);
	name_copy(operator_out->sudo_username, sudo_username);
}

const char *operator_sudo(void)
{
	return getenv("SUDO_USER");
}

void operator_of_process(struct operator* operator_out)
{
	operator_fill((int64_t)geteuid(), operator_sudo(), operator_out);
}

void operator_of_peer(int fd, const char *sudo_username, struct operator* operator_out)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0;

	operator_fill(known ? (int64_t)peer.uid : OPERATOR_UNKNOWN, sudo_username, operator_out);
}
