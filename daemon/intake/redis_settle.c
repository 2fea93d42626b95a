#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "intake/redis_parts.h"

/* Ids acknowledged by one XACK: as many as its words have room for beside the name, the stream and the group. */
#define BATCH_MOST (REDIS_WORDS_MOST - 3)
#define LETTER_ANSWERS 2 /* of XADD and XACK, in EXEC's */

struct batch {
	size_t count;
	struct held *held[BATCH_MOST];
};

/* Without a reply the connection is gone, and its coming back is pause enough. */
static void try_again(struct held *h, enum held_state state, const redisReply *reply)
{
	held_set_state(h, state);
	h->not_before_ms = reply != NULL ? redis_mono_ms() + REDIS_RETRY_REFUSED_MS : 0;
	settle_after(h->door, REDIS_RETRY_LEAST_MS);
}

static void log_refused(struct redis_door *d, const char *what, const redisReply *reply)
{
	const char *cause = reply->type == REDIS_REPLY_ERROR ? reply->str : "odd answer";

	if (!d->said_refused)
		log_line(LOG_LEVEL_ERROR, "redis_refused", "command=%s cause=\"%.*s\"", what, redis_error_shown(cause),
		         cause);
	d->said_refused = 1;
}

/* ---- acknowledging ----------------------------------------------------------------------------------------------- */

static void on_xack(void *ctx, const redisReply *reply)
{
	struct batch *b = ctx;
	struct redis_door *d = b->held[0]->door;
	_Bool done = reply != NULL && reply->type == REDIS_REPLY_INTEGER;

	if (reply != NULL && !done)
		log_refused(d, "XACK", reply);
	for (size_t i = 0; i < b->count; i++) {
		if (done)
			held_free(b->held[i]);
		else
			try_again(b->held[i], HELD_DONE, reply);
	}
	free(b);
	if (!done)
		return;
	d->said_refused = 0;
	read_next(d);
}

static _Bool is_due(const struct held *h, enum held_state state, int64_t now)
{
	return h->state == state && h->not_before_ms <= now;
}

static struct batch *gather(struct redis_door *d, int stream, int64_t now)
{
	struct batch *b = NULL;
	struct held *h;

	for (h = TAILQ_FIRST(&d->held); h != NULL; h = TAILQ_NEXT(h, next)) {
		if (h->stream != stream || !is_due(h, HELD_DONE, now))
			continue;
		if (b == NULL)
			b = must_calloc(1, sizeof(*b));
		b->held[b->count++] = h;
		if (b->count == BATCH_MOST)
			break;
	}
	return b;
}

static _Bool send_xack(struct redis_door *d, int stream, struct batch *b)
{
	char ids[BATCH_MOST][STREAM_ID_TEXT_SIZE];
	struct redis_words w = { 0 };

	redis_words_add(&w, "XACK");
	redis_words_add(&w, d->streams[stream]);
	redis_words_add(&w, d->group);
	for (size_t i = 0; i < b->count; i++) {
		stream_id_text(&b->held[i]->id, ids[i]);
		redis_words_add(&w, ids[i]);
	}
	if (!redis_link_send(d->command, &w, REDIS_COMMAND_DEADLINE_MS, on_xack, b))
		return 0;
	for (size_t i = 0; i < b->count; i++)
		held_set_state(b->held[i], HELD_SETTLING);
	return 1;
}

static void acknowledge(struct redis_door *d, int stream, int64_t now)
{
	struct batch *b;

	while ((b = gather(d, stream, now)) != NULL) {
		if (!send_xack(d, stream, b)) {
			free(b);
			return;
		}
	}
}

/* ---- dead letters ------------------------------------------------------------------------------------------------ */

static void on_queued(void *ctx, const redisReply *reply)
{
	(void)ctx;
	(void)reply;
}

/* EXEC does not undo: should XADD fail after all, the entry is acknowledged but still held, and its letter is tried
 * again until it is written. */
static void on_letter(void *ctx, const redisReply *reply)
{
	struct held *h = ctx;
	struct redis_door *d = h->door;
	const redisReply *added;

	if (reply == NULL) {
		try_again(h, HELD_BAD, reply);
		return;
	}
	added = reply->type == REDIS_REPLY_ARRAY && reply->elements == LETTER_ANSWERS ? reply->element[0] : reply;
	if (added->type != REDIS_REPLY_STRING) {
		log_refused(d, "XADD", added);
		try_again(h, HELD_BAD, reply);
		return;
	}
	d->said_refused = 0;
	held_free(h);
	read_next(d);
}

static void add_pair(struct redis_words *w, const char *name, const char *value)
{
	redis_words_add(w, name);
	redis_words_add(w, value != NULL ? value : "");
}

static _Bool send_letter(struct redis_door *d, const struct held *h, const char *id)
{
	struct redis_words w = { 0 };
	char size[24], retry[24];

	(void)snprintf(size, sizeof(size), "%zu", h->full_length);
	(void)snprintf(retry, sizeof(retry), "%" PRId64, h->why.retry_after_ms);
	add_pair(&w, "XADD", d->dead);
	add_pair(&w, "MAXLEN", "~");
	add_pair(&w, REDIS_DEAD_KEPT, "*");
	add_pair(&w, "stream", d->streams[h->stream]);
	add_pair(&w, "id", id);
	add_pair(&w, "reason", h->trimmed ? "trimmed" : refusal_code_name(h->why.code));
	add_pair(&w, "rule", h->why.rule);
	add_pair(&w, "sentence", h->why.sentence);
	add_pair(&w, "retry_after_ms", retry);
	add_pair(&w, "field", h->field);
	add_pair(&w, "size", size);
	redis_words_add(&w, "bytes");
	redis_words_add_bytes(&w, h->bytes != NULL ? (const void *)h->bytes : "", h->length);
	return redis_link_send(d->command, &w, REDIS_COMMAND_DEADLINE_MS, on_queued, d);
}

static _Bool send_word(struct redis_door *d, const char *word, redis_answer *answer, void *ctx)
{
	struct redis_words w = { 0 };

	redis_words_add(&w, word);
	return redis_link_send(d->command, &w, REDIS_COMMAND_DEADLINE_MS, answer, ctx);
}

/* Letter and acknowledgement in one transaction: a crash between them would lose the one or double the other. */
static void bury(struct redis_door *d, struct held *h)
{
	struct redis_words ack = { 0 };
	char id[STREAM_ID_TEXT_SIZE];

	stream_id_text(&h->id, id);
	redis_words_add(&ack, "XACK");
	redis_words_add(&ack, d->streams[h->stream]);
	redis_words_add(&ack, d->group);
	redis_words_add(&ack, id);
	if (send_word(d, "MULTI", on_queued, d) && send_letter(d, h, id) &&
	    redis_link_send(d->command, &ack, REDIS_COMMAND_DEADLINE_MS, on_queued, d) &&
	    send_word(d, "EXEC", on_letter, h))
		held_set_state(h, HELD_SETTLING);
}

static void bury_all(struct redis_door *d, int64_t now)
{
	struct held *h;

	for (h = TAILQ_FIRST(&d->held); h != NULL; h = TAILQ_NEXT(h, next)) {
		if (is_due(h, HELD_BAD, now))
			bury(d, h);
	}
}

/* ---- when -------------------------------------------------------------------------------------------------------- */

/* Whether something can only go on when it is looked at again: its pause is not over, or a timer came a little early. */
static _Bool is_unsettled(const struct redis_door *d)
{
	const struct held *h;

	for (h = TAILQ_FIRST(&d->held); h != NULL; h = TAILQ_NEXT(h, next))
		if (h->state == HELD_WAITING || (d->settling && (h->state == HELD_DONE || h->state == HELD_BAD)))
			return 1;
	return 0;
}

static void settle(struct redis_door *d)
{
	int64_t now = redis_mono_ms();

	hold_submit_waiting(d);
	if (d->stopped)
		hold_drop_waiting(d);
	if (d->settling) {
		for (int i = 0; i < REDIS_STREAMS; i++)
			acknowledge(d, i, now);
		bury_all(d, now);
	}
	if (is_unsettled(d))
		settle_after(d, REDIS_RETRY_LEAST_MS);
	read_next(d);
}

void settle_soon(struct redis_door *d)
{
	settle_after(d, 0);
}

/* The sooner of two wishes holds. */
void settle_after(struct redis_door *d, int64_t ms)
{
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };
	int64_t at = redis_mono_ms() + ms;

	if (evtimer_pending(d->settle_timer, NULL) && d->settle_at_ms <= at)
		return;
	d->settle_at_ms = at;
	event_add(d->settle_timer, &wait);
}

static void on_settle_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	settle(ctx);
}

/* The dead letters' key must be a stream or nothing before any of them is written: EXEC would not undo. */
static void on_dead_checked(void *ctx, const redisReply *reply)
{
	struct redis_door *d = ctx;

	if (reply == NULL)
		return;
	if (reply->type != REDIS_REPLY_INTEGER) {
		redis_link_reset(d->command, reply->type == REDIS_REPLY_ERROR ? reply->str : "odd answer to XLEN");
		return;
	}
	redis_link_settled(d->command);
	d->settling = 1;
	settle_soon(d);
	claim_up(d);
	if (d->events != NULL)
		events_up(d->events);
}

void settle_up(struct redis_door *d)
{
	struct redis_words w = { 0 };

	add_pair(&w, "XLEN", d->dead);
	if (!redis_link_send(d->command, &w, REDIS_COMMAND_DEADLINE_MS, on_dead_checked, d))
		redis_link_reset(d->command, "XLEN could not be sent");
}

void settle_down(struct redis_door *d)
{
	d->settling = 0;
	claim_down(d);
	if (d->events != NULL)
		events_down(d->events);
}

void settle_init(struct redis_door *d, struct event_base *base)
{
	d->settle_timer = evtimer_new(base, on_settle_timer, d);
	must(d->settle_timer != NULL);
}
