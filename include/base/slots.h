/* slots: a table of fixed size for counting by key what strangers may send: how fast an address comes or a person asks, how
 * often a name was guessed. A key has SLOTS_WAYS rows that it may have; when others hold them all, the one of least rank
 * goes: rank says how much is lost with it, for instance when it was last used. Keys are hashes with a secret of the
 * table, so nobody can choose whom to push out. For one thread. */
#ifndef BASE_SLOTS_H
#define BASE_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"

#define SLOTS_WAYS 8

/* The first member of a row. */
struct slot {
	uint64_t key; /* 0: free */
	int64_t rank;
};

struct slots;

/* rows: a multiple of SLOTS_WAYS. row_size: of a struct that begins with a struct slot and is only numbers. */
struct slots *slots_new(size_t rows, size_t row_size) MUST_USE;
void slots_free(struct slots *s); /* NULL is fine */

/* Any bytes as a key, which is never 0. */
uint64_t slots_key(const struct slots *s, const void *bytes, size_t length);
/* NULL: it has none. */
void *slots_find(const struct slots *s, uint64_t key);
/* Its row; a new one is zero but for the key. */
void *slots_need(struct slots *s, uint64_t key);
/* Its row is free again. */
void slots_forget(struct slots *s, uint64_t key);
/* Every row, free ones too, to be looked at or changed; NULL past the end. */
void *slots_at(const struct slots *s, size_t i);

/* SipHash-2-4 (Aumasson and Bernstein, 2012). */
#define SLOTS_SECRET_SIZE 16
uint64_t slots_hash(const uint8_t secret[SLOTS_SECRET_SIZE], const void *bytes, size_t length);

#endif
