/* SPDX-License-Identifier: MIT */
/* The era of the database, and the key of the cursors of that era. */
#include "accounts/accounts.h"
#include "base/digest.h"
#include "place/place.h"
#include "serve_private.h"

/* Each era has a key of its own, so that docket does not know the cursors of another. */
static void key_set_era(unsigned char key[SECRET_BYTES], int64_t era)
{
	struct digest digest;

	_Static_assert(SECRET_BYTES == DIGEST_BYTES, "a key is a digest");
	digest_init(&digest);
	digest_add(&digest, (struct slice){(const char *)key, SECRET_BYTES});
	digest_add_int(&digest, era);
	digest_final(&digest, key);
}

enum err era_set(struct store *store, struct app *app)
{
	enum err err = store_era(store, &app->era);

	if (err) {
		log_line("cannot read the era of the database: %s", err_text(err));
		return err;
	}
	err = store_secret(store, "cursor", app->cursor_key);
	if (err)
		log_line("cannot read the key of cursors: %s", err_text(err));
	else if (app->era)
		key_set_era(app->cursor_key, app->era);
	return err;
}
