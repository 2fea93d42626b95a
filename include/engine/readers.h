/* readers: threads that run queries, each on its own read-only connection. Only for engine/. */
#ifndef ENGINE_READERS_H
#define ENGINE_READERS_H

#include "base/queue.h"
#include "engine/engine.h"

struct readers;

/* On the readers' threads. */
struct reader_hooks {
	int64_t (*now)(void *ctx);
	void *ctx;
};

/* Threads that take struct query from `asked`, run them at now(ctx) and push them to `answered`. NULL with *cause (heap). */
struct readers *readers_new(const char *path, int threads, struct queue *asked, struct queue *answered,
                            const struct reader_hooks *hooks, char **cause) MUST_USE;
/* The asking queue must be closed. Joins. NULL is fine. */
void readers_free(struct readers *r);

#endif
