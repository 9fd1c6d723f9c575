/* SPDX-License-Identifier: MIT */
/* The manifest of a generation: lines of a name and a value. The last line is the digest of those
 * before it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "frames/frames.h"

#define FIRST_LINE "docket replica 1\n"
#define DIGEST_LINE "digest "

void manifest_release(struct manifest *manifest)
{
	buf_release(&manifest->accounts);
}

static void text_digest(struct slice text, char hex[HEX_BYTES(DIGEST_BYTES)])
{
	unsigned char bytes[DIGEST_BYTES];
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, text);
	digest_final(&digest, bytes);
	hex_write(bytes, DIGEST_BYTES, hex);
}

void manifest_write(const struct manifest *manifest, struct buf *text)
{
	char id[HEX_BYTES(ID_BYTES)], digest[HEX_BYTES(DIGEST_BYTES)];

	hex_write(manifest->id, ID_BYTES, id);
	hex_write(manifest->image_digest, DIGEST_BYTES, digest);
	buf_printf(text,
		   FIRST_LINE "generation %" PRId64 "\nid %s\ndatabase %s\nschema %" PRId64
			      "\nat %" PRId64 "\nmark %s\nimage_bytes %" PRId64
			      "\ndatabase_bytes %" PRId64 "\nimage_digest %s\n",
		   manifest->generation, id, manifest->database, manifest->schema, manifest->at,
		   manifest->mark, manifest->image_bytes, manifest->database_bytes, digest);
	buf_add_slice(text, buf_slice(&manifest->accounts));
	text_digest(buf_slice(text), digest);
	buf_printf(text, DIGEST_LINE "%s\n", digest);
}

/* The value of the first line of this name, up to the end of the line. */
static bool line_find(struct slice text, const char *name, char *value, size_t size)
{
	size_t len = strlen(name);

	while (text.len) {
		const char *end = memchr(text.ptr, '\n', text.len);
		size_t line = end ? (size_t)(end - text.ptr) : text.len;

		if (line > len && memcmp(text.ptr, name, len) == 0 && text.ptr[len] == ' ' &&
		    line - len - 1 < size) {
			memcpy(value, &text.ptr[len + 1], line - len - 1);
			value[line - len - 1] = '\0';
			return true;
		}
		line += end != NULL;
		text.ptr += line;
		text.len -= line;
	}
	return false;
}

static bool line_number(struct slice text, const char *name, int64_t *number_out)
{
	char value[32], *end;

	if (!line_find(text, name, value, sizeof(value)))
		return false;
	errno = 0;
	*number_out = strtoll(value, &end, 10);
	return !errno && end != value && !*end;
}

static bool line_bytes(struct slice text, const char *name, unsigned char *bytes, size_t count)
{
	char value[HEX_BYTES(DIGEST_BYTES)];

	return line_find(text, name, value, sizeof(value)) && strlen(value) == 2 * count &&
	       hex_read(value, bytes, count);
}

static bool is_whole(struct slice text)
{
	char digest[HEX_BYTES(DIGEST_BYTES)];
	size_t tail = strlen(DIGEST_LINE) + 2 * DIGEST_BYTES + 1;
	struct slice body = {text.ptr, text.len - tail};

	if (text.len < tail + strlen(FIRST_LINE) ||
	    memcmp(text.ptr, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return false;
	text_digest(body, digest);
	return memcmp(&text.ptr[body.len], DIGEST_LINE, strlen(DIGEST_LINE)) == 0 &&
	       memcmp(&text.ptr[body.len + strlen(DIGEST_LINE)], digest, 2 * DIGEST_BYTES) == 0;
}

bool manifest_read(struct slice text, struct manifest *manifest_out)
{
	struct manifest manifest = {0};
	const char *accounts;

	if (!is_whole(text) || !line_number(text, "generation", &manifest.generation) ||
	    !line_bytes(text, "id", manifest.id, ID_BYTES) ||
	    !line_find(text, "database", manifest.database, sizeof(manifest.database)) ||
	    !line_number(text, "schema", &manifest.schema) ||
	    !line_number(text, "at", &manifest.at) ||
	    !line_find(text, "mark", manifest.mark, sizeof(manifest.mark)) ||
	    !line_number(text, "image_bytes", &manifest.image_bytes) ||
	    !line_number(text, "database_bytes", &manifest.database_bytes) ||
	    !line_bytes(text, "image_digest", manifest.image_digest, DIGEST_BYTES))
		return false;
	accounts = memmem(text.ptr, text.len, "\naccount ", strlen("\naccount "));
	if (accounts)
		buf_add(&manifest.accounts, accounts + 1,
			text.len - (size_t)(accounts + 1 - text.ptr));
	*manifest_out = manifest;
	return !manifest.accounts.failed;
}

bool manifest_next_account(struct slice *rest, int64_t *id_out, int64_t *last_change_out,
			   char name[ACCOUNT_BYTES])
{
	const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
	size_t line = end ? (size_t)(end - rest->ptr) + 1 : rest->len;
	char text[512];

	snprintf(text, sizeof(text), "%.*s", (int)line, rest->ptr);
	rest->ptr += line;
	rest->len -= line;
	return sscanf(text, "account %" SCNd64 " %" SCNd64 " %255s", id_out, last_change_out,
		      name) == 3;
}

bool manifest_account(const struct manifest *manifest, const char *name, int64_t *id_out,
		      int64_t *last_change_out)
{
	struct slice rest = buf_slice(&manifest->accounts);
	char found[ACCOUNT_BYTES];
	int64_t id, last;

	while (manifest_next_account(&rest, &id, &last, found)) {
		if (strcmp(found, name) != 0)
			continue;
		*id_out = id;
		*last_change_out = last;
		return true;
	}
	return false;
}
