#include "redis_server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"

#define START_TRIES 1000
#define TRY_NS 10000000

static void nap(void)
{
	(void)nanosleep(&(struct timespec){ .tv_nsec = TRY_NS }, NULL);
}

_Bool redis_server_make(struct redis_server *s)
{
	const char *top = getenv("TMPDIR");

	*s = (struct redis_server){ .pid = -1 };
	(void)signal(SIGPIPE, SIG_IGN); /* as the daemon does: hiredis writes to sockets that are gone */
	if (access("/usr/bin/redis-server", X_OK) != 0)
		return 0;
	(void)snprintf(s->folder, sizeof s->folder, "%.90s/gridloop-redis-XXXXXX", top ? top : "/tmp");
	must(mkdtemp(s->folder) != NULL);
	(void)snprintf(s->socket, sizeof s->socket, "%s/redis.sock", s->folder);
	return 1;
}

static void run_server(const struct redis_server *s)
{
	int nowhere = open("/dev/null", O_RDWR);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(nowhere, STDOUT_FILENO);
	(void)execl("/usr/bin/redis-server", "redis-server", "--port", "0", "--unixsocket", s->socket, "--dir",
	            s->folder, "--appendonly", "yes", "--appendfsync", "always", "--save", "", (char *)NULL);
	_exit(127);
}

static _Bool answers(struct redis_server *s)
{
	redisReply *reply;
	_Bool is_pong;

	s->context = redisConnectUnix(s->socket);
	reply = s->context != NULL && s->context->err == 0 ? redisCommand(s->context, "PING") : NULL;
	is_pong = reply != NULL && reply->type == REDIS_REPLY_STATUS;
	if (reply != NULL)
		freeReplyObject(reply);
	if (!is_pong && s->context != NULL) {
		redisFree(s->context);
		s->context = NULL;
	}
	return is_pong;
}

void redis_server_start(struct redis_server *s)
{
	s->pid = fork();
	must(s->pid >= 0);
	if (s->pid == 0)
		run_server(s);
	for (int i = 0; i < START_TRIES; i++) {
		if (answers(s))
			return;
		nap();
	}
	must(!"redis-server answers");
}

void redis_server_kill(struct redis_server *s)
{
	if (s->context != NULL)
		redisFree(s->context);
	s->context = NULL;
	if (s->pid <= 0)
		return;
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
	s->pid = -1;
}

void redis_server_drop(struct redis_server *s)
{
	char command[256];

	redis_server_kill(s);
	if (s->folder[0] == '\0')
		return;
	(void)snprintf(command, sizeof command, "rm -rf '%s'", s->folder);
	must(system(command) == 0);
	s->folder[0] = '\0';
}

static redisReply *ask(struct redis_server *s, const char *format, va_list args)
{
	redisReply *reply = redisvCommand(s->context, format, args);

	must(reply != NULL);
	if (reply->type == REDIS_REPLY_ERROR)
		(void)fprintf(stderr, "%s: %s\n", format, reply->str);
	must(reply->type != REDIS_REPLY_ERROR);
	return reply;
}

redisReply *redis_server_ask(struct redis_server *s, const char *format, ...)
{
	va_list args;
	redisReply *reply;

	va_start(args, format);
	reply = ask(s, format, args);
	va_end(args);
	return reply;
}

long long redis_server_count(struct redis_server *s, const char *format, ...)
{
	va_list args;
	redisReply *reply;
	long long count;

	va_start(args, format);
	reply = ask(s, format, args);
	va_end(args);
	must(reply->type == REDIS_REPLY_INTEGER);
	count = reply->integer;
	freeReplyObject(reply);
	return count;
}
