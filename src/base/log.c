/* SPDX-License-Identifier: MIT */
/* Messages on standard error. */
#include "base/log.h"

#include <stdarg.h>
#include <unistd.h>

void log_line(const char *format, ...)
{
	char line[1024];
	size_t len;
	va_list args;
	int more;

	len = (size_t)snprintf(line, sizeof(line), "docket: ");
	va_start(args, format);
	more = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
	va_end(args);
	if (more > 0)
		len += (size_t)more;
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* there is nowhere left to say it */
}
