/* writer: the thread that owns the casebook and the store. Only for engine/. */
#ifndef ENGINE_WRITER_H
#define ENGINE_WRITER_H

#include <stdatomic.h>

#include "base/queue.h"
#include "engine/engine.h"
#include "engine/newsroom.h"
#include "store/room.h"
#include "workflow/casebook.h"

/* Exit codes: sysexits' EX_TEMPFAIL, for a restart, and EX_CONFIG, for a person. */
#define WRITER_EXIT_UNKNOWN 75
#define WRITER_EXIT_DAMAGED 78
/* Facts written in one transaction before a long run of timers is committed in between. */
#define WRITER_FACTS_MOST 20000
#define WRITER_RETRY_MS 5000 /* what a client is told to wait when the disk is full */

/* How far the sweep is. The counts are for telling: any thread may read them. */
struct sweep {
	_Atomic _Bool running;
	int64_t day_end_ms; /* of the local day it was last begun or looked at; 0: not known yet */
	_Atomic int64_t visited, changed;
};

/* What one commit brings, and whom it answers. */
struct lot {
	struct command **commands; /* room for batch_most */
	size_t count;
	struct edition edition;
};

struct writer {
	const struct engine_options *options;
	const struct policy *policy; /* in force, held; taken over from the options at the start */
	_Atomic int64_t policy_from_ms;
	struct sweep sweep;
	struct queue *commands;
	struct store *store;
	struct casebook *book;
	struct facts facts;
	_Atomic int64_t now_ms; /* newest time handed to the workflow */
	_Atomic uint64_t batches;
	/* All three on the writer's thread. */
	void (*deliver)(void *ctx, struct command **commands, size_t count);
	void (*publish)(void *ctx, struct edition *news); /* it is on disk; empties the edition */
	void (*failed)(void *ctx, int exit_code);
	void *ctx;
	_Bool in_transaction;
	enum store_result trouble;   /* of the batch under way */
	int64_t written;             /* facts in the open transaction */
	struct lot lot;              /* under way */
	size_t decided, settled;     /* of them: judged, and of those on disk already */
	size_t expected;             /* who may well send again: those last answered and those who waited then */
	int64_t commit_us;           /* how long the last commit took */
	int hope;                    /* that those just answered will be back soon */
	int64_t forget_at_ms;        /* monotonic: when to look for evidence that no case has named */
	int64_t expire_at_ms;        /* of the workflow's time: when to look for personal fields whose time is over */
	int64_t timers_after_ms;     /* monotonic: not before this, after the disk was full */
	int64_t checkpoint_after_ms; /* the same for bringing the log home */
	struct room room;
};

/* Opens the store and recovers the casebook. false with *cause (heap). */
_Bool writer_open(struct writer *w, char **cause) MUST_USE;
/* The thread's body: until the queue is closed and empty, or the store fails. */
void writer_run(struct writer *w);
void writer_close(struct writer *w); /* safe twice */

/* ---- for the writer's other files, on its thread ---- */
/* The workflow's time: never runs backwards. */
int64_t writer_clock(struct writer *w);
/* Makes sure of an open transaction; w->trouble says whether there is one. */
void writer_begin(struct writer *w);
/* Applies and writes w->facts; nothing when they are empty. */
void writer_write(struct writer *w);
/* Commits what is open, or rolls it back; w->trouble says which. */
void writer_settle(struct writer *w);

#endif
