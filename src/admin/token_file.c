/* SPDX-License-Identifier: MIT */
/* Writes the file that --token-file names. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin_private.h"
#include "auth/token.h"
#include "base/file.h"
#include "base/log.h"

static bool is_in_folder(const char *file, const char *folder)
{
	const char *slash = strrchr(file, '/');
	char path[STORE_PATH_BYTES];
	struct stat parent, data;

	snprintf(path, sizeof(path), "%.*s", slash ? (int)(slash - file + 1) : 1,
		 slash ? file : ".");
	return folder && stat(path, &parent) == 0 && stat(folder, &data) == 0 &&
	       parent.st_dev == data.st_dev && parent.st_ino == data.st_ino;
}

bool admin_token_file(const struct settings *settings, const char *file, const char *token)
{
	int fd = is_in_folder(file, settings->text[SETTING_DATA])
			 ? file_make(file)
			 : open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool written;

	if (fd < 0) {
		log_line("cannot make the token's file %s: %s", file, strerror(errno));
		return false;
	}
	written = dprintf(fd, "%s\n", token) == TOKEN_CHARS + 1 && fsync(fd) == 0;
	if (close(fd) || !written) {
		log_line("cannot write the token's file %s: %s", file, strerror(errno));
		unlink(file);
		return false;
	}
	return true;
}
