/* redis_connect: a Redis by the address that people write: "host:port", "host" or "unix:/path". */
#ifndef CLI_REDIS_CONNECT_H
#define CLI_REDIS_CONNECT_H

#include <hiredis/hiredis.h>

#include "trouble.h"

#define REDIS_CONNECT_MS 10000 /* also how long a reply may take */

/* NULL with *why. */
redisContext *redis_connect(const char *address, struct trouble *why) MUST_USE;

#endif
