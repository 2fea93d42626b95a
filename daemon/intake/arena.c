#include "intake/arena.h"

#include <stdlib.h>

#define ALIGNMENT 16

void *arena_take(struct arena *a, size_t size)
{
	size_t left = a->size - a->used;
	void *taken = a->bytes + a->used;

	if (size > left) {
		a->ran_out = 1;
		return NULL;
	}
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	a->used += size < left ? size : left;
	return taken;
}

static void *allocate(void *data, size_t size)
{
	return arena_take(data, size);
}

static void release(void *data, void *pointer)
{
	(void)data;
	(void)pointer;
}

void arena_init(struct arena *a, size_t size)
{
	*a = (struct arena){
		.allocator = { .alloc = allocate, .free = release, .allocator_data = a },
		.bytes = must_realloc(NULL, size),
		.size = size,
	};
}

void arena_close(struct arena *a)
{
	free(a->bytes);
	*a = (struct arena){ 0 };
}

void arena_reset(struct arena *a)
{
	a->used = 0;
	a->ran_out = 0;
}
