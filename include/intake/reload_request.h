/* reload_request: who runs the daemon asks which policy is in force, and for the files to be loaded anew. */
#ifndef INTAKE_RELOAD_REQUEST_H
#define INTAKE_RELOAD_REQUEST_H

#include "intake/session.h"

_Bool reload_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why) MUST_USE;
_Bool policy_state_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why) MUST_USE;

#endif
