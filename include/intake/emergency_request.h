/* emergency_request: supervisors declare and lift emergencies; the staff ask which there are. */
#ifndef INTAKE_EMERGENCY_REQUEST_H
#define INTAKE_EMERGENCY_REQUEST_H

#include "intake/session.h"

_Bool emergency_declare_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why) MUST_USE;
_Bool emergency_lift_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why) MUST_USE;
_Bool emergency_list_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why) MUST_USE;

#endif
