/* SPDX-License-Identifier: MIT */
/* Case services: what an account offers, attached to cases. */
#ifndef MODEL_CASE_SERVICE_H
#define MODEL_CASE_SERVICE_H

#include "model/field.h"

struct case_service {
	struct record record;
	struct slice external_id;       /* "" when there is none */
	struct slice name, name_folded; /* as it is shown, and as it is sorted */
};

extern const struct record_type case_service_type;

#endif
