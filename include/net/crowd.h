/* crowd: how many connections each address has, how many of them have not said yet who they are, and how fast it makes
 * new ones, so that no single one can take all the places or all the time for handshakes. Peers of this machine are not
 * counted: whoever can open a thousand sockets here needs none to do harm, and gateways and proxies stand here.
 *
 * An address is kept only while it has a connection; its pace is counted in a table of fixed size (base/slots.h).
 * One thread. Time is monotonic milliseconds. */
#ifndef NET_CROWD_H
#define NET_CROWD_H

#include <stdint.h>

#include "base/must.h"
#include "net/peer.h"

struct crowd_limits {
	int64_t connections_most; /* of one address */
	int64_t strangers_most;   /* of these, such as have not logged in */
	int64_t per_second_most;  /* new ones of one address in a second */
};

struct crowd;
struct crowd_address;

struct crowd *crowd_new(const struct crowd_limits *limits) MUST_USE;
void crowd_free(struct crowd *c); /* everybody has left; NULL is fine */
/* For those who come from now on. */
void crowd_set_limits(struct crowd *c, const struct crowd_limits *limits);

/* A new connection, of one who is a stranger so far. NULL: it is one too many and has to go; that is counted, and logged
 * once a minute at most. */
struct crowd_address *crowd_enter(struct crowd *c, struct peer p, int64_t now_ms) MUST_USE;
/* One of its strangers has logged in. */
void crowd_greet(struct crowd *c, struct crowd_address *a);
/* One of its connections has ended. */
void crowd_leave(struct crowd *c, struct crowd_address *a, _Bool stranger);

/* Since the start. */
int64_t crowd_turned_away(const struct crowd *c);
/* Addresses that have a connection now. */
int64_t crowd_addresses(const struct crowd *c);

#endif
