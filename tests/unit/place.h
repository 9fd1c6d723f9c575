/* SPDX-License-Identifier: MIT */
/* A temporary folder for a test, removed with all that is in it. Include after cmocka.h. */
#ifndef TESTS_UNIT_PLACE_H
#define TESTS_UNIT_PLACE_H

#include <ftw.h>

#define PLACE_BYTES 64

static inline void place_make(char folder[PLACE_BYTES])
{
	snprintf(folder, PLACE_BYTES, "/tmp/docket-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
}

static inline int place_remove_one(const char *path, const struct stat *what, int type,
				   struct FTW *where)
{
	(void)what;
	(void)type;
	(void)where;
	return remove(path);
}

static inline void place_remove(const char *folder)
{
	assert_int_equal(nftw(folder, place_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
