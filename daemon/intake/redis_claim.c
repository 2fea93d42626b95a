#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "intake/redis_parts.h"

#define CLAIM_FROM_START "0-0"
#define NUMBER_SIZE 24
#define CLAIM_PARTS 3 /* next cursor, entries, ids that were trimmed */

static void claim(struct redis_door *d);

static void start_at(struct redis_door *d, int stream)
{
	d->claim_stream = stream;
	memcpy(d->claim_cursor, CLAIM_FROM_START, sizeof(CLAIM_FROM_START));
}

static void take_claimed(struct redis_door *d, const redisReply *reply)
{
	const redisReply *entries = reply->element[1], *trimmed = reply->element[2];

	if (entries->type == REDIS_REPLY_ARRAY)
		for (size_t i = 0; i < entries->elements; i++)
			hold_entry(d, d->claim_stream, entries->element[i]);
	if (trimmed->type == REDIS_REPLY_ARRAY)
		for (size_t i = 0; i < trimmed->elements; i++)
			if (trimmed->element[i]->type == REDIS_REPLY_STRING)
				hold_trimmed(d, d->claim_stream, trimmed->element[i]->str);
}

static void on_claimed(void *ctx, const redisReply *reply)
{
	struct redis_door *d = ctx;
	const redisReply *cursor;

	d->claiming = 0;
	if (reply == NULL || d->stopped)
		return;
	/* Without its group the stream has nothing to claim; the reading connection makes it anew. */
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < CLAIM_PARTS) {
		start_at(d, d->claim_stream + 1);
		claim(d);
		return;
	}
	take_claimed(d, reply);
	hold_submit_waiting(d);
	cursor = reply->element[0];
	if (cursor->type != REDIS_REPLY_STRING || cursor->len >= sizeof(d->claim_cursor) ||
	    strcmp(cursor->str, CLAIM_FROM_START) == 0)
		start_at(d, d->claim_stream + 1);
	else
		memcpy(d->claim_cursor, cursor->str, cursor->len + 1);
	claim(d);
}

/* Page by page through one stream after the other. With no room it rests until the next time and goes on there. */
static void claim(struct redis_door *d)
{
	char idle[NUMBER_SIZE], count[NUMBER_SIZE];
	struct redis_words w = { 0 };

	if (d->claim_stream >= REDIS_STREAMS || d->stopped || d->waiting > 0 || !hold_has_room(d))
		return;
	(void)snprintf(idle, sizeof(idle), "%" PRId64, d->claim_idle_ms);
	(void)snprintf(count, sizeof(count), "%d", REDIS_READ_MOST);
	redis_words_add(&w, "XAUTOCLAIM");
	redis_words_add(&w, d->streams[d->claim_stream]);
	redis_words_add(&w, d->group);
	redis_words_add(&w, d->consumer);
	redis_words_add(&w, idle);
	redis_words_add(&w, d->claim_cursor);
	redis_words_add(&w, "COUNT");
	redis_words_add(&w, count);
	d->claiming = redis_link_send(d->command, &w, REDIS_COMMAND_DEADLINE_MS, on_claimed, d);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	struct redis_door *d = ctx;

	(void)fd;
	(void)what;
	if (d->claiming || !d->settling)
		return;
	if (d->claim_stream >= REDIS_STREAMS)
		start_at(d, 0);
	claim(d);
}

void claim_init(struct redis_door *d, struct event_base *base)
{
	d->claim_timer = event_new(base, -1, EV_PERSIST, on_timer, d);
	must(d->claim_timer != NULL);
	start_at(d, 0);
}

void claim_up(struct redis_door *d)
{
	struct timeval every = { .tv_sec = REDIS_CLAIM_EVERY_MS / 1000, .tv_usec = 0 };

	if (!d->settling || d->groups_made < REDIS_STREAMS)
		return;
	event_add(d->claim_timer, &every);
	on_timer(-1, EV_TIMEOUT, d);
}

void claim_down(struct redis_door *d)
{
	d->claiming = 0;
	event_del(d->claim_timer);
}
