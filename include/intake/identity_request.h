/* identity_request: the requests that give out, renew, revoke and list credentials. What they may do is the workflow's to
 * judge (workflow/identity.c); here tokens are made, and shown once. */
#ifndef INTAKE_IDENTITY_REQUEST_H
#define INTAKE_IDENTITY_REQUEST_H

#include "intake/session.h"

_Bool identity_issue_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);
_Bool identity_rotate_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);
_Bool identity_revoke_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);
_Bool identity_list_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);

/* May come before a login, from who rules this machine. */
_Bool identity_first_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);

#endif
