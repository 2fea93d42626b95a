/* events: what happened to cases, published to a Redis stream, so that a platform learns what became of its reports.
 * Each row of case_event becomes one stream entry with the explicit id "<event id>-0": Redis itself refuses what it
 * already has, so publishing again is harmless and the stream's own last id is the only cursor there is. Rows go out in
 * order, at most EVENTS_WINDOW under way, each window in one MULTI/EXEC so that a refused row cannot leave a gap behind
 * which later ones pass. Loop's thread only. */
#ifndef OUTBOX_EVENTS_H
#define OUTBOX_EVENTS_H

#include <stdint.h>

#include "base/must.h"
#include "engine/engine.h"
#include "outbox/redis_link.h"

#define EVENTS_WINDOW 100
/* About how many the stream keeps. When its key is gone, or the database is older than the stream, so many of the
 * newest are published. */
#define EVENTS_KEPT 100000

struct events;

/* link and engine outlive it; it listens to the engine's news for the engine's life. */
struct events *events_new(struct event_base *base, struct engine *engine, struct redis_link *link,
                          const char *stream) MUST_USE;
/* After the engine has ended or will not be drained any more. NULL is fine. */
void events_free(struct events *e);
/* Publishes no more than the window under way; the next start goes on from there. */
void events_stop(struct events *e);
/* The owner of the link says so: finds out what the stream has and goes on from there. */
void events_up(struct events *e);
void events_down(struct events *e);

#endif
