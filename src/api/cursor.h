/* SPDX-License-Identifier: MIT */
/* Cursors: texts that say where the next page of a list begins. A client cannot change them. */
#ifndef API_CURSOR_H
#define API_CURSOR_H

#include "auth/seal.h"
#include "model/fault.h"
#include "model/list.h"

struct cursor {
	size_t sort_row; /* the row of the type's sorts */
	bool descending;
	unsigned char filters[SEAL_DIGEST_BYTES]; /* the digest of the list's filters */
	struct list_position position;
};

/* `purpose` names the list. The text is in the arena; NULL if memory runs out. */
char *cursor_encode(const unsigned char key[SEAL_KEY_BYTES], struct slice purpose,
		    const struct cursor *cursor, struct arena *arena);

/* ERR_INVALID: the text is not a cursor of this list. ERR_SCHEMA: it is a cursor of another version
 * of docket. The cursor's texts are in the arena. */
enum err cursor_decode(const unsigned char key[SEAL_KEY_BYTES], struct slice purpose,
		       struct slice text, struct arena *arena, struct cursor *cursor_out);

/* Parts of a cursor. */
#define CURSOR_SORT 1U
#define CURSOR_DIR 2U
#define CURSOR_FILTERS 4U

/* Adds a fault of `after` for each of `parts` that differs between the cursor and `list`, the
 * requested list. */
void cursor_compare(const struct cursor *cursor, const struct cursor *list, unsigned parts,
		    struct faults *faults);

#endif
