#include "outbox/redis_link.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <event2/util.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <hiredis/adapters/libevent.h>
#include <hiredis/sds.h>

#include "base/log.h"
#include "base/text.h"

#define CAUSE_MOST 160
#define HOST_MOST 64
#define UNIX_PREFIX "unix:"

enum link_state {
	LINK_DOWN,       /* the timer is the pause before the next attempt */
	LINK_CONNECTING, /* … the deadline of the attempt */
	LINK_CONNECTED,  /* … zero: hiredis must be out of its connect callback before anything is done */
	LINK_GREETING,   /* … the deadline of the oldest command */
	LINK_UP,         /* … likewise */
	LINK_BROKEN      /* … zero: to be torn down outside of every callback of hiredis */
};

/* What the log was last told. */
enum link_said { SAID_NOTHING, SAID_UP, SAID_DOWN };

struct sent {
	struct redis_link *link;
	redis_answer *answer;
	void *ctx;
	int64_t deadline_ms;
	STAILQ_ENTRY(sent) next;
};
STAILQ_HEAD(sent_list, sent);

struct redis_link {
	struct redis_link_options options;
	char *where, *password, *name;
	char host[HOST_MOST]; /* empty: where is a socket's path */
	int port;
	redisAsyncContext *context;
	enum link_state state;
	enum link_said said;
	_Bool announced; /* the owner was told that it is up */
	struct event *timer;
	int64_t pause_ms;
	char cause[CAUSE_MOST];
	struct sent_list sent; /* in the order the server will answer */
};

/* Stands before hiredis's own, which it calls for a new output buffer after each write and then measures without a look:
 * with no memory left that would be a crash instead of an end with a line. */
sds sdsempty(void)
{
	sds empty = sdsnewlen("", 0);

	if (empty == NULL)
		must_out_of_memory(1, 0);
	return empty;
}

static void arm(struct redis_link *l, int64_t ms)
{
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

	event_add(l->timer, &wait);
}

/* The oldest command's deadline runs; with nothing under way there is nothing to wait for. */
static void arm_deadline(struct redis_link *l)
{
	struct sent *oldest = STAILQ_FIRST(&l->sent);

	if (l->state != LINK_GREETING && l->state != LINK_UP)
		return;
	if (oldest != NULL)
		arm(l, oldest->deadline_ms);
	else
		event_del(l->timer);
}

static void say(struct redis_link *l, enum link_said what)
{
	if (l->said == what)
		return;
	l->said = what;
	if (what == SAID_UP)
		log_line(LOG_LEVEL_NOTICE, "redis_up", "link=%s", l->name);
	else
		log_line(LOG_LEVEL_WARNING, "redis_down", "link=%s cause=\"%s\"", l->name, l->cause);
}

int redis_error_shown(const char *error)
{
	const char *words = strstr(error, ", with args");

	return words ? (int)(words - error) : (int)strlen(error);
}

static void set_cause(struct redis_link *l, const char *cause)
{
	size_t length = text_cut(cause, sizeof(l->cause) - 1), shown = (size_t)redis_error_shown(cause);

	if (length > shown)
		length = shown;
	memcpy(l->cause, cause, length);
	l->cause[length] = '\0';
}

/* Half of the pause is sure, half is chance, so that many daemons do not come back in step. */
static int64_t next_pause(struct redis_link *l)
{
	int64_t pause = l->pause_ms;
	uint16_t chance;

	evutil_secure_rng_get_bytes(&chance, sizeof(chance));
	l->pause_ms = pause * 2 > REDIS_PAUSE_MOST_MS ? REDIS_PAUSE_MOST_MS : pause * 2;
	return pause / 2 + (pause / 2) * chance / UINT16_MAX;
}

static void enter_down(struct redis_link *l)
{
	_Bool announced = l->announced;

	l->state = LINK_DOWN;
	l->announced = 0;
	say(l, SAID_DOWN);
	arm(l, next_pause(l));
	if (announced)
		l->options.down(l->options.ctx);
}

/* Only outside of hiredis's callbacks: it would go on to use what was freed. */
static void drop_context(struct redis_link *l)
{
	redisAsyncContext *context = l->context;

	l->context = NULL;
	if (context == NULL)
		return;
	context->data = NULL;
	redisAsyncFree(context);
}

/* hiredis frees the context itself after this. */
static void context_gone(const redisAsyncContext *context)
{
	struct redis_link *l = context->data;

	if (l == NULL || l->context != context)
		return;
	l->context = NULL;
	if (l->state != LINK_BROKEN)
		set_cause(l, context->c.errstr[0] != '\0' ? context->c.errstr : "closed by the server");
	enter_down(l);
}

static void on_disconnect(const redisAsyncContext *context, int status)
{
	(void)status;
	context_gone(context);
}

static void on_connect(const redisAsyncContext *context, int status)
{
	struct redis_link *l = context->data;

	if (status != REDIS_OK) {
		context_gone(context);
		return;
	}
	if (l == NULL)
		return;
	l->state = LINK_CONNECTED;
	arm(l, 0);
}

/* A peer that vanished is noticed by the kernel even while nothing is asked of it. */
static void guard_socket(redisAsyncContext *context, _Bool tcp)
{
	unsigned most_ms = REDIS_PAUSE_MOST_MS;

	(void)fcntl(context->c.fd, F_SETFD, FD_CLOEXEC);
	if (!tcp)
		return;
	(void)redisEnableKeepAlive(&context->c);
	(void)setsockopt(context->c.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &most_ms, sizeof(most_ms));
}

static void attempt(struct redis_link *l)
{
	_Bool tcp = l->host[0] != '\0';
	redisAsyncContext *context = tcp ? redisAsyncConnect(l->host, l->port) : redisAsyncConnectUnix(l->where);

	must(context != NULL);
	if (context->err != 0) {
		set_cause(l, context->errstr);
		redisAsyncFree(context);
		enter_down(l);
		return;
	}
	guard_socket(context, tcp);
	context->data = l;
	l->context = context;
	must(redisLibeventAttach(context, l->options.base) == REDIS_OK);
	must(redisAsyncSetConnectCallback(context, on_connect) == REDIS_OK);
	must(redisAsyncSetDisconnectCallback(context, on_disconnect) == REDIS_OK);
	l->state = LINK_CONNECTING;
	arm(l, REDIS_CONNECT_DEADLINE_MS);
}

static void on_reply(redisAsyncContext *context, void *reply, void *privdata)
{
	struct sent *s = privdata;
	struct redis_link *l = s->link;

	(void)context;
	must(STAILQ_FIRST(&l->sent) == s);
	STAILQ_REMOVE_HEAD(&l->sent, next);
	arm_deadline(l);
	s->answer(s->ctx, reply);
	free(s);
}

static _Bool send_words(struct redis_link *l, const struct redis_words *w, int64_t deadline_ms, redis_answer *answer,
                        void *ctx)
{
	struct sent *s = must_calloc(1, sizeof(*s));

	*s = (struct sent){ .link = l, .answer = answer, .ctx = ctx, .deadline_ms = deadline_ms };
	/* hiredis takes pointers to char * that it does not write through. */
	if (redisAsyncCommandArgv(l->context, on_reply, s, w->count, (const char **)w->word, w->length) != REDIS_OK) {
		/* Without memory, or as it is closing: whoever asked would wait for an answer that never comes, so all begins anew. */
		free(s);
		redis_link_reset(l, "a command could not be sent");
		return 0;
	}
	STAILQ_INSERT_TAIL(&l->sent, s, next);
	if (STAILQ_FIRST(&l->sent) == s)
		arm_deadline(l);
	return 1;
}

static void greeted(void *ctx, const redisReply *reply)
{
	struct redis_link *l = ctx;

	if (reply == NULL || l->state != LINK_GREETING)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		redis_link_reset(l, reply->str);
		return;
	}
	if (!STAILQ_EMPTY(&l->sent))
		return;
	l->state = LINK_UP;
	l->announced = 1;
	l->options.up(l->options.ctx);
}

static void greet(struct redis_link *l)
{
	struct redis_words auth = { 0 }, name = { 0 };
	_Bool sent = 1;

	l->state = LINK_GREETING;
	redis_words_add(&auth, "AUTH");
	redis_words_add(&auth, l->password);
	redis_words_add(&name, "CLIENT");
	redis_words_add(&name, "SETNAME");
	redis_words_add(&name, l->name);
	if (l->password[0] != '\0')
		sent = send_words(l, &auth, REDIS_COMMAND_DEADLINE_MS, greeted, l);
	if (!sent || !send_words(l, &name, REDIS_COMMAND_DEADLINE_MS, greeted, l))
		redis_link_reset(l, "the greeting could not be sent");
}

static void tear_down(struct redis_link *l)
{
	drop_context(l);
	enter_down(l);
}

static void too_late(struct redis_link *l)
{
	_Bool connecting = l->state == LINK_CONNECTING;

	set_cause(l, connecting ? "no connection in time" : "no answer in time");
	tear_down(l);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	static void (*const step[])(struct redis_link *) = {
		[LINK_DOWN] = attempt,      [LINK_CONNECTING] = too_late, [LINK_CONNECTED] = greet,
		[LINK_GREETING] = too_late, [LINK_UP] = too_late,         [LINK_BROKEN] = tear_down,
	};
	struct redis_link *l = ctx;

	(void)fd;
	(void)what;
	step[l->state](l);
}

/* "127.0.0.1:6379", "[::1]:6379", "localhost:6379" → host and port. */
static _Bool split_address(const char *where, char host[HOST_MOST], int *port)
{
	const char *colon = strrchr(where, ':');
	uint8_t binary[sizeof(struct in6_addr)];
	size_t length;
	int64_t number;

	if (colon == NULL || !text_to_int(colon + 1, 1, 65535, &number))
		return 0;
	length = (size_t)(colon - where);
	if (length >= 2 && where[0] == '[' && where[length - 1] == ']') {
		where++;
		length -= 2;
	}
	if (length == 0 || length >= HOST_MOST)
		return 0;
	memcpy(host, where, length);
	host[length] = '\0';
	if (strcmp(host, "localhost") == 0)
		memcpy(host, "127.0.0.1", sizeof("127.0.0.1"));
	*port = (int)number;
	return inet_pton(AF_INET, host, binary) == 1 || inet_pton(AF_INET6, host, binary) == 1;
}

struct redis_link *redis_link_new(const struct redis_link_options *o, char **cause)
{
	struct redis_link *l = must_calloc(1, sizeof(*l));
	const char *where = o->where;

	if (strncmp(where, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		where += strlen(UNIX_PREFIX);
	if (where[0] != '/' && !split_address(where, l->host, &l->port)) {
		*cause = must_strdup(
			"redis: neither the path of a socket nor an address with a port (names are not looked up)");
		free(l);
		return NULL;
	}
	l->options = *o;
	l->where = must_strdup(where);
	l->password = must_strdup(o->password != NULL ? o->password : "");
	l->name = must_strdup(o->name);
	l->pause_ms = REDIS_PAUSE_LEAST_MS;
	STAILQ_INIT(&l->sent);
	l->timer = evtimer_new(o->base, on_timer, l);
	must(l->timer != NULL);
	arm(l, 0);
	return l;
}

void redis_link_free(struct redis_link *l)
{
	if (l == NULL)
		return;
	l->state = LINK_DOWN;
	drop_context(l);
	event_free(l->timer);
	explicit_bzero(l->password, strlen(l->password));
	free(l->password);
	free(l->where);
	free(l->name);
	free(l);
}

_Bool redis_link_is_up(const struct redis_link *l)
{
	return l->state == LINK_UP && l->context != NULL;
}

void redis_words_add(struct redis_words *w, const char *text)
{
	redis_words_add_bytes(w, text, strlen(text));
}

void redis_words_add_bytes(struct redis_words *w, const void *bytes, size_t length)
{
	must(w->count < REDIS_WORDS_MOST);
	w->word[w->count] = bytes;
	w->length[w->count++] = length;
}

_Bool redis_link_send(struct redis_link *l, const struct redis_words *w, int64_t deadline_ms, redis_answer *answer,
                      void *ctx)
{
	return redis_link_is_up(l) && send_words(l, w, deadline_ms, answer, ctx);
}

void redis_link_reset(struct redis_link *l, const char *cause)
{
	if (l->context == NULL || l->state == LINK_BROKEN)
		return;
	set_cause(l, cause);
	l->state = LINK_BROKEN;
	arm(l, 0);
}

void redis_link_settled(struct redis_link *l)
{
	l->pause_ms = REDIS_PAUSE_LEAST_MS;
	say(l, SAID_UP);
}
