/* swarm: many connections to one server, each with a bounded number of requests in flight, on one thread.
 *
 * Closed loop (rate 0): each answer lets the next request go, so the server sets the pace. Open loop: requests leave by a
 * schedule whatever the server does, as far as connections × depth allows, and a late one is measured from when it should
 * have left. */
#ifndef BENCH_SWARM_H
#define BENCH_SWARM_H

#include <stdint.h>

#include "histogram.h"
#include "wire.h"

#define SWARM_CONNECTIONS_MOST 16384
#define SWARM_DEPTH_MOST 1024
#define SWARM_SILENCE_S 10 /* no answer on any connection for this long: the run has failed */

struct swarm_options {
	const struct wire *wire;
	struct wire_options wire_options;
	const char *host; /* an IPv4 address */
	int port;
	int connections, depth;
	int64_t rate; /* requests a second over all; 0: closed loop */
	double warm_s, seconds;
};

struct swarm_result {
	uint64_t answers;  /* within the measured seconds */
	uint64_t all;      /* with those while warming up */
	double seconds;    /* measured */
	double core_share; /* processor time of this process within them, 1.0 being one core */
	size_t payload, request_bytes;
	struct histogram latency;
};

/* Connects, logs in, warms up, measures, hangs up. false with why when a connection cannot be made, a request is refused
 * or the server falls silent. */
_Bool swarm_run(const struct swarm_options *o, struct swarm_result *out, char *why, size_t room);

#endif
