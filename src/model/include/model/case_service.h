/* SPDX-License-Identifier: MIT */
/* Case services: the services that an account offers. They are attached to cases. */
#ifndef MODEL_CASE_SERVICE_H
#define MODEL_CASE_SERVICE_H

#include "model/field.h"

struct case_service {
	struct record record;
	struct slice external_id;       /* "" when there is none */
	struct slice name, name_folded; /* as shown, and as sorted */
};

extern const struct record_type case_service_type;

#endif
