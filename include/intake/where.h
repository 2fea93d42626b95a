/* where: who is responsible at a place, level by level: a question that only the policy is asked. */
#ifndef INTAKE_WHERE_H
#define INTAKE_WHERE_H

#include "intake/session.h"

/* Sends the question off and returns true, or fills *why. */
_Bool where_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);

#endif
