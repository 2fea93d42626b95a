/* What happens in a simulated street, and when: one heap of events, soonest first. */
#ifndef SIMULATE_SIM_EVENTS_H
#define SIMULATE_SIM_EVENTS_H

#include <stddef.h>
#include <stdint.h>

enum happening {
	HAPPENS_DAY,      /* midnight: the day's reports, alarms and errands are drawn */
	HAPPENS_REPORT,   /* somebody sees something */
	HAPPENS_ALARM,    /* a camera posts */
	HAPPENS_LOOK,     /* somebody takes a case up */
	HAPPENS_ERRAND,   /* points, notices, emergencies */
	HAPPENS_RELOAD,   /* another jurisdiction is loaded */
	HAPPENS_ARRIVAL,  /* a request reaches the daemon */
	HAPPENS_REPLY,    /* its answer reaches the sender */
	HAPPENS_RESEND,   /* the sender has waited long enough */
	HAPPENS_ASK_AGAIN /* answered long ago, and sent once more */
};

struct event {
	int64_t at_us;
	uint64_t order; /* of those at the same time, first come first */
	enum happening what;
	int64_t value;             /* a case, a camera's thread, a policy */
	uint32_t slot, generation; /* a request */
};

struct agenda {
	struct event *heap;
	size_t count, room;
	uint64_t order;
};

#endif
