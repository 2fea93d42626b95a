/* redis_link: one asynchronous connection to Redis that comes back by itself. hiredis 0.14 has no deadlines of its own,
 * must not be freed in its connect callback and forgets everything when a connection goes; this hides all of that.
 * After every connect it says who it is (AUTH, CLIENT SETNAME) and then calls up. Pauses between attempts grow from
 * 0.1 to 10 seconds with jitter and start again only when the owner says that all is well (redis_link_settled), so
 * that a server that accepts and then fails is not asked in a loop. One log line a change. Loop's thread only. */
#ifndef OUTBOX_REDIS_LINK_H
#define OUTBOX_REDIS_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

struct event_base;
struct redisReply;
struct redis_link;

#define REDIS_CONNECT_DEADLINE_MS 3000
#define REDIS_COMMAND_DEADLINE_MS 5000
#define REDIS_PAUSE_LEAST_MS 100
#define REDIS_PAUSE_MOST_MS 10000

struct redis_link_options {
	struct event_base *base;
	const char *
		where; /* "unix:/path/of/socket", "/path/of/socket" or "127.0.0.1:6379": an address, because names resolve blocking */
	const char *password;    /* NULL or empty: none */
	const char *name;        /* for CLIENT LIST and the log */
	void (*up)(void *ctx);   /* commands can be sent now */
	void (*down)(void *ctx); /* every command under way has had its answer called with NULL */
	void *ctx;
};

/* Makes the first attempt on the loop's next turn. NULL with *cause (heap) when where is no address. */
struct redis_link *redis_link_new(const struct redis_link_options *o, char **cause) MUST_USE;
/* Calls the answers of what is under way with NULL, but not down. Never from inside an answer, up or down. */
void redis_link_free(struct redis_link *l); /* NULL is fine */
_Bool redis_link_is_up(const struct redis_link *l);

/* The words of one command; they are copied out by redis_link_send. */
#define REDIS_WORDS_MOST 128
struct redis_words {
	int count;
	const char *word[REDIS_WORDS_MOST];
	size_t length[REDIS_WORDS_MOST];
};
void redis_words_add(struct redis_words *w, const char *text);
void redis_words_add_bytes(struct redis_words *w, const void *bytes, size_t length);

/* reply is NULL when the connection went before it came; it is hiredis's and ends with the call. */
typedef void redis_answer(void *ctx, const struct redisReply *reply);
/* false: not up, answer will not be called. deadline_ms: how long the server may take once it is this command's turn. */
_Bool redis_link_send(struct redis_link *l, const struct redis_words *w, int64_t deadline_ms, redis_answer *answer,
                      void *ctx) MUST_USE;

/* Drops the connection on the loop's next turn and makes it again after the pause. cause is for the log. */
void redis_link_reset(struct redis_link *l, const char *cause);
/* How much of an error's text may be logged: behind it Redis repeats the words of a command it does not know, and those
 * are what people have reported, or the password. */
int redis_error_shown(const char *error);
/* The owner's own first steps went well. */
void redis_link_settled(struct redis_link *l);

#endif
