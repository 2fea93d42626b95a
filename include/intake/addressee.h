/* addressee: the names a person answers to in notices: its id, its unit, and "role:<name>" for each of its roles. */
#ifndef INTAKE_ADDRESSEE_H
#define INTAKE_ADDRESSEE_H

#include "jurisdiction/policy.h"
#include "store/query.h"
#include "workflow/domain.h"

#define ADDRESSEE_ROLE_SIZE 32

struct addressees {
	const char *names[ROLE_BITS + 3]; /* ends with NULL; into the policy or roles */
	char roles[ROLE_BITS][ADDRESSEE_ROLE_SIZE];
};

/* out must not be moved afterwards. */
void addressees_of(const struct person *p, struct addressees *out);
/* What is owed to a role concerns only who has it where the case is. */
void addressees_to_filter(const struct addressees *a, const struct person *p, struct notice_filter *filter);

#endif
