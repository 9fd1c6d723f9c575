/* SPDX-License-Identifier: MIT */
/* The phases of a request, and which may follow which. */
#include <assert.h>

#include "pipeline_private.h"

#define TO(phase) (1U << (phase))

static const unsigned phase_next[] = {
	[PHASE_HEAD] =
		TO(PHASE_BODY) | TO(PHASE_ACCESS_EARLY) | TO(PHASE_HANDLER) | TO(PHASE_ANSWERED),
	[PHASE_ACCESS_EARLY] = TO(PHASE_ROOM) | TO(PHASE_ANSWERED),
	[PHASE_ROOM] = TO(PHASE_BODY_ALLOWED) | TO(PHASE_ANSWERED),
	[PHASE_BODY_ALLOWED] = TO(PHASE_HANDLER) | TO(PHASE_ANSWERED),
	[PHASE_BODY] = TO(PHASE_ACCESS) | TO(PHASE_HANDLER) | TO(PHASE_ANSWERED),
	[PHASE_ACCESS] = TO(PHASE_HANDLER) | TO(PHASE_ANSWERED),
	[PHASE_HANDLER] = TO(PHASE_PREVIEW) | TO(PHASE_WRITE) | TO(PHASE_ANSWERED),
	[PHASE_PREVIEW] = TO(PHASE_ANSWERED),
	[PHASE_WRITE] = TO(PHASE_ANSWERED),
	[PHASE_ANSWERED] = 0,
};

void request_enter(struct call *call, enum request_phase next)
{
	assert(phase_next[call->phase] & TO(next));
	assert(next != PHASE_ANSWERED || call->http->response.status);
	call->phase = next;
}
