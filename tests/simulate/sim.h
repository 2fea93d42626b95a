/* sim: a street's life on one thread. The real writer, workflow and store run on a disk in memory (tests/fault/disk.h); time, the
 * network, Redis, the people and every fault are made here from one seed, so that the same seed gives the same life to the
 * last event. The writer's own loop is the main loop: whenever it would wait, here time goes on and the world comes by
 * (sim_turns.c stands in for its queue). */
#ifndef SIMULATE_SIM_H
#define SIMULATE_SIM_H

#include "../fault/dice.h"
#include "base/digest.h"
#include "engine/writer.h"
#include "sim_events.h"

#define SIM_BEGIN_MS INT64_C(1767196800000) /* 2026-01-01 00:00 in China; the sample calendar knows that year */
#define SIM_POLICIES 4

/* What somebody wants of the daemon, until he has been answered. */
struct request {
	struct command *wish; /* copied for each sending; NULL: the slot is free */
	uint32_t generation;
	int sends;
	_Bool by_stream; /* an entry of Redis's stream: stays pending until it is acknowledged there */
	_Bool was_read;  /* and the daemon has taken it once */
	_Bool answered, retry;
	_Bool was_told; /* that it was accepted, and as what: */
	int64_t case_id, balance;
};

/* A key of which the daemon has said that it was accepted. */
struct promise {
	struct uuid key;
	int64_t case_id;
};

struct tally {
	int64_t commands, accepted, refused, again, reports, acknowledged, facts, archived;
	int64_t crashes, cuts, kills, errors, full, reloads, recoveries, verified;
	int64_t lost, doubled, broken; /* broken: invariants */
	uint64_t trace;                /* of everything that was decided */
	char first[240];               /* complaint */
};

/* A fault built in on purpose. */
enum planted { PLANTED_NONE, PLANTED_ROW, PLANTED_WHO, PLANTED_GUARD, PLANTED_EARLY_ACK, PLANTED_TIMER, PLANTED_COUNT };

struct queue {
	struct command **items;
	size_t count, room;
	_Bool closed;
};

struct sim {
	struct dice dice;
	struct agenda agenda;
	int64_t now_us, end_us;
	int64_t wall_off_ms; /* the machine's clock is this wrong */
	const struct policy *policies[SIM_POLICIES];
	struct engine_options options;
	struct writer writer;
	struct queue queue;
	_Bool up; /* the daemon */
	_Bool over;
	struct request *requests;
	size_t request_count, request_room;
	struct promise *promises;
	size_t promise_count, promise_room;
	int64_t promised_event; /* newest event told to anybody */
	struct digester *digester;
	struct problems problems; /* of the reload under way */
	int reports_a_day;
	int64_t fault_operations; /* of the disk, between two faults on average */
	char path[160];           /* of the database, on that disk; the lock beside it is a real file */
	uint64_t keys;
	enum planted planted;
	_Bool open_late;       /* PLANTED_EARLY_ACK: a transaction that was called committed is open */
	int64_t opened, ended; /* cases since the last recovery, and then */
	struct tally *tally;
};

/* The life under way, for the hooks that are given no context. */
extern struct sim *sim;

/* Counts a broken invariant; the first is kept in words. */
void sim_complain(const char *format, ...) PRINTF_LIKE(1, 2);
int64_t sim_wall_ms(void);
void sim_plan(struct event e, int64_t in_us);
static inline uint64_t sim_below(uint64_t count)
{
	return dice_below(&sim->dice, count);
}
static inline _Bool sim_percent(unsigned percent)
{
	return dice_percent(&sim->dice, percent);
}

/* sim_life.c: one life from its first day to its last proof. */
void life_live(uint64_t seed, int days);
void life_day(void);

#endif
