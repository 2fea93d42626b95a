/* key_memory: answers in parts, and an open-addressing table of places in them, twice. */
#include "workflow/key_memory.h"

#include <stdlib.h>
#include <string.h>

/* A slot: 1 + place in rows, and above it some bits of the key's hash, so that the search goes on past another key's slot
 * without going to its row, which lies anywhere in many megabytes. */
#define PLACE_BITS 20
#define PLACE_MASK ((UINT32_C(1) << PLACE_BITS) - 1)
#define PART_ROWS (((size_t)2 << 20) / sizeof(struct key_fact))

/* The slots for all that it can hold are there from the first key on, and rows come a part at a time: nothing is ever moved
 * or hashed again while somebody waits. */
struct generation {
	struct key_fact **parts; /* of PART_ROWS rows; NULL: not needed yet */
	uint32_t *slots;         /* 0: free */
	size_t count;
	int64_t newest_ms; /* of the keys' own times */
};

struct key_memory {
	struct generation young, old;
	size_t most;        /* rows in a generation */
	size_t slot_count;  /* of a generation: at least twice as many as rows, a power of two */
	int64_t dropped_ms; /* newest key time that may be on disk only; -1: none yet */
};

static size_t part_count(const struct key_memory *m)
{
	return (m->most + PART_ROWS - 1) / PART_ROWS;
}

static void generation_open(const struct key_memory *m, struct generation *g)
{
	*g = (struct generation){ .parts = must_calloc(part_count(m), sizeof *g->parts),
		                  .slots = must_calloc(m->slot_count, sizeof *g->slots) };
}

static void generation_close(const struct key_memory *m, struct generation *g)
{
	for (size_t i = 0; g->parts != NULL && i < part_count(m) && g->parts[i] != NULL; i++)
		free(g->parts[i]);
	free(g->slots);
	free(g->parts);
	*g = (struct generation){ 0 };
}

struct key_memory *key_memory_new(size_t per_generation)
{
	struct key_memory *m = must_calloc(1, sizeof *m);

	must(per_generation >= 1 && per_generation < PLACE_MASK);
	m->most = per_generation;
	m->slot_count = 2;
	while (m->slot_count < 2 * per_generation)
		m->slot_count *= 2;
	m->dropped_ms = -1;
	return m;
}

void key_memory_free(struct key_memory *m)
{
	if (m == NULL)
		return;
	generation_close(m, &m->young);
	generation_close(m, &m->old);
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

static struct key_fact *row_of(const struct generation *g, size_t row)
{
	return &g->parts[row / PART_ROWS][row % PART_ROWS];
}

static void place(const struct key_memory *m, struct generation *g, const struct uuid *key, size_t row)
{
	uint64_t hash = hash_of(key);
	size_t at = hash & (m->slot_count - 1);

	while (g->slots[at] != 0)
		at = (at + 1) & (m->slot_count - 1);
	g->slots[at] = tag_of(hash) | ((uint32_t)row + 1);
}

static const struct key_fact *generation_find(const struct key_memory *m, const struct generation *g,
                                              const struct uuid *key, uint64_t hash)
{
	if (g->count == 0)
		return NULL;
	for (size_t at = hash & (m->slot_count - 1); g->slots[at] != 0; at = (at + 1) & (m->slot_count - 1)) {
		if ((g->slots[at] & ~PLACE_MASK) != tag_of(hash))
			continue;
		const struct key_fact *k = row_of(g, (g->slots[at] & PLACE_MASK) - 1);
		if (memcmp(k->key.bytes, key->bytes, UUID_SIZE) == 0)
			return k;
	}
	return NULL;
}

static void turn_over(struct key_memory *m)
{
	if (m->old.count > 0 && m->old.newest_ms > m->dropped_ms)
		m->dropped_ms = m->old.newest_ms;
	generation_close(m, &m->old);
	m->old = m->young;
	m->young = (struct generation){ 0 };
}

void key_memory_add(struct key_memory *m, const struct key_fact *k)
{
	struct generation *g = &m->young;

	if (g->count >= m->most)
		turn_over(m);
	if (g->slots == NULL)
		generation_open(m, g);
	if (g->parts[g->count / PART_ROWS] == NULL)
		g->parts[g->count / PART_ROWS] = must_malloc(PART_ROWS * sizeof(struct key_fact));
	*row_of(g, g->count) = *k;
	int64_t time = uuid_time_ms(&k->key);
	if (time > g->newest_ms)
		g->newest_ms = time;
	place(m, g, &k->key, g->count++);
}

const struct key_fact *key_memory_find(const struct key_memory *m, const struct uuid *key)
{
	uint64_t hash = hash_of(key);
	const struct key_fact *k = generation_find(m, &m->young, key, hash);
	return k != NULL ? k : generation_find(m, &m->old, key, hash);
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
