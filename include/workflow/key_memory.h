/* key_memory: the answers given to recent keys. Two generations of a fixed size: when the younger is full the older is
 * dropped whole. From then on keys whose own time is not later than the newest one dropped may be on disk only, and
 * key_memory_complete_for says so. */
#ifndef WORKFLOW_KEY_MEMORY_H
#define WORKFLOW_KEY_MEMORY_H

#include "workflow/facts.h"

struct key_memory;

struct key_memory *key_memory_new(size_t per_generation) MUST_USE;
void key_memory_free(struct key_memory *m); /* NULL is fine */
void key_memory_add(struct key_memory *m, const struct key_fact *k);
const struct key_fact *key_memory_find(const struct key_memory *m, const struct uuid *key);
/* Whether a key of this time is here if it was ever accepted. */
_Bool key_memory_complete_for(const struct key_memory *m, const struct uuid *key);
/* At start: keys of times up to this may be on disk only. */
void key_memory_complete_after(struct key_memory *m, int64_t unix_ms);

#endif
