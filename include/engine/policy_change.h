/* policy_change: the writer's side of a new policy: the swap between two batches, and the sweep over the open cases that
 * follows. Only for engine/, on the writer's thread. */
#ifndef ENGINE_POLICY_CHANGE_H
#define ENGINE_POLICY_CHANGE_H

#include "engine/writer.h"

/* Between two slices commands are decided, so a slice is no longer than a batch that hurries. */
#define SWEEP_VISITS_A_SLICE 2000
#define SWEEP_FACTS_A_SLICE 256

/* After the casebook was recovered: whether the policy is another than when the daemon last ran, and whether a sweep was
 * cut off. false with *cause (heap). */
_Bool policy_change_recover(struct writer *w, char **cause) MUST_USE;
/* A COMMAND_POLICY: checks the policy against the open cases, and with what was decided before it on disk swaps it in. */
void policy_change_run(struct writer *w, struct command *c);
/* Something that concerns every open case was decided: begin with the first of them again. */
void policy_change_sweep(struct writer *w);
_Bool policy_change_is_sweeping(const struct writer *w);
/* Begins a sweep when a new local day has begun: contracts, grids and posts begin and end with one. */
void policy_change_look(struct writer *w);
/* The next few cases, into the open transaction. On a replay clock all of them, so that a replay is the same every time. */
void policy_change_slice(struct writer *w);

#endif
