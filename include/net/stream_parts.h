/* stream_parts: a stream's inside, between stream.c (one stream) and stream_loop.c (all of a loop). Only for these. */
#ifndef NET_STREAM_PARTS_H
#define NET_STREAM_PARTS_H

#include <event2/event_struct.h>
#include <sys/queue.h>

#include "net/stream.h"

#define READ_CHUNK 65536 /* bytes asked of one read */
#define SWEEP_MS 1000    /* a tick */

enum stream_state {
	STREAM_OPEN,
	STREAM_ENDED,     /* the peer sends no more */
	STREAM_FINISHING, /* we read no more; output is leaving */
	STREAM_FINISHED,  /* output has left; what still comes is thrown away, so that the peer gets our last words */
	STREAM_OVER,
};

struct stream {
	struct stream_loop *loop;
	const struct transport *transport;
	const struct stream_handler *handler;
	void *transport_state, *ctx;
	struct event read_event, write_event;
	uint8_t *tail, *out;
	size_t tail_length, tail_room;
	size_t out_start, out_end, out_room;
	const char *why, *patience_why;
	const char *deadline_why;
	uint32_t last_tick, patience_ticks;
	uint32_t deadline_tick; /* 0: none */
	int fd;
	enum stream_state state;
	_Bool paused, full, blocked; /* blocked: waiting until the descriptor takes more */
	_Bool read_waits;            /* until the descriptor takes bytes */
	_Bool write_waits;           /* blocked, until the descriptor has bytes */
	_Bool is_dirty, is_ready;
	LIST_ENTRY(stream) all;
	STAILQ_ENTRY(stream) dirty, ready, over;
};

struct stream_loop {
	struct event_base *base;
	struct stream_limits limits;
	struct event turn, sweep;
	_Bool turn_due, held;
	uint32_t tick;
	size_t waiting;
	LIST_HEAD(, stream) all;
	STAILQ_HEAD(, stream) dirty, ready, over;
	uint8_t *buffer; /* tail_most + READ_CHUNK */
	struct send_many *many;
};

/* ---- of one stream ---- */
_Bool stream_may_go_on(const struct stream *s);
/* Hands its handler what has come, in the loop's buffer or kept. */
void stream_feed(struct stream *s, const uint8_t *bytes, size_t length);
/* Reading may go on: what was kept comes first, on the next turn, so that nobody is called from inside its own call. */
void stream_go_on(struct stream *s);
/* Writes what waits. */
void stream_flush(struct stream *s);
/* A write of the first `length` bytes that wait has come back with n, as a transport's. When it took less, more would only
 * be told to wait. */
void stream_tried_to_write(struct stream *s, size_t length, ssize_t n);
void stream_free(struct stream *s);

/* ---- of the loop ---- */
/* One callback at the end of the loop's turn does what should be done once: it runs behind all that are active now. */
void stream_arm_turn(struct stream_loop *l);

#endif
