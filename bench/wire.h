/* wire: requests as bytes made once, in which only what must differ is changed for each sending, and the smallest reading
 * of replies that tells an answer from a refusal. Two vocabularies: gridloop's own protocol and Redis's. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_REQUEST_MOST 1024 /* bytes of one request */
#define WIRE_REPLY_MOST 33024  /* bytes of one reply: the protocol's largest frame and its length */
#define WIRE_BOXES_MOST 256

struct box {
	double south, west, north, east; /* degrees */
};

struct wire_options {
	const char *who, *token; /* gridloop */
	_Bool gateway;           /* who reports for riders of its own */
	const char *stream;      /* Redis */
	const char *category;
	size_t payload;                    /* bytes a report should take */
	struct box boxes[WIRE_BOXES_MOST]; /* reports lie evenly in these */
	size_t box_count;
};

/* A request with the places that change. An offset of 0 means the request has no such field. */
struct request {
	uint8_t bytes[WIRE_REQUEST_MOST];
	size_t length;
	size_t payload; /* bytes of the report in it */
	size_t seq_at, key_at, lat_at, lon_at, text_at, reporter_at;
};

/* Sequence numbers keep to those that take four bytes, so that a request never changes its length. */
#define WIRE_SEQ_FIRST (1u << 21)
#define WIRE_SEQ_END (1u << 28)

#define REPLY_MORE 0   /* the reply is not whole yet */
#define REPLY_BAD (-1) /* refused or not understood: why says it */

struct wire {
	const char *name;
	/* Bytes to send first on a connection (0: none; its reply is read by `reply`, with welcome true). */
	size_t (*hello)(const struct wire_options *o, uint8_t out[WIRE_REQUEST_MOST]);
	void (*request)(const struct wire_options *o, struct request *out);
	/* The length of the first reply in bytes, or REPLY_MORE, or REPLY_BAD. *seq: which request it answers; 0: the oldest
	 * one of the connection. *push: nobody asked for it. */
	ssize_t (*reply)(const uint8_t *in, size_t length, _Bool welcome, uint32_t *seq, _Bool *push, char *why,
	                 size_t room);
};

extern const struct wire wire_gridloop, wire_redis;

/* What makes each sending different: a fast generator of even bits, seeded once. */
struct wire_random {
	uint64_t state;
};
uint64_t wire_random(struct wire_random *r);
/* A UUIDv7 of this time. */
void wire_key(uint8_t out[16], int64_t unix_ms, struct wire_random *r);

/* Writes the request to out as its next sending: this seq, a key whose time is unix_ms, a position in one of the boxes. */
void wire_stamp(const struct request *q, const struct wire_options *o, uint32_t seq, int64_t unix_ms,
                struct wire_random *r, uint8_t *out);

#endif
