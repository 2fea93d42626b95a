#include "base/slots.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

struct slots {
	size_t rows, row_size;
	uint8_t secret[SLOTS_SECRET_SIZE];
	_Alignas(struct slot) unsigned char bytes[];
};

/* ---- the hash ---- */

#define WORD sizeof(uint64_t)

static uint64_t turned(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void rounds(uint64_t v[4], int count)
{
	for (; count > 0; count--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = turned(v[1], 13) ^ v[0];
		v[3] = turned(v[3], 16) ^ v[2];
		v[0] = turned(v[0], 32) + v[3];
		v[2] += v[1];
		v[1] = turned(v[1], 17) ^ v[2];
		v[3] = turned(v[3], 21) ^ v[0];
		v[2] = turned(v[2], 32);
	}
}

static uint64_t word_at(const uint8_t *bytes, size_t length)
{
	uint64_t word = 0;

	memcpy(&word, bytes, length);
	return le64toh(word);
}

static void take_in(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, 2);
	v[0] ^= word;
}

uint64_t slots_hash(const uint8_t secret[SLOTS_SECRET_SIZE], const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint64_t k0 = word_at(secret, WORD), k1 = word_at(secret + WORD, WORD);
	uint64_t v[4] = { k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
		          k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) };
	size_t left = length;

	for (; left >= WORD; left -= WORD, at += WORD)
		take_in(v, word_at(at, WORD));
	take_in(v, (uint64_t)length << 56 | (left ? word_at(at, left) : 0));
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- the table ---- */

struct slots *slots_new(size_t rows, size_t row_size)
{
	must(rows > 0 && rows % SLOTS_WAYS == 0 && row_size % _Alignof(struct slot) == 0);

	struct slots *s = must_calloc(1, sizeof *s + rows * row_size);

	s->rows = rows;
	s->row_size = row_size;
	random_fill(s->secret, sizeof s->secret);
	return s;
}

void slots_free(struct slots *s)
{
	free(s);
}

uint64_t slots_key(const struct slots *s, const void *bytes, size_t length)
{
	uint64_t key = slots_hash(s->secret, bytes, length);

	return key ? key : 1;
}

void *slots_at(const struct slots *s, size_t i)
{
	return i < s->rows ? (void *)(uintptr_t)(s->bytes + i * s->row_size) : NULL;
}

static size_t first_of(const struct slots *s, uint64_t key)
{
	return key % (s->rows / SLOTS_WAYS) * SLOTS_WAYS;
}

void *slots_find(const struct slots *s, uint64_t key)
{
	for (size_t i = 0; i < SLOTS_WAYS; i++) {
		struct slot *slot = slots_at(s, first_of(s, key) + i);

		if (slot->key == key)
			return slot;
	}
	return NULL;
}

void *slots_need(struct slots *s, uint64_t key)
{
	struct slot *best = slots_find(s, key);

	if (best)
		return best;
	for (size_t i = 0; i < SLOTS_WAYS; i++) {
		struct slot *slot = slots_at(s, first_of(s, key) + i);

		if (!best || (best->key != 0 && (slot->key == 0 || slot->rank < best->rank)))
			best = slot;
	}
	memset(best, 0, s->row_size);
	best->key = key;
	return best;
}

void slots_forget(struct slots *s, uint64_t key)
{
	struct slot *slot = slots_find(s, key);

	if (slot)
		memset(slot, 0, s->row_size);
}
