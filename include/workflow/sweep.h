/* sweep: what concerns every open case at once. After the policy has changed, or after facts that say so (facts.sweep),
 * the writer visits each open case, a few between batches, and the judges say what is due for it by itself.
 *
 * A judge is a system act of the transition table: its guard says whether it is due, by the case, the policy in force and
 * the time, and never by the policy before. What it does must make its guard false. So a sweep can be cut off anywhere
 * and begun anew, and doing it twice does nothing the second time. */
#ifndef WORKFLOW_SWEEP_H
#define WORKFLOW_SWEEP_H

#include <stddef.h>

#include "workflow/decide.h"

/* Judges one open case; fills out (cleared first). true: something is due. */
_Bool decide_sweep(const struct casebook *b, const struct policy *p, int64_t case_id, int64_t now_ms,
                   struct facts *out);

#endif
