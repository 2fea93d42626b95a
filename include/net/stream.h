/* stream: one peer's bytes in and out over a non-blocking descriptor, as four calls to whoever handles them. Reading goes
 * through one buffer a loop, so an idle peer costs no buffer; writing is gathered and goes out once a loop turn. All on
 * the loop's thread. What carries the bytes is a transport: net/transport.h. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "net/transport.h"

struct stream_handler {
	/* Bytes are there. Returns how many it has dealt with; the rest is kept and comes again with what follows. It may
	 * leave at most an unfinished frame behind, unless the stream is paused. */
	size_t (*input)(void *ctx, const uint8_t *bytes, size_t length);
	/* The peer will send no more; it may still read. No further input. */
	void (*ended)(void *ctx);
	/* Queued output has fallen below half its cap after having been above. */
	void (*drained)(void *ctx);
	/* The stream is over, told once, never from inside another call of this header; it is freed after the return. */
	void (*closed)(void *ctx, const char *why);
};

struct stream_loop;
struct stream;

struct stream_limits {
	size_t tail_most;   /* bytes of an unfinished frame */
	size_t output_most; /* queued bytes; a peer that lets more gather is cut */
	/* May be NULL. Called at the end of each turn of the loop in which streams took or made bytes, before they are
	 * written: the place to hand on in one go what the turn's input has brought. */
	void (*turned)(void *ctx);
	void *ctx;
};

struct stream_loop *stream_loop_new(struct event_base *base, const struct stream_limits *limits) MUST_USE;
void stream_loop_free(struct stream_loop *l); /* ends every stream (closed is called) first; NULL is fine */
/* While held no stream of the loop reads. Ends of peers are then not seen, but patience runs on. */
void stream_loop_hold(struct stream_loop *l);
void stream_loop_release(struct stream_loop *l);
_Bool stream_loop_held(const struct stream_loop *l);
/* Bytes of output that have not left yet, of all streams. */
size_t stream_loop_waiting(const struct stream_loop *l);

/* Takes the descriptor (non-blocking) and the transport's state. handler and what it points to outlive the stream. */
struct stream *stream_new(struct stream_loop *l, int fd, const struct transport *transport, void *state,
                          const struct stream_handler *handler, void *ctx) MUST_USE;

/* Ends the stream with this reason (static text) when neither side's bytes move for so long. */
void stream_set_patience(struct stream *s, int64_t ms, const char *why);
/* Ends it so long from now whatever moves; 0 takes that back. */
void stream_set_deadline(struct stream *s, int64_t ms, const char *why);

/* Room for length more bytes of output, or NULL: the stream is over, or is ended by this because its cap is reached.
 * Then stream_wrote says how many of them are filled. */
uint8_t *stream_room(struct stream *s, size_t length) MUST_USE;
void stream_wrote(struct stream *s, size_t length);
size_t stream_waiting(const struct stream *s);
/* Above half the cap: do not make more for this peer until drained. */
_Bool stream_is_full(const struct stream *s);

/* Stops and restarts reading; resuming brings the kept bytes on the next turn. */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);
/* Whether input may go on now: not paused, not held, not full, not over. */
_Bool stream_takes_input(const struct stream *s);

/* Ends it: at once, or when the queued output has left (with a short deadline). The first reason stays. */
void stream_close(struct stream *s, const char *why);
void stream_finish(struct stream *s, const char *why);
_Bool stream_is_over(const struct stream *s);

#endif
