/* SPDX-License-Identifier: MIT */
/* What docket tells of a certificate. */
#ifndef CERTIFICATES_FACTS_H
#define CERTIFICATES_FACTS_H

#include <stdint.h>

/* Times are in seconds since 1970. */
struct certificate_facts {
	const char *file;  /* that has its chain */
	const char *names; /* host names and addresses, with a space between two; "": none */
	int64_t valid_from, valid_to;
};

#endif
