/* SPDX-License-Identifier: MIT */
/* What docket status shows. docs/operate.md lists the names; scripts rely on them. Nothing here
 * waits for the database. */
#include <jansson.h>

#include "metrics/metrics.h"
#include "serve_private.h"

json_t *status_json(void *context)
{
	const struct status_sources *sources = context;
	json_t *status = metrics_status(&sources->counted);

	if (status)
		json_object_set_new(status, "confinement", confine_json(&sources->confined));
	if (status && sources->counted.replica)
		json_object_set_new(status, "replica", replica_json(sources->counted.replica));
	if (status && sources->counted.backups)
		json_object_set_new(status, "backup", backups_json(sources->counted.backups));
	if (status && sources->settings->text[SETTING_TLS_CERT])
		json_object_set_new(status, "certificates",
				    certificates_json(sources->counted.server));
	return status;
}
