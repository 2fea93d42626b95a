/* replay_redis: reports by way of the Redis stream, as a rider platform sends them. */
#ifndef CLI_REPLAY_REDIS_H
#define CLI_REPLAY_REDIS_H

#include "replay_lane.h"

#define REPLAY_STREAM "gridloop:reports"

struct replay_redis;

/* "host:port" or "unix:/path". NULL with *why. */
struct replay_redis *replay_redis_open(const char *address, struct trouble *why) MUST_USE;
void replay_redis_close(struct replay_redis *r); /* NULL is fine */

/* Adds the reports among the waiting ops and returns when the daemon's consumer group has taken and acknowledged all of
 * them, which it does only once they are on disk. The ops keep waiting: asking over TCP with the same keys tells their
 * case numbers. */
_Bool replay_redis_send(struct replay_redis *r, const struct replay_file *f, const struct login *as,
                        const struct replay_op *ops, size_t count, struct trouble *why) MUST_USE;

#endif
