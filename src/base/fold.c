/* SPDX-License-Identifier: MIT */
/* Folds texts for comparison. ICU does it, because both databases must fold alike and neither of
 * them follows Unicode. Text that is all ASCII, as most is, is folded without ICU. */
#include <pthread.h>
#include <stdint.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#include "base/text.h"

/* ICU counts in int32_t, and no step turns one UTF-16 unit into more than 18. */
#define FOLD_MAX ((size_t)INT32_MAX / 64)

struct utf16 {
	UChar *ptr;
	int32_t len;
};

/* One step of a fold. Like ICU's functions it returns the length that it needs, even if that is
 * more than `room`. ICU's data is compiled in, so a step fails only if memory runs out. */
typedef int32_t fold_step(struct utf16 from, UChar *to, int32_t room, UErrorCode *status);

static int32_t step_nfd(struct utf16 from, UChar *to, int32_t room, UErrorCode *status)
{
	const UNormalizer2 *nfd = unorm2_getNFDInstance(status);

	return unorm2_normalize(nfd, from.ptr, from.len, to, room, status);
}

static int32_t step_nfc(struct utf16 from, UChar *to, int32_t room, UErrorCode *status)
{
	const UNormalizer2 *nfc = unorm2_getNFCInstance(status);

	return unorm2_normalize(nfc, from.ptr, from.len, to, room, status);
}

static int32_t step_case(struct utf16 from, UChar *to, int32_t room, UErrorCode *status)
{
	return u_strFoldCase(to, room, from.ptr, from.len, U_FOLD_CASE_DEFAULT, status);
}

static int32_t step_skeleton(struct utf16 from, UChar *to, int32_t room, UErrorCode *status)
{
	USpoofChecker *checker = uspoof_open(status);
	int32_t len = uspoof_getSkeleton(checker, 0, from.ptr, from.len, to, room, status);

	uspoof_close(checker);
	return len;
}

static UChar *utf16_alloc(struct arena *arena, int32_t len)
{
	return arena_alloc(arena, ((size_t)len + 1) * sizeof(UChar));
}

static bool run_step(struct arena *arena, fold_step *step, struct utf16 *text)
{
	struct utf16 to = {.len = text->len + 16};
	UErrorCode status;
	int32_t room;

	do {
		room = to.len;
		to.ptr = utf16_alloc(arena, room);
		if (!to.ptr)
			return false;
		status = U_ZERO_ERROR;
		to.len = step(*text, to.ptr, room, &status);
	} while (status == U_BUFFER_OVERFLOW_ERROR && to.len > room);
	if (U_FAILURE(status))
		return false;
	*text = to;
	return true;
}

static enum err run_steps(struct arena *arena, fold_step *const *steps, struct slice text,
			  struct slice *text_out)
{
	UErrorCode status = U_ZERO_ERROR;
	struct utf16 wide;
	int32_t len;
	char *done;

	if (!text_is_utf8(text))
		return ERR_INVALID;
	if (text.len > FOLD_MAX)
		return ERR_NOMEM;
	wide.ptr = utf16_alloc(arena, (int32_t)text.len);
	if (!wide.ptr)
		return ERR_NOMEM;
	u_strFromUTF8(wide.ptr, (int32_t)text.len + 1, &wide.len, text.ptr, (int32_t)text.len,
		      &status);
	if (U_FAILURE(status))
		return ERR_NOMEM;
	for (; *steps; steps++)
		if (!run_step(arena, *steps, &wide))
			return ERR_NOMEM;
	/* A unit of UTF-16 takes at most three bytes of UTF-8. */
	done = arena_alloc(arena, (size_t)wide.len * 3 + 1);
	if (!done)
		return ERR_NOMEM;
	u_strToUTF8(done, wide.len * 3 + 1, &len, wide.ptr, wide.len, &status);
	if (U_FAILURE(status))
		return ERR_NOMEM;
	*text_out = (struct slice){done, (size_t)len};
	return OK;
}

enum err text_fold(struct arena *arena, struct slice text, struct slice *folded_out)
{
	static fold_step *const steps[] = {step_nfd, step_case, step_nfc, NULL};
	char *folded;

	if (text_ascii(text) != text.len)
		return run_steps(arena, steps, text, folded_out);
	folded = arena_copy(arena, text);
	if (!folded)
		return ERR_NOMEM;
	for (size_t i = 0; i < text.len; i++)
		folded[i] = (char)(folded[i] >= 'A' && folded[i] <= 'Z' ? folded[i] - 'A' + 'a'
									: folded[i]);
	*folded_out = (struct slice){folded, text.len};
	return OK;
}

/* Not composed at the end: ICU's skeletons are in NFD. */
enum err text_skeleton(struct arena *arena, struct slice text, struct slice *skeleton_out)
{
	static fold_step *const steps[] = {step_nfd, step_case, step_skeleton, NULL};

	return run_steps(arena, steps, text, skeleton_out);
}

static char unicode_version[U_MAX_VERSION_STRING_LENGTH];

static void read_version(void)
{
	UVersionInfo version;

	u_getUnicodeVersion(version);
	u_versionToString(version, unicode_version);
}

const char *text_unicode_version(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_version);
	return unicode_version;
}
