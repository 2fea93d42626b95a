/* rates: how fast anybody may ask: one bucket for each identity and one for each address, whoever logs in from there. A
 * bucket holds a minute's worth, so that an offline phone may empty its queue at once, and fills evenly. What is over is
 * refused with the time to wait and nothing is lost: the sender has it. Kept in a table of fixed size (base/slots.h); when many
 * ask at once it forgets those who have used least of theirs. For one thread. */
#ifndef INTAKE_RATES_H
#define INTAKE_RATES_H

#include <stdint.h>

#include "base/must.h"
#include "jurisdiction/config.h"
#include "jurisdiction/policy.h"
#include "net/peer.h"

/* Requests a minute; 0: any number. */
struct rate_limits {
	int64_t reporter; /* who only reports */
	int64_t staff;
	int64_t gateway; /* a platform, or a camera gateway: it speaks for many */
	int64_t address; /* everybody behind one address together; this machine's own are not counted */
};

#define RATES_KNOWN 65536 /* identities and addresses that are counted at once */

struct rates;

struct rates *rates_new(const struct rate_limits *limits) MUST_USE;
void rates_free(struct rates *r); /* NULL is fine */
void rates_set(struct rates *r, const struct rate_limits *limits);
/* Those of the configuration; none on a replay clock, whose minutes are not those of requests. */
struct rate_limits rate_limits_of(const struct config *c);
/* Takes `cost` requests of this person from the buckets, all or none. false: not now; *wait_ms says for how long. peer
 * NULL: not counted by address. now_ms is monotonic. */
_Bool rates_take(struct rates *r, const struct person *who, const struct peer *peer, int64_t cost, int64_t now_ms,
                 int64_t *wait_ms) MUST_USE;

#endif
