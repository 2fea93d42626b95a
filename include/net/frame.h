/* frame: cuts a run of bytes into varint-length-delimited frames, and writes their heads. Pure functions over the
 * caller's bytes: nothing is allocated, so a length from a peer is only ever compared. */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

#define FRAME_HEAD_MOST 5 /* bytes of a length */
#define FRAME_LENGTH_MOST UINT32_MAX

enum frame_result {
	FRAME_WHOLE,      /* one frame is there */
	FRAME_PART,       /* well begun; more bytes are needed */
	FRAME_TOO_LARGE,  /* its length is over the limit */
	FRAME_BAD_LENGTH, /* its length is written with needless bytes or does not fit 32 bits */
};

struct frame {
	const uint8_t *body; /* inside the caller's bytes */
	size_t length;       /* of the body, may be 0 */
	size_t whole;        /* head and body: how far to go on */
};

/* Looks for a frame at the start of bytes; most is the largest body allowed. *out is filled for FRAME_WHOLE only. */
enum frame_result frame_next(const uint8_t *bytes, size_t length, size_t most, struct frame *out) MUST_USE;

/* How many bytes the head of a body of this length has, 1 … FRAME_HEAD_MOST. */
size_t frame_head_size(size_t body_length);
/* Writes that head; returns its size. body_length ≤ FRAME_LENGTH_MOST. */
size_t frame_head(uint8_t *out, size_t body_length);

#endif
