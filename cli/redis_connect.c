#include "redis_connect.h"

#include <stdlib.h>
#include <string.h>

static struct timeval timeout(void)
{
	return (struct timeval){ .tv_sec = REDIS_CONNECT_MS / 1000 };
}

static redisContext *connect_to(const char *address)
{
	const char *colon = strrchr(address, ':');
	char host[256];
	long port = colon ? strtol(colon + 1, NULL, 10) : 0;

	if (strncmp(address, "unix:", 5) == 0)
		return redisConnectUnixWithTimeout(address + 5, timeout());
	if (!colon)
		return redisConnectWithTimeout(address, 6379, timeout());
	snprintf(host, sizeof host, "%.*s", (int)(colon - address), address);
	return redisConnectWithTimeout(host, (int)port, timeout());
}

redisContext *redis_connect(const char *address, struct trouble *why)
{
	redisContext *context = connect_to(address);

	if (context && !context->err && redisSetTimeout(context, timeout()) == REDIS_OK)
		return context;
	trouble_set(why, EXIT_LOST, "cannot reach Redis at %.200s: %s", address,
	            context ? context->errstr : "no memory");
	if (context)
		redisFree(context);
	return NULL;
}
