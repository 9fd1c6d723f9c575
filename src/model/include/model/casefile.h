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
	struct slice external_id; /* "" when there is none */
	struct slice case_number;
	int32_t status;     /* enum casefile_status */
	int32_t created_on; /* the day that the agency gives */
	int32_t due_on;     /* or DATE_NONE */
	struct slice reference_value_1, reference_value_2, reference_value_3;
	struct slice notes;
	struct id_list case_services_list; /* the services attached to it */
};

extern const struct record_type casefile_type;

#endif
