/* SPDX-License-Identifier: MIT */
/* Internationalized domain names, by ICU. */
#include "base/idn.h"

#include <limits.h>
#include <unicode/uidna.h>

bool domain_to_ascii(struct slice domain, char out[DOMAIN_BYTES])
{
	const uint32_t options = UIDNA_USE_STD3_RULES | UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ |
				 UIDNA_NONTRANSITIONAL_TO_ASCII;
	UErrorCode error = U_ZERO_ERROR;
	UIDNAInfo info = UIDNA_INFO_INITIALIZER;
	UIDNA *idna = uidna_openUTS46(options, &error);
	int32_t len = 0;

	if (!domain.len || domain.len > INT32_MAX)
		error = U_ILLEGAL_ARGUMENT_ERROR;
	else
		len = uidna_nameToASCII_UTF8(idna, domain.ptr, (int32_t)domain.len, out,
					     DOMAIN_BYTES - 1, &info, &error);
	uidna_close(idna);
	if (U_FAILURE(error) || info.errors)
		return false;
	out[len] = '\0';
	return true;
}
