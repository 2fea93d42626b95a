/* rights: who may see what. Staff see their area; a reporter sees its own; a gateway what its reporters sent. */
#ifndef INTAKE_RIGHTS_H
#define INTAKE_RIGHTS_H

#include <stdint.h>

#include "base/refusal.h"
#include "jurisdiction/policy.h"
#include "workflow/case_file.h"

/* Every role but those of who only reports, and of who gives out the keys and need not read the mail. */
#define RIGHTS_STAFF (~(unsigned)(ROLE_REPORTER | ROLE_GATEWAY | ROLE_CAMERAS | ROLE_ADMINISTRATOR))

_Bool rights_is_staff(const struct person *p);
/* Its own account, or for a gateway one of its reporters': "<gateway>/…". NULL is nobody's. */
_Bool rights_owns(const struct person *p, const char *account);
_Bool rights_may_see(const struct person *p, const struct case_file *c);
/* Narrows the area asked for (0: none given) to the person's own; false when it lies outside. Whose area holds every grid
 * there is has all, with what is still to be located. */
_Bool rights_stay_in_area(const struct policy *policy, const struct person *p, int64_t *area,
                          struct refusal *why) MUST_USE;

#endif
