/* SPDX-License-Identifier: MIT */
/* The rule of docket check about the text index: it has all trigrams of each title with their
 * positions, and no others. If a title waits for the index, the index must have the title that the
 * note names. Titles and index are read in different orders. So each task has a sum, which takes 24
 * bytes with the task's ids: the title adds the hashes of its trigrams, and the index subtracts
 * them. The sum must be 0 in the end. */
#include "check_private.h"

#define TRIGRAM 3

struct title {
	int64_t account_id, id;
	uint64_t sum;
};

struct titles {
	struct check *check;
	struct check_result *result;
	struct buf list;    /* of struct title, in the order of account and id */
	struct title stray; /* the last task that only the index has */
};

/* FTS5 takes U+FFFE and U+FFFF for U+FFFD. In UTF-8 the three differ in their last byte. */
static unsigned char indexed_byte(struct slice text, size_t at)
{
	static const char front[] = "\xef\xbf";
	unsigned char byte = (unsigned char)text.ptr[at];

	return at >= 2 && byte >= 0xbd && memcmp(text.ptr + at - 2, front, 2) == 0 ? 0xbd : byte;
}

/* The hash of a trigram and its position. */
static uint64_t trigram_hash(struct slice trigram, uint64_t position)
{
	uint64_t hash = 0xcbf29ce484222325 ^ position * 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < trigram.len; i++)
		hash = (hash ^ indexed_byte(trigram, i)) * 0x100000001b3;
	hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
	return hash ^ (hash >> 27);
}

static bool begins_char(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

static uint64_t title_sum(struct slice title)
{
	size_t starts[TRIGRAM + 1] = {0}, chars = 0;
	uint64_t sum = 0;

	/* The trigram of three characters ends where the next character begins, or the title
	 * ends. */
	for (size_t i = 0; i <= title.len; i++) {
		if (i < title.len && !begins_char(title.ptr[i]))
			continue;
		starts[chars % (TRIGRAM + 1)] = i;
		if (chars >= TRIGRAM) {
			size_t from = starts[(chars - TRIGRAM) % (TRIGRAM + 1)];

			sum += trigram_hash((struct slice){title.ptr + from, i - from},
					    chars - TRIGRAM);
		}
		chars++;
	}
	return sum;
}

static enum err title_row(void *context, const struct db_value *values, size_t count)
{
	struct titles *titles = context;
	const struct title title = {values[0].integer, values[1].integer,
				    title_sum(values[2].bytes)};

	(void)count;
	buf_add(&titles->list, &title, sizeof(title));
	return titles->list.failed ? ERR_NOMEM : OK;
}

static int by_number(const void *a, const void *b)
{
	const struct title *x = a, *y = b;

	if (x->account_id != y->account_id)
		return x->account_id < y->account_id ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static enum err titles_report(struct titles *titles, const struct title *title, const char *what)
{
	const struct check_entry entry = {
		.account_id = title->account_id, .record = "task", .id = title->id, .what = what};

	return check_add(titles->check, titles->result, &entry);
}

static enum err trigram_row(void *context, const struct db_value *values, size_t count)
{
	struct titles *titles = context;
	const struct title key = {values[0].integer, values[1].integer, 0};
	size_t room = titles->list.len / sizeof(key);
	struct title *found =
		room ? bsearch(&key, titles->list.ptr, room, sizeof(key), by_number) : NULL;

	(void)count;
	if (found) {
		found->sum -= trigram_hash(values[2].bytes, (uint64_t)values[3].integer);
		return OK;
	}
	/* A task that does not exist may have many trigrams in the index. Those in a row are
	 * reported once. */
	if (by_number(&key, &titles->stray) == 0)
		return OK;
	titles->stray = key;
	return titles_report(titles, &key,
			     "is in the index, which should not have it: there is no such task, "
			     "or its title waits");
}

static enum err needless_row(void *context, const struct db_value *values, size_t count)
{
	const struct title title = {values[0].integer, values[1].integer, 0};

	(void)count;
	return titles_report(context, &title,
			     "waits for the index, but such a task has never existed");
}

enum err check_words(struct check *check)
{
	const struct db_driver *driver = check->store->driver;
	const struct text_index *index = sql_dialect(driver)->text_index;
	struct titles titles = {.check = check, .result = &check->results[CHECK_WORDS]};
	enum err err = index ? driver->script(check->db, index->prepare_all) : OK;
	const struct db_call calls[] = {
		{.sql = index ? index->expected : NULL,
		 .on_row = title_row,
		 .context = &titles,
		 .many = true},
		{.sql = index ? index->all : NULL,
		 .on_row = trigram_row,
		 .context = &titles,
		 .many = true},
		{.sql = index ? index->needless : NULL,
		 .on_row = needless_row,
		 .context = &titles,
		 .many = true},
	};

	if (!index)
		return OK;
	/* All statements read one snapshot. */
	if (!err)
		err = driver->begin(check->db);
	if (!err)
		err = driver->run(check->db, calls, 3);
	for (size_t i = 0; i < titles.list.len / sizeof(struct title) && !err; i++) {
		const struct title *title = (const struct title *)(const void *)titles.list.ptr + i;

		if (title->sum)
			err = titles_report(&titles, title,
					    "is in the index with another title, or not at all, "
					    "and does not wait for the index");
	}
	buf_release(&titles.list);
	return err;
}
