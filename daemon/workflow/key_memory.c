/* key_memory: an array of answers and an open-addressing table of places in it, twice. */
#include "workflow/key_memory.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_FIRST 1024
/* A slot: 1 + place in rows, and above it some bits of the key's hash, so that the search goes on past another key's slot
 * without going to its row, which lies anywhere in many megabytes. */
#define PLACE_BITS 20
#define PLACE_MASK ((UINT32_C(1) << PLACE_BITS) - 1)

struct generation {
	struct key_fact *rows;
	uint32_t *slots; /* 0: free. Twice as many as rows can be, a power of two. */
	size_t count, room, slot_count;
	int64_t newest_ms; /* of the keys' own times */
};

struct key_memory {
	struct generation young, old;
	size_t most;        /* rows in a generation */
	int64_t dropped_ms; /* newest key time that may be on disk only; -1: none yet */
};

static void generation_close(struct generation *g)
{
	free(g->rows);
	free(g->slots);
	*g = (struct generation){ 0 };
}

struct key_memory *key_memory_new(size_t per_generation)
{
	struct key_memory *m = must_calloc(1, sizeof *m);
	must(per_generation < PLACE_MASK);
	m->most = per_generation;
	m->dropped_ms = -1;
	return m;
}

void key_memory_free(struct key_memory *m)
{
	if (m == NULL)
		return;
	generation_close(&m->young);
	generation_close(&m->old);
	free(m);
}

/* The random end of a UUIDv7 is as good a hash as any, but a client may send what it likes, so it is mixed. */
static uint64_t hash_of(const struct uuid *key)
{
	uint64_t a, b;
	memcpy(&a, key->bytes, 8);
	memcpy(&b, key->bytes + 8, 8);
	uint64_t h = (a ^ (b * UINT64_C(0x9E3779B97F4A7C15))) * UINT64_C(0xBF58476D1CE4E5B9);
	return h ^ (h >> 31);
}

static uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) & ~PLACE_MASK;
}

static void place(struct generation *g, size_t row)
{
	uint64_t hash = hash_of(&g->rows[row].key);
	size_t at = hash & (g->slot_count - 1);
	while (g->slots[at] != 0)
		at = (at + 1) & (g->slot_count - 1);
	g->slots[at] = tag_of(hash) | ((uint32_t)row + 1);
}

static void generation_grow(struct generation *g)
{
	struct key_fact *before = g->rows;
	g->room = g->room == 0 ? ROWS_FIRST : g->room * 2;
	g->rows = must_large(g->room * sizeof *g->rows);
	if (g->count > 0)
		memcpy(g->rows, before, g->count * sizeof *g->rows);
	free(before);
	free(g->slots);
	g->slot_count = g->room * 2;
	g->slots = must_large(g->slot_count * sizeof *g->slots);
	memset(g->slots, 0, g->slot_count * sizeof *g->slots);
	for (size_t i = 0; i < g->count; i++)
		place(g, i);
}

static const struct key_fact *generation_find(const struct generation *g, const struct uuid *key, uint64_t hash)
{
	if (g->count == 0)
		return NULL;
	for (size_t at = hash & (g->slot_count - 1); g->slots[at] != 0; at = (at + 1) & (g->slot_count - 1)) {
		if ((g->slots[at] & ~PLACE_MASK) != tag_of(hash))
			continue;
		const struct key_fact *k = &g->rows[(g->slots[at] & PLACE_MASK) - 1];
		if (memcmp(k->key.bytes, key->bytes, UUID_SIZE) == 0)
			return k;
	}
	return NULL;
}

static void turn_over(struct key_memory *m)
{
	if (m->old.count > 0 && m->old.newest_ms > m->dropped_ms)
		m->dropped_ms = m->old.newest_ms;
	generation_close(&m->old);
	m->old = m->young;
	m->young = (struct generation){ 0 };
}

void key_memory_add(struct key_memory *m, const struct key_fact *k)
{
	if (m->young.count >= m->most)
		turn_over(m);
	struct generation *g = &m->young;
	if (g->count == g->room)
		generation_grow(g);
	g->rows[g->count] = *k;
	int64_t time = uuid_time_ms(&k->key);
	if (time > g->newest_ms)
		g->newest_ms = time;
	place(g, g->count++);
}

const struct key_fact *key_memory_find(const struct key_memory *m, const struct uuid *key)
{
	uint64_t hash = hash_of(key);
	const struct key_fact *k = generation_find(&m->young, key, hash);
	return k != NULL ? k : generation_find(&m->old, key, hash);
}

_Bool key_memory_complete_for(const struct key_memory *m, const struct uuid *key)
{
	return uuid_time_ms(key) > m->dropped_ms;
}

void key_memory_complete_after(struct key_memory *m, int64_t unix_ms)
{
	if (unix_ms > m->dropped_ms)
		m->dropped_ms = unix_ms;
}
