/* SPDX-License-Identifier: MIT */
/* Reads a duration from a setting. */
#include <string.h>

#include "cli/cli.h"

bool settings_duration(const char *text, int64_t most, int64_t *seconds_out)
{
	static const struct {
		char letter;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 60 * 60}, {'d', 24 * 60 * 60}};
	size_t digits = strspn(text, "0123456789"), unit = 0;
	int64_t value = 0;

	if (!digits || digits > 9)
		return false;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (text[i] - '0');
	while (unit < COUNT_OF(units) && units[unit].letter != text[digits])
		unit++;
	if (value == 0 && !text[digits])
		unit = 0;
	else if (unit == COUNT_OF(units) || text[digits + 1])
		return false;
	if (value > most / units[unit].seconds)
		return false;
	*seconds_out = value * units[unit].seconds;
	return true;
}
