/* audit_request: the request for the audit's rows. Reading the audit is itself a row of it. */
#ifndef INTAKE_AUDIT_REQUEST_H
#define INTAKE_AUDIT_REQUEST_H

#include "intake/session.h"

_Bool audit_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);

#endif
