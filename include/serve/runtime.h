/* runtime: the daemon's parts put together on one event loop, and its modes: serving, draining, over. The first SIGTERM
 * or SIGINT drains (no new requests, every answer still goes out), the second ends at once. */
#ifndef SERVE_RUNTIME_H
#define SERVE_RUNTIME_H

#include "serve/options.h"

struct runtime;

/* What concerns the whole process: descriptors, signals, where logs go. Once, before any thread. */
void runtime_prepare_process(const struct config *c);

/* Opens the database, starts the threads, opens the doors. NULL after a line in the log, with *status to exit with. The
 * options outlive it. */
struct runtime *runtime_new(const struct options *o, int *status) MUST_USE;
/* Runs until told to end; what to exit with. */
int runtime_run(struct runtime *r);
void runtime_free(struct runtime *r); /* NULL is fine */

#endif
