/* SPDX-License-Identifier: MIT */
/* Messages as files in a folder, to see them without a mail server. */
#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "mail_private.h"

#define PATH_BYTES 4096

/* The id with everything replaced that has a meaning in a file's name. */
static void write_name(struct slice id, char name[MAIL_ANSWER_BYTES])
{
	size_t len = 0;

	for (; len < id.len && len + 1 < MAIL_ANSWER_BYTES; len++) {
		char c = id.ptr[len];

		name[len] = c;
		if (c == '/' || (c == '.' && !len))
			name[len] = '_';
	}
	name[len] = '\0';
}

/* Nobody sees half a message: it gets its name when it is whole. */
static int file_write(const char *path, const char *temporary, struct slice message)
{
	int fd, failed;

	unlink(temporary);
	fd = file_make(temporary);
	if (fd < 0)
		return -1;
	failed = !file_write_all(fd, message);
	failed |= close(fd);
	if (!failed)
		failed = rename(temporary, path);
	return failed;
}

void mail_file(const char *folder, struct slice id, struct slice message,
	       struct mail_answer *answer_out)
{
	char name[MAIL_ANSWER_BYTES], path[PATH_BYTES], temporary[PATH_BYTES], why[PATH_BYTES];

	write_name(id, name);
	snprintf(path, sizeof(path), "%s/%s.eml", folder, name);
	snprintf(temporary, sizeof(temporary), "%s/.%s", folder, name);
	if (file_write(path, temporary, message)) {
		int error = errno;

		unlink(temporary);
		*answer_out = (struct mail_answer){MAIL_TEMPORARY, .unavailable = true};
		snprintf(why, sizeof(why), "cannot write into the folder: %s", strerror(error));
		mail_answer_text(answer_out, slice_of(why));
	} else {
		*answer_out = (struct mail_answer){MAIL_ACCEPTED};
		mail_answer_text(answer_out, SLICE("written into a file"));
	}
}
