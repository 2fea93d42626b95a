/* tcp: the door for phones and the command line: a listener and a session for each connection. Everything on the loop's
 * thread. Commands go to the engine in the order of their arrival; when its queue is full the door stops reading. */
#ifndef INTAKE_TCP_H
#define INTAKE_TCP_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"
#include "intake/rates.h"
#include "intake/login_limits.h"
#include "net/crowd.h"

struct tcp_door;
struct tls_server;

struct tcp_door_options {
	const char *const *addresses; /* host:port; those for TLS behind the plain ones */
	size_t address_count;
	const int *fds; /* listening sockets to take over instead, in the same order */
	size_t fd_count;
	size_t plain_count;     /* of either, how many are plain */
	struct tls_server *tls; /* the door's from here on; NULL: none are for TLS */
	int64_t connections_most;
	struct crowd_limits crowd; /* of one address beyond this machine */
	int64_t frame_most;        /* bytes of one frame's body */
	int64_t inflight_most;     /* requests of one connection under way */
	int64_t output_most;       /* bytes waiting for one connection; beyond that it is cut */
	int64_t login_ms;          /* to log in */
	int64_t idle_ms;           /* without a byte either way */
	_Bool replay_clock;
	struct rate_limits rates;
	struct login_limits_options login_limits;
};

struct tcp_door_counts {
	int64_t login_failures, login_waits;                 /* wrong logins; those that began a wait */
	int64_t connections, accepted, frames, refused, cut; /* connections now; the others since the start */
};

/* NULL with *cause (heap). The engine outlives the door's last answer, so: stop, wait for idle, free the engine, free the
 * door. */
struct tcp_door *tcp_door_new(struct event_base *base, struct engine *e, const struct tcp_door_options *o,
                              char **cause) MUST_USE;
void tcp_door_free(struct tcp_door *d); /* NULL is fine */
/* No new connections, no further requests; answers still go out. Safe twice. */
void tcp_door_stop(struct tcp_door *d);
/* For connections that come from now on. */
void tcp_door_set_patience(struct tcp_door *d, int64_t login_ms, int64_t idle_ms);
/* From now on, whatever was used so far. */
void tcp_door_set_rates(struct tcp_door *d, const struct rate_limits *limits);
/* Likewise. */
void tcp_door_set_login_limits(struct tcp_door *d, const struct login_limits_options *limits);
/* Likewise. */
void tcp_door_set_crowd(struct tcp_door *d, const struct crowd_limits *limits);
/* Likewise; the door's from here on. Nothing happens when none of its sockets are for TLS. */
void tcp_door_set_tls(struct tcp_door *d, struct tls_server *tls);
/* Every answer has left. */
_Bool tcp_door_idle(const struct tcp_door *d);
/* Of the i-th socket; 0 past the end. */
int tcp_door_port(const struct tcp_door *d, size_t i);
void tcp_door_counts(const struct tcp_door *d, struct tcp_door_counts *out);

#endif
