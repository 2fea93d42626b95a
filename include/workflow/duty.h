/* duty: whom a case's grid has, now, for what a person must do. Only for workflow/; who holds which post is
 * jurisdiction/posts.h. */
#ifndef WORKFLOW_DUTY_H
#define WORKFLOW_DUTY_H

#include "workflow/decision.h"

/* The first in the order of duty who may work on this case: a worker who did not report it. NULL: nobody. */
const struct person *duty_worker(const struct decision *d, const struct case_file *c);
/* Person id of who has the duty at this level of the case's areas, or above it; NULL: nobody. */
const char *duty_at(const struct decision *d, const struct case_file *c, enum level level);
/* Whether the person has a duty at the deepest level of the case's areas that has anybody. */
_Bool duty_is_held_by(const struct decision *d, const struct case_file *c, const char *person);

#endif
