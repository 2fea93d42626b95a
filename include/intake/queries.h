/* queries: requests that only read. Each becomes a question for a reader's thread, which finds the rows and packs the
 * reply there, so that the loop only copies bytes. What a person may see is settled before the question goes off. */
#ifndef INTAKE_QUERIES_H
#define INTAKE_QUERIES_H

#include "intake/session.h"

/* Each sends the question off and returns true, or fills *why. */
_Bool query_get_case(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);
_Bool query_list_cases(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);
_Bool query_get_points(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);
_Bool query_get_stats(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);
_Bool query_list_notices(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);

#endif
