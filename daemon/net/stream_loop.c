/* stream_loop: what is done once a turn for all streams, and once a second. */
#include <stdlib.h>
#include <string.h>

#include "net/send_many.h"
#include "net/stream_parts.h"

#define IDLE_TICKS 10 /* after so many quiet sweeps buffers are given back */

void stream_arm_turn(struct stream_loop *l)
{
	if (l->turn_due)
		return;
	l->turn_due = 1;
	event_active(&l->turn, EV_TIMEOUT, 0);
}

static void feed_ready(struct stream_loop *l)
{
	struct stream *s;

	while ((s = STAILQ_FIRST(&l->ready))) {
		STAILQ_REMOVE_HEAD(&l->ready, ready);
		s->is_ready = 0;
		if (stream_may_go_on(s) && s->tail_length > 0)
			stream_feed(s, s->tail, s->tail_length);
	}
}

/* Those that are plain sockets all at once. */
static void send_some(struct stream_loop *l, struct stream *const *some, size_t count)
{
	struct send_one ones[SEND_MANY_MOST];
	struct stream *senders[SEND_MANY_MOST];
	size_t plain = 0;

	for (size_t i = 0; i < count; i++) {
		struct stream *s = some[i];

		if (s->transport != &transport_plain || s->state == STREAM_OVER || stream_waiting(s) == 0)
			continue;
		senders[plain] = s;
		ones[plain++] = (struct send_one){ s->fd, s->out + s->out_start, stream_waiting(s), 0, 0 };
	}
	if (plain < 2)
		return;
	send_many(l->many, ones, plain);
	for (size_t i = 0; i < plain; i++)
		if (ones[i].done)
			stream_tried_to_write(senders[i], ones[i].length, ones[i].result);
}

static void flush_dirty(struct stream_loop *l)
{
	struct stream *some[SEND_MANY_MOST];
	size_t count;

	do {
		for (count = 0; count < SEND_MANY_MOST && !STAILQ_EMPTY(&l->dirty); count++) {
			some[count] = STAILQ_FIRST(&l->dirty);
			STAILQ_REMOVE_HEAD(&l->dirty, dirty);
			some[count]->is_dirty = 0;
		}
		send_some(l, some, count);
		for (size_t i = 0; i < count; i++)
			if (!some[i]->blocked)
				stream_flush(some[i]);
	} while (count > 0);
}

/* A closed callback may reach other streams, so what it adds waits for the next turn. */
static void bury_over(struct stream_loop *l)
{
	STAILQ_HEAD(, stream) now = STAILQ_HEAD_INITIALIZER(now);
	struct stream *s;

	STAILQ_CONCAT(&now, &l->over);
	while ((s = STAILQ_FIRST(&now))) {
		STAILQ_REMOVE_HEAD(&now, over);
		if (!s->is_dirty && !s->is_ready) {
			stream_free(s);
			continue;
		}
		STAILQ_INSERT_TAIL(&l->over, s, over);
		stream_arm_turn(l);
	}
}

static void on_turn(int fd, short what, void *arg)
{
	struct stream_loop *l = arg;

	(void)fd;
	(void)what;
	l->turn_due = 0;
	do {
		feed_ready(l);
		if (l->limits.turned)
			l->limits.turned(l->limits.ctx);
		flush_dirty(l);
	} while (!STAILQ_EMPTY(&l->ready));
	bury_over(l);
}

static void sweep_one(struct stream *s)
{
	uint32_t quiet = s->loop->tick - s->last_tick;

	if (s->deadline_tick > 0 && s->loop->tick >= s->deadline_tick)
		stream_close(s, s->deadline_why);
	if (s->patience_ticks > 0 && quiet >= s->patience_ticks)
		stream_close(s, s->patience_why);
	if (quiet != IDLE_TICKS)
		return;
	if (stream_waiting(s) == 0) {
		free(s->out);
		s->out = NULL;
		s->out_room = 0;
	}
	if (s->tail_length == 0) {
		free(s->tail);
		s->tail = NULL;
		s->tail_room = 0;
	}
}

static void on_sweep(int fd, short what, void *arg)
{
	struct stream_loop *l = arg;
	struct stream *s;

	(void)fd;
	(void)what;
	l->tick++;
	LIST_FOREACH(s, &l->all, all)
	sweep_one(s);
}

struct stream_loop *stream_loop_new(struct event_base *base, const struct stream_limits *limits)
{
	static const struct timeval every = { SWEEP_MS / 1000, SWEEP_MS % 1000 * 1000 };
	struct stream_loop *l = must_calloc(1, sizeof *l);

	l->base = base;
	l->limits = *limits;
	l->buffer = must_calloc(1, limits->tail_most + READ_CHUNK);
	l->many = send_many_new();
	LIST_INIT(&l->all);
	STAILQ_INIT(&l->dirty);
	STAILQ_INIT(&l->ready);
	STAILQ_INIT(&l->over);
	must(event_assign(&l->turn, base, -1, 0, on_turn, l) == 0);
	must(event_assign(&l->sweep, base, -1, EV_PERSIST, on_sweep, l) == 0);
	must(event_add(&l->sweep, &every) == 0);
	return l;
}

void stream_loop_free(struct stream_loop *l)
{
	struct stream *s;

	if (!l)
		return;
	LIST_FOREACH(s, &l->all, all)
	stream_close(s, "stopping");
	STAILQ_INIT(&l->dirty);
	STAILQ_INIT(&l->ready);
	while ((s = STAILQ_FIRST(&l->over))) {
		STAILQ_REMOVE_HEAD(&l->over, over);
		stream_free(s);
	}
	event_del(&l->turn);
	event_del(&l->sweep);
	send_many_free(l->many);
	free(l->buffer);
	free(l);
}

void stream_loop_hold(struct stream_loop *l)
{
	l->held = 1;
}

void stream_loop_release(struct stream_loop *l)
{
	struct stream *s;

	if (!l->held)
		return;
	l->held = 0;
	LIST_FOREACH(s, &l->all, all)
	stream_go_on(s);
}

_Bool stream_loop_held(const struct stream_loop *l)
{
	return l->held;
}

size_t stream_loop_waiting(const struct stream_loop *l)
{
	return l->waiting;
}
