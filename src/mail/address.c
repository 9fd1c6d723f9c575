/* SPDX-License-Identifier: MIT */
/* Addresses, as a header and a command of SMTP may have them. */
#include "base/idn.h"
#include "mail/mail.h"

bool mail_is_address(struct slice text)
{
	const char *at = text.len ? memchr(text.ptr, '@', text.len) : NULL;
	size_t local = at ? (size_t)(at - text.ptr) : 0;
	char domain[DOMAIN_BYTES];
	bool fine = local && text.len < MAIL_ADDRESS_BYTES;

	for (size_t i = 0; fine && i < text.len; i++)
		fine = text.ptr[i] > ' ' && text.ptr[i] < 0x7f &&
		       (i == local || !strchr("@<>,;:\"()[]\\", text.ptr[i]));
	return fine && domain_to_ascii((struct slice){at + 1, text.len - local - 1}, domain);
}

bool mail_address(struct slice text, char out[MAIL_ADDRESS_BYTES])
{
	const char *at = text.len ? memchr(text.ptr, '@', text.len) : NULL;
	size_t local = at ? (size_t)(at - text.ptr) + 1 : 0;
	char domain[DOMAIN_BYTES];

	if (!local || !domain_to_ascii((struct slice){at + 1, text.len - local}, domain) ||
	    local + strlen(domain) >= MAIL_ADDRESS_BYTES)
		return false;
	snprintf(out, MAIL_ADDRESS_BYTES, "%.*s%s", (int)local, text.ptr, domain);
	return mail_is_address(slice_of(out));
}
