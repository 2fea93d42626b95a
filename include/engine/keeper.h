/* keeper: the thread that owns the evidence folder, with a read-only connection of its own to look rows up. Only for
 * engine/. */
#ifndef ENGINE_KEEPER_H
#define ENGINE_KEEPER_H

#include "base/queue.h"
#include "engine/engine.h"
#include "engine/readers.h"

struct keeper;

#define KEEPER_SWEEP_MS 30000 /* between two small steps of looking for what nobody needs any more */

/* A thread that takes struct file_job from `asked` and pushes them to `answered`. NULL with *cause (heap). */
struct keeper *keeper_new(const struct engine_options *o, struct queue *asked, struct queue *answered,
                          const struct reader_hooks *hooks, char **cause) MUST_USE;
/* The asking queue must be closed. Joins. NULL is fine. */
void keeper_free(struct keeper *k);

#endif
