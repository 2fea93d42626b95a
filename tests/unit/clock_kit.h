/* clock_kit: a jurisdiction whose people never rest, so that a test that is not about the calendar can read its limits by
 * the clock. */
#ifndef TESTS_CLOCK_KIT_H
#define TESTS_CLOCK_KIT_H

#include "jurisdiction/policy.h"

/* Every hour of every day is worked from now on. */
void clock_kit_no_rest(struct policy *p);

#endif
