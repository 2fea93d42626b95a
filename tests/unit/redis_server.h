/* redis_server: a real redis-server for a test, on a Unix socket in a folder of its own, keeping what it acknowledged. */
#ifndef TESTS_REDIS_SERVER_H
#define TESTS_REDIS_SERVER_H

#include <hiredis/hiredis.h>
#include <sys/types.h>

struct redis_server {
	char folder[128], socket[160];
	pid_t pid;
	redisContext *context; /* for the test's own commands */
};

/* false: there is no redis-server here. */
_Bool redis_server_make(struct redis_server *s);
void redis_server_start(struct redis_server *s);
void redis_server_kill(struct redis_server *s); /* as a power cut of the process would */
void redis_server_drop(struct redis_server *s);
/* The reply, to be freed; never NULL and never an error. */
redisReply *redis_server_ask(struct redis_server *s, const char *format, ...);
/* The same for an integer. */
long long redis_server_count(struct redis_server *s, const char *format, ...);

#endif
