/* logins: who logged in, was refused, or was cut off, for the audit (审计), so that neither a gateway that connects a thousand
 * times nor a flood of wrong logins makes a row each. The first of a kind for an identity is recorded at once; what
 * follows within LOGINS_SPAN_MS is counted and becomes one row when the span is over, or when the door stops. Whom the
 * policy does not know is one nameless identity, for what people type there may be anything, a password too. The table has
 * a fixed size; what finds no place in its corner is counted as nobody's in particular. So there are at most two rows a place
 * and span, whatever is tried. What was only counted when the power goes is lost.
 *
 * For the loop's thread. Times are monotonic. */
#ifndef INTAKE_LOGINS_H
#define INTAKE_LOGINS_H

#include <stdint.h>

#include "workflow/audit.h"

#define LOGINS_SPAN_MS (INT64_C(10) * 60 * 1000)
#define LOGINS_PLACES 1024

struct logins;

/* record: is called for each row to be; subject NULL: nobody known; count 0: one. channel is static. */
struct logins *logins_new(void (*record)(void *ctx, enum audited what, const char *subject, const char *channel,
                                         int64_t count),
                          void *ctx) MUST_USE;
void logins_free(struct logins *l); /* NULL is fine; records nothing */

/* who NULL: nobody whom the policy knows. */
void logins_note(struct logins *l, enum audited what, const char *who, const char *channel, int64_t now_ms);
/* Records what was counted in spans that are over. */
void logins_tick(struct logins *l, int64_t now_ms);
/* Records all that was counted. */
void logins_flush(struct logins *l);

#endif
