/* SPDX-License-Identifier: MIT */
/* Cases: what an agency works on; the API calls them casefile. */
#ifndef MODEL_CASEFILE_H
#define MODEL_CASEFILE_H

#include "model/field.h"

enum casefile_status {
	CASEFILE_OPEN,
	CASEFILE_CLOSED,
};

struct casefile {
	struct record record;
	struct slice case_number;
	int32_t status;                    /* enum casefile_status */
	struct id_list case_services_list; /* the services attached to it */
};

extern const struct record_type casefile_type;

#endif
