/* redis: the door of rider platforms and camera gateways: two Redis streams read through a consumer group. An entry is
 * acknowledged to Redis only when what it asked for is committed; one that can never be carried out goes to the
 * dead-letter stream with its reason, and only then is acknowledged. Redis may be away: the daemon runs on, and what
 * was in the streams is read when it is back. Loop's thread only. */
#ifndef INTAKE_REDIS_H
#define INTAKE_REDIS_H

#include "base/must.h"
#include "engine/engine.h"
#include "intake/rates.h"
#include "jurisdiction/config.h"

struct event_base;
struct redis_door;

/* config->redis must be set: without it there is no such door. Also publishes the events stream. The config and engine
 * outlive the door. NULL with *cause (heap) when a setting cannot be. */
struct redis_door *redis_door_new(struct event_base *base, struct engine *engine, const struct config *config,
                                  char **cause) MUST_USE;
/* How fast gateways may go from now on. */
void redis_door_set_rates(struct redis_door *d, const struct rate_limits *limits);
/* Reads no more. What the engine has is still answered and acknowledged; the rest stays pending in Redis. */
void redis_door_stop(struct redis_door *d);
/* After redis_door_stop: nothing is under way any more, or Redis is away and could not be told. */
_Bool redis_door_idle(const struct redis_door *d);
/* When idle, or when the engine will not be drained any more. NULL is fine. */
void redis_door_free(struct redis_door *d);

#endif
