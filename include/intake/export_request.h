/* export_request: a copy of what is kept about one person, page by page (导出个人信息). A page has rows of one part, cases first
 * and the audit last, and as many as fit a frame; its cursor says where the next one goes on, so that nothing is held for it
 * here. The first page of a copy is a row of the audit; another's copy says what it is for. */
#ifndef INTAKE_EXPORT_REQUEST_H
#define INTAKE_EXPORT_REQUEST_H

#include "intake/session.h"

_Bool export_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);

#endif
