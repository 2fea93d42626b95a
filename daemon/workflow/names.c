/* names: a set of texts, by open addressing. */
#include "workflow/names.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 256

/* What a look-up needs to pass over other names without going to their texts: those lie anywhere in memory, and a wait
 * for memory is most of what a look-up costs. */
struct slot {
	char *text; /* NULL: free */
	uint32_t hash, length;
};

struct names {
	struct slot *slots;
	size_t count, slot_count; /* slot_count is a power of two, at most half of it used */
};

/* Eight bytes at a time: the usual functions go byte by byte, and this is asked for every person of every report. */
static uint32_t hash_of(const char *text, size_t length)
{
	uint64_t h = length, word;

	for (const char *at = text; length > 0; at += sizeof word) {
		size_t part = length < sizeof word ? length : sizeof word;

		word = 0;
		memcpy(&word, at, part);
		h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
		h ^= h >> 29;
		length -= part;
	}
	return (uint32_t)(h >> 32);
}

struct names *names_new(void)
{
	struct names *n = must_calloc(1, sizeof *n);

	n->slot_count = SLOTS_FIRST;
	n->slots = must_calloc(n->slot_count, sizeof *n->slots);
	return n;
}

void names_free(struct names *n)
{
	if (n == NULL)
		return;
	for (size_t i = 0; i < n->slot_count; i++)
		free(n->slots[i].text);
	free(n->slots);
	free(n);
}

/* The name's slot, or the free one where it would be. */
static struct slot *slot_of(const struct names *n, const char *text, uint32_t length, uint32_t hash)
{
	for (size_t at = hash;; at++) {
		struct slot *s = &n->slots[at & (n->slot_count - 1)];

		if (s->text == NULL || (s->hash == hash && s->length == length && memcmp(s->text, text, length) == 0))
			return s;
	}
}

static void grow(struct names *n)
{
	struct slot *old = n->slots;
	size_t old_count = n->slot_count;

	n->slot_count *= 2;
	n->slots = must_calloc(n->slot_count, sizeof *n->slots);
	for (size_t i = 0; i < old_count; i++)
		if (old[i].text != NULL)
			*slot_of(n, old[i].text, old[i].length, old[i].hash) = old[i];
	free(old);
}

const char *names_intern(struct names *n, const char *text)
{
	if (text == NULL)
		return NULL;

	size_t length = strlen(text);

	must(length <= UINT32_MAX);

	uint32_t hash = hash_of(text, length);
	struct slot *s = slot_of(n, text, (uint32_t)length, hash);

	if (s->text != NULL)
		return s->text;
	if (n->count * 2 >= n->slot_count) {
		grow(n);
		s = slot_of(n, text, (uint32_t)length, hash);
	}
	*s = (struct slot){ must_strdup(text), hash, (uint32_t)length };
	n->count++;
	return s->text;
}
