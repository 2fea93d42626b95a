/* arena: bounded memory for unpacking and packing one message. protobuf-c allocates by what the bytes say, up to 84
 * times their size, so it gets this instead of malloc: a fixed block, handed out from the front, emptied at once. */
#ifndef INTAKE_ARENA_H
#define INTAKE_ARENA_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

struct arena {
	ProtobufCAllocator allocator; /* its free does nothing */
	uint8_t *bytes;
	size_t used, size;
	_Bool ran_out; /* since the last reset */
};

void arena_init(struct arena *a, size_t size);
void arena_close(struct arena *a); /* safe twice */
void arena_reset(struct arena *a);
/* NULL when there is not so much left. Not zeroed. */
void *arena_take(struct arena *a, size_t size) MUST_USE;

#endif
