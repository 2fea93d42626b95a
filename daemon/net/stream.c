#include "net/stream_parts.h"

#include <stdlib.h>
#include <string.h>

#define OUTPUT_FIRST 512 /* bytes of a stream's first output buffer */
#define FINISH_TICKS 3   /* for the last output to leave and the peer to close */

/* ---- reading ---- */

_Bool stream_may_go_on(const struct stream *s)
{
	return s->state == STREAM_OPEN && !s->paused && !s->full && !s->loop->held;
}

/* While kept bytes wait for their turn nothing is read behind them. */
static _Bool wants_bytes(const struct stream *s)
{
	return !s->read_waits && (s->state == STREAM_FINISHED || (stream_may_go_on(s) && !s->is_ready));
}

static void watch_input(struct stream *s)
{
	_Bool watched = event_pending(&s->read_event, EV_READ, NULL) != 0;

	if ((wants_bytes(s) || (s->write_waits && s->state != STREAM_OVER)) == watched)
		return;
	if (watched)
		event_del(&s->read_event);
	else
		must(event_add(&s->read_event, NULL) == 0);
}

static void keep_tail(struct stream *s, const uint8_t *bytes, size_t length)
{
	if (length > s->tail_room) {
		size_t room = s->tail_room ? s->tail_room : 64;

		while (room < length)
			room *= 2;
		/* bytes may lie in the old tail only when it already had the room. */
		free(s->tail);
		s->tail = must_realloc(NULL, room);
		s->tail_room = room;
	}
	memmove(s->tail, bytes, length);
	s->tail_length = length;
}

void stream_feed(struct stream *s, const uint8_t *bytes, size_t length)
{
	size_t used = s->handler->input(s->ctx, bytes, length);

	stream_arm_turn(s->loop);
	must(used <= length);
	if (s->state >= STREAM_FINISHING)
		s->tail_length = 0;
	else if (used < length)
		keep_tail(s, bytes + used, length - used);
	else
		s->tail_length = 0;
	must(s->tail_length <= s->loop->limits.tail_most || !stream_takes_input(s));
	watch_input(s);
}

static void peer_ended(struct stream *s)
{
	if (s->state == STREAM_FINISHED) {
		stream_close(s, s->why);
		return;
	}
	s->state = STREAM_ENDED;
	watch_input(s);
	s->handler->ended(s->ctx);
}

static void wait_to_write(struct stream *s)
{
	must(event_add(&s->write_event, NULL) == 0);
}

static void take_bytes(struct stream *s)
{
	struct stream_loop *l = s->loop;
	ssize_t n = s->transport->read(s->transport_state, s->fd, l->buffer + s->tail_length, READ_CHUNK);

	if (n == TRANSPORT_WAIT)
		return;
	if (n == TRANSPORT_WAIT_OTHER) {
		s->read_waits = 1;
		wait_to_write(s);
		watch_input(s);
	} else if (n == TRANSPORT_FAILED) {
		stream_close(s, "read-failed");
	} else if (n == 0) {
		peer_ended(s);
	} else if (s->state == STREAM_OPEN) {
		s->last_tick = l->tick;
		if (s->tail_length > 0)
			memcpy(l->buffer, s->tail, s->tail_length);
		stream_feed(s, l->buffer, s->tail_length + (size_t)n);
	}
}

void stream_pause(struct stream *s)
{
	s->paused = 1;
	watch_input(s);
}

void stream_go_on(struct stream *s)
{
	if (stream_may_go_on(s) && s->tail_length > 0 && !s->is_ready) {
		s->is_ready = 1;
		STAILQ_INSERT_TAIL(&s->loop->ready, s, ready);
		stream_arm_turn(s->loop);
	}
	watch_input(s);
}

void stream_resume(struct stream *s)
{
	s->paused = 0;
	stream_go_on(s);
}

_Bool stream_takes_input(const struct stream *s)
{
	return stream_may_go_on(s);
}

/* ---- writing ---- */

_Bool stream_is_full(const struct stream *s)
{
	return s->full;
}

size_t stream_waiting(const struct stream *s)
{
	return s->out_end - s->out_start;
}

static void make_room(struct stream *s, size_t length)
{
	size_t waiting = stream_waiting(s);

	if (s->out_start > 0) {
		memmove(s->out, s->out + s->out_start, waiting);
		s->out_start = 0;
		s->out_end = waiting;
	}
	if (waiting + length <= s->out_room)
		return;
	size_t room = s->out_room ? s->out_room : OUTPUT_FIRST;

	while (room < waiting + length)
		room *= 2;
	s->out = must_realloc(s->out, room);
	s->out_room = room;
}

uint8_t *stream_room(struct stream *s, size_t length)
{
	if (s->state >= STREAM_FINISHING)
		return NULL;
	if (stream_waiting(s) + length > s->loop->limits.output_most) {
		stream_close(s, "output-limit");
		return NULL;
	}
	if (s->out_end + length > s->out_room)
		make_room(s, length);
	return s->out + s->out_end;
}

static void mark_dirty(struct stream *s)
{
	if (s->is_dirty || s->blocked)
		return;
	s->is_dirty = 1;
	STAILQ_INSERT_TAIL(&s->loop->dirty, s, dirty);
	stream_arm_turn(s->loop);
}

void stream_wrote(struct stream *s, size_t length)
{
	must(s->out_end + length <= s->out_room);
	s->out_end += length;
	s->loop->waiting += length;
	mark_dirty(s);
	if (!s->full && stream_waiting(s) > s->loop->limits.output_most / 2) {
		s->full = 1;
		watch_input(s);
	}
}

static void went_out(struct stream *s, size_t length)
{
	s->out_start += length;
	s->loop->waiting -= length;
	s->last_tick = s->loop->tick;
	if (s->out_start == s->out_end)
		s->out_start = s->out_end = 0;
	if (!s->full || stream_waiting(s) > s->loop->limits.output_most / 2)
		return;
	s->full = 0;
	stream_go_on(s);
	if (s->state < STREAM_FINISHING)
		s->handler->drained(s->ctx);
}

static void say_goodbye(struct stream *s)
{
	s->state = STREAM_FINISHED;
	s->transport->finish(s->transport_state, s->fd);
	watch_input(s);
}

void stream_tried_to_write(struct stream *s, size_t length, ssize_t n)
{
	if (n == TRANSPORT_FAILED) {
		stream_close(s, "write-failed");
		return;
	}
	s->blocked = n != (ssize_t)length;
	s->write_waits = n == TRANSPORT_WAIT_OTHER;
	if (n > 0)
		went_out(s, (size_t)n);
	if (s->state == STREAM_OVER)
		return;
	if (s->write_waits)
		watch_input(s);
	else if (s->blocked)
		wait_to_write(s);
}

void stream_flush(struct stream *s)
{
	size_t length = stream_waiting(s);

	if (s->state == STREAM_OVER)
		return;
	if (length > 0)
		stream_tried_to_write(s, length,
		                      s->transport->write(s->transport_state, s->fd, s->out + s->out_start, length));
	if (s->state == STREAM_FINISHING && stream_waiting(s) == 0)
		say_goodbye(s);
}

static void on_readable(int fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd;
	(void)what;
	must(s->tail_length <= s->loop->limits.tail_most);
	if (s->write_waits) {
		s->write_waits = s->blocked = 0;
		stream_flush(s);
	}
	if (wants_bytes(s))
		take_bytes(s);
	else
		watch_input(s);
}

static void on_writable(int fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd;
	(void)what;
	if (s->read_waits) {
		s->read_waits = 0;
		if (wants_bytes(s))
			take_bytes(s);
	}
	if (!s->write_waits) {
		s->blocked = 0;
		stream_flush(s);
	}
	watch_input(s);
}

/* ---- a life ---- */

struct stream *stream_new(struct stream_loop *l, int fd, const struct transport *transport, void *state,
                          const struct stream_handler *handler, void *ctx)
{
	struct stream *s = must_calloc(1, sizeof *s);

	s->loop = l;
	s->fd = fd;
	s->transport = transport;
	s->transport_state = state;
	s->handler = handler;
	s->ctx = ctx;
	s->last_tick = l->tick;
	must(event_assign(&s->read_event, l->base, fd, EV_READ | EV_PERSIST, on_readable, s) == 0);
	must(event_assign(&s->write_event, l->base, fd, EV_WRITE, on_writable, s) == 0);
	LIST_INSERT_HEAD(&l->all, s, all);
	watch_input(s);
	return s;
}

/* A tick may be nearly over when it is counted from, so one more is given. */
static uint32_t ticks_of(int64_t ms)
{
	return (uint32_t)((ms + SWEEP_MS - 1) / SWEEP_MS) + 1;
}

void stream_set_patience(struct stream *s, int64_t ms, const char *why)
{
	s->patience_ticks = ticks_of(ms);
	s->patience_why = why;
	s->last_tick = s->loop->tick;
}

void stream_set_deadline(struct stream *s, int64_t ms, const char *why)
{
	s->deadline_tick = ms > 0 ? s->loop->tick + ticks_of(ms) : 0;
	s->deadline_why = why;
}

_Bool stream_is_over(const struct stream *s)
{
	return s->state >= STREAM_FINISHING;
}

void stream_close(struct stream *s, const char *why)
{
	if (s->state == STREAM_OVER)
		return;
	s->state = STREAM_OVER;
	if (!s->why)
		s->why = why;
	event_del(&s->read_event);
	event_del(&s->write_event);
	STAILQ_INSERT_TAIL(&s->loop->over, s, over);
	stream_arm_turn(s->loop);
}

void stream_finish(struct stream *s, const char *why)
{
	if (s->state >= STREAM_FINISHING)
		return;
	s->state = STREAM_FINISHING;
	s->why = why;
	stream_set_patience(s, FINISH_TICKS * SWEEP_MS, why);
	watch_input(s);
	mark_dirty(s);
}

void stream_free(struct stream *s)
{
	s->loop->waiting -= stream_waiting(s);
	LIST_REMOVE(s, all);
	s->transport->close(s->transport_state, s->fd);
	s->handler->closed(s->ctx, s->why);
	free(s->tail);
	free(s->out);
	free(s);
}
