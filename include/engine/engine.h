/* engine: the two kinds of threads behind the loop. The writer owns the casebook and the store: it takes whatever
 * commands have queued up, decides them, writes their facts in one transaction, and only after the commit hands them
 * back. The readers run queries on read-only connections. The loop gives and takes through bounded queues and one
 * eventfd; every function here is for the loop's thread unless it says otherwise. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdint.h>

#include "base/clock.h"
#include "engine/changes.h"
#include "jurisdiction/policy.h"
#include "store/evidence.h"
#include "store/query.h"
#include "store/store.h"
#include "workflow/command.h"

/* Where another policy comes from when somebody asks (engine/reload.h). */
struct reload_hooks {
	/* On the loader's thread: the policy, or NULL with lines in *p. */
	const struct policy *(*load)(void *ctx, struct problems *p);
	/* On the loop, may be NULL: before each load, and when it has ended; taken: no refusal. */
	void (*began)(void *ctx);
	void (*ended)(void *ctx, struct problems *p, _Bool taken);
	void *ctx;
};

struct engine_options {
	struct store_options store;
	const struct policy *policy; /* to begin with; the engine holds it for as long as it needs it */
	struct clock clock;
	_Bool replay_clock; /* time moves only by replay_at_ms and COMMAND_CLOCK */
	int shard;
	int64_t queue_most;   /* commands waiting; full: doors stop reading */
	int64_t batch_most;   /* commands in one transaction */
	int readers;          /* threads */
	int64_t queries_most; /* queries waiting */
	struct reload_hooks reload;
	const char *evidence; /* folder of evidence; NULL: none is taken */
	struct evidence_limits evidence_limits;
	int64_t file_jobs_most; /* pieces of work on it waiting */
};

/* What a commit brought, for whoever pushes it onwards. */
struct news {
	int64_t last_event, last_notice; /* newest ids now on disk */
	const char *const *notice_to;    /* addressees of new notices, may repeat */
	size_t notice_to_count;
	_Bool everybody; /* more addressees than were kept: every subscriber should look */
};

/* A question for a reader: embed it as the first member of the door's own struct. */
struct query {
	void (*run)(struct query *q, struct reader *r, int64_t now_ms); /* on a reader's thread */
	void (*done)(struct query *q);                                  /* on the loop; owns q from there */
};

/* A piece of work on evidence: embed it as the first member of the door's own struct. There is one thread for them, and
 * whoever has a long one takes turns with the others. */
struct file_job {
	/* On the evidence thread. true: not done yet, call again when the others had their turn. */
	_Bool (*run)(struct file_job *j, struct evidence *e, struct reader *r, int64_t now_ms);
	void (*done)(struct file_job *j); /* on the loop; owns j from there */
};

/* Opens the store, recovers the casebook, starts the threads. NULL with *cause (heap). */
struct engine *engine_new(const struct engine_options *o, char **cause) MUST_USE;
/* Lets the writer finish what has queued up, ends the threads, closes the store. Answers not yet delivered are freed
 * without their doors being called, so doors drain first: engine_idle. */
void engine_free(struct engine *e);

/* false: the queue is full (stop reading; on_space will be called) or the engine is stopping. On true it owns c. */
_Bool engine_submit(struct engine *e, struct command *c) MUST_USE;
_Bool engine_query(struct engine *e, struct query *q) MUST_USE;
/* false: too many wait, or there is no evidence folder. */
_Bool engine_file(struct engine *e, struct file_job *j) MUST_USE;

/* Readable when answers or news wait; engine_drain then calls command origins, query dones and news listeners. */
int engine_fd(const struct engine *e);
void engine_drain(struct engine *e);
/* No command, query or work on evidence is under way. */
_Bool engine_idle(const struct engine *e);

#define ENGINE_LISTENERS_MOST 8
void engine_on_news(struct engine *e, void (*listen)(void *ctx, const struct news *n), void *ctx);
/* Called after a refused submit once the queue is half empty again. */
void engine_on_space(struct engine *e, void (*space)(void *ctx), void *ctx);
/* Called once when the writer ended because a commit's fate is unknown or the database is damaged: exit with the code. */
void engine_on_failure(struct engine *e, void (*fail)(void *ctx, int exit_code), void *ctx);

/* The daemon's time now: the clock's, or the replay clock's. Any thread. */
int64_t engine_now_ms(const struct engine *e);
/* Milliseconds that only ever grow, for spans. Any thread. */
int64_t engine_mono_ms(const struct engine *e);
/* Batches the writer has finished; one a second even when nothing is to be done. Any thread. */
uint64_t engine_progress(const struct engine *e);
struct engine_pulse {
	uint64_t batches, answers;
};
/* Since the last look (zeroed: none) the writer has finished a batch and, if anybody waits, somebody was answered. */
_Bool engine_has_moved(const struct engine *e, struct engine_pulse *last);

const char *engine_evidence(const struct engine *e); /* the folder; NULL: none. Any thread. */

#endif
