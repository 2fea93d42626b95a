/* policy_fit: whether a new policy can take over the open cases. What a sweep can put right by itself is no reason to
 * refuse it; what would leave a case without a way on is. */
#ifndef WORKFLOW_POLICY_FIT_H
#define WORKFLOW_POLICY_FIT_H

#include "base/settings.h"
#include "jurisdiction/policy.h"
#include "workflow/casebook.h"

/* Whether it can at now_ms. false: lines in *p, one for each thing that is missing, with how many cases need it and the numbers of the first.
 * Looks at every open case: a few tenths of a microsecond each. */
_Bool policy_fits_casebook(const struct casebook *b, const struct policy *policy, int64_t now_ms,
                           struct problems *p) MUST_USE;

#endif
