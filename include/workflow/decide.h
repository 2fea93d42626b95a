/* decide and apply: the whole workflow. decide judges: it reads the casebook, a command, the policy and the time, and
 * gives facts or a refusal that names its rule; it changes nothing. casebook_apply and case_apply obey: they read facts
 * and judge nothing. No clock, no socket, no SQL in here. */
#ifndef WORKFLOW_DECIDE_H
#define WORKFLOW_DECIDE_H

#include "jurisdiction/policy.h"
#include "workflow/casebook.h"
#include "workflow/command.h"
#include "workflow/facts.h"

/* Judges c at now_ms. prior: the stored answer of c's key when the store was asked for it, else NULL. Fills out (cleared
 * first) and c->outcome. true: accepted; out may then be empty (the same key again: nothing new). COMMAND_CLOCK is the
 * writer's own and not for decide. */
_Bool decide(const struct casebook *b, const struct policy *p, struct command *c, int64_t now_ms,
             const struct key_fact *prior, struct facts *out);

/* Judges a timer that has run out (t->at_ms ≤ now_ms), as decide does a command from "system". Always gives facts. */
void decide_timer(const struct casebook *b, const struct policy *p, const struct timer *t, int64_t now_ms,
                  struct facts *out);

/* One fact onto one case: the single definition of what each act does to a case. book interns texts. Replaying a case's
 * facts from an empty case_file through this gives its state (verify does). */
void case_apply(const struct casebook *b, struct case_file *c, const struct fact *f);

/* The timer that this case waits for next; at_ms 0 when none. */
struct timer case_next_timer(const struct case_file *c);

#endif
