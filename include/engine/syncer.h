/* syncer: the thread that waits for the disk. On a fast disk a commit is half work and half waiting; the writer hands
 * what it has written to the system, gives the lot to the syncer and goes on deciding, while the syncer waits until it is
 * on disk and only then answers. Nothing is told to anybody before that: readers, who can see what the writer has
 * written, hold their replies until it is. Only for engine/. */
#ifndef ENGINE_SYNCER_H
#define ENGINE_SYNCER_H

#include "engine/newsroom.h"
#include "store/store.h"
#include "workflow/command.h"

/* What one commit brought, and whom it answers. */
struct lot {
	struct command **commands; /* room for batch_most */
	size_t count;
	struct edition edition;
};

struct syncer_hooks {
	/* On disk: publish the edition, answer the commands. On the syncer's thread. */
	void (*done)(void *ctx, struct lot *lot);
	/* A sync failed; the lots since then stay unanswered. Once, on the syncer's thread. */
	void (*failed)(void *ctx);
	void *ctx;
};

struct syncer;

/* Lots in all: one being filled, one being synced, one waiting between. */
#define SYNCER_LOTS 3

/* NULL when the thread cannot be started. store outlives it. */
struct syncer *syncer_new(struct store *store, size_t batch_most, const struct syncer_hooks *hooks) MUST_USE;
/* Waits for what was given. Lots that the writer still holds must have been returned. NULL is fine. */
void syncer_free(struct syncer *s);

/* ---- the writer's side ---- */
/* An empty lot; waits for one while the disk is behind. */
struct lot *syncer_lot(struct syncer *s) MUST_USE;
/* An emptied lot that was not given away. */
void syncer_return(struct syncer *s, struct lot *lot);
/* Before a commit whose sync is left to the syncer: from here on readers may see it. */
void syncer_announce(struct syncer *s);
/* What was announced is committed to the log: the syncer owns the lot now. */
void syncer_give(struct syncer *s, struct lot *lot);
/* What was announced did not come to be. */
void syncer_withdraw(struct syncer *s);
/* Waits until everything given is on disk. false: a sync failed. */
_Bool syncer_wait(struct syncer *s) MUST_USE;
/* How long the last sync took, in microseconds. */
int64_t syncer_took_us(const struct syncer *s);

/* ---- the readers' side ---- */
/* Waits until whatever was announced so far is on disk. After a failed sync at once: the process is about to end. */
void syncer_fence(struct syncer *s);

#endif
