/* subscribe: pushes. News only says that something new is there; what it is each subscription asks the rows for, from its
 * own cursor upwards, a page at a time and one question at once. So a connection misses nothing and gets nothing twice,
 * and one that reads slowly costs nothing but its cursor. */
#ifndef INTAKE_SUBSCRIBE_H
#define INTAKE_SUBSCRIBE_H

#include "intake/session.h"

#define SUBSCRIBE_PAGE 50      /* rows a question */
#define SUBSCRIBE_GATHER_MS 20 /* news is gathered so long, so that a storm is not asked for row by row */

struct subscribers *subscribers_new(struct tcp_door *d) MUST_USE;
void subscribers_free(struct subscribers *all); /* NULL is fine; subscriptions have ended before */
void subscribers_stop(struct subscribers *all); /* no further questions */
/* The newest notice anybody was owed, as far as is known. */
int64_t subscribers_last_notice(const struct subscribers *all);
void subscribers_hear(struct subscribers *all, const struct news *n);

/* The Subscribe request: sends a question off for where the newest rows are, or fills *why. */
_Bool subscribe_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why);
/* The session's person is another row, perhaps with other rights: what is no longer allowed ends with a refusal. */
void subscription_change_person(struct session *s);
/* The connection is gone, or has room again. */
void subscription_end(struct session *s);
void subscription_go_on(struct session *s);

#endif
