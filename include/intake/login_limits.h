/* login_limits: how often somebody may guess. Wrong logins are counted for each pair of address and identity, and for each
 * address whoever it names; from a number on each further one makes the pair, or the address, wait, twice as long as the
 * one before up to the longest, and until then nothing it says is looked at. What is named need not exist: nothing here
 * knows who does. An identity that is made to wait at one address may log in at any other, or whoever knows a name could
 * keep its owner out.
 *
 * The table has a fixed size (base/slots.h). When there is no room, the oldest goes: who has that many addresses to guess
 * from is stopped by the 256 bits of a token, not by this. For the loop's thread. Times are monotonic. */
#ifndef INTAKE_LOGIN_LIMITS_H
#define INTAKE_LOGIN_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "net/peer.h"

#define LOGIN_LIMITS_PLACES 4096
#define LOGIN_FIRST_WAIT_MS 2000 /* a slip of the finger costs nobody a coffee */

struct login_limits_options {
	int64_t pair_most, address_most; /* wrong logins before the first wait; 0: no limit */
	int64_t lock_ms;                 /* the longest wait; after so long without another one all is forgotten */
};

struct login_limits;

struct login_limits *login_limits_new(const struct login_limits_options *o) MUST_USE;
void login_limits_free(struct login_limits *l); /* NULL is fine */
/* From now on. Counts stay; a wait that has begun ends after the new longest one, or at once when there is no limit. */
void login_limits_set(struct login_limits *l, const struct login_limits_options *o);

/* How long this one has to wait at this address; 0: not at all. who: bytes as they were sent. */
int64_t login_limits_wait(struct login_limits *l, struct peer at, const void *who, size_t length, int64_t now_ms);
/* It was wrong. The wait that this begins, 0: none. */
int64_t login_limits_failed(struct login_limits *l, struct peer at, const void *who, size_t length, int64_t now_ms);
/* It was right: what this identity got wrong at this address is forgotten; what others did there is not. */
void login_limits_succeeded(struct login_limits *l, struct peer at, const void *who, size_t length);

#endif
