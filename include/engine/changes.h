/* changes: what may become another under the doors' feet while they serve: the policy, and what proves who people are. The
 * writer changes first, between two decisions; the loop when it drains the answer. Part of engine/engine.h; for the loop's
 * thread. */
#ifndef ENGINE_CHANGES_H
#define ENGINE_CHANGES_H

#include <stdint.h>

#include "jurisdiction/policy.h"
#include "workflow/roster.h"

struct engine;

/* ---- the policy ----
 * A COMMAND_POLICY makes the writer change to another one between two decisions; the loop changes when it drains the
 * answer. So what a door lets in by the old policy may be judged by the new one, never the other way round. */

/* The policy for the loop's thread. It may be gone after the next drain: who needs it longer holds it. */
const struct policy *engine_policy(const struct engine *e);
/* Called on the loop when engine_policy has become another; the one before is let go of when all have been told. */
void engine_on_policy(struct engine *e, void (*changed)(void *ctx), void *ctx);

struct policy_state {
	const char *digest; /* of engine_policy */
	int64_t from_ms;    /* in force since; 0: since before a replay clock's time began */
	_Bool sweeping;     /* open cases are being looked at because of it, or of something else that concerns all */
	int64_t visited, changed; /* by the sweep under way, or by the last one */
};
void engine_policy_state(const struct engine *e, struct policy_state *out);
/* ---- the roster ----
 * What proves that people are who they say, as far as it is on disk. It changes when the answer of a command that changed
 * it is drained: the roster first, then the answer, then those who listen. */
const struct roster *engine_roster(const struct engine *e);
void engine_on_roster(struct engine *e, void (*changed)(void *ctx), void *ctx);

#endif
