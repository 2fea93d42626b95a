/* lookup: finds a row by its key in constant time. Keys are copied, values belong to the caller. */
#ifndef JURISDICTION_LOOKUP_H
#define JURISDICTION_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

struct lookup_entry;

/* A zeroed lookup is empty. */
struct lookup {
	struct lookup_entry *entries;
};

/* false: the key is there already, and nothing was changed. value is not NULL. */
_Bool lookup_add(struct lookup *l, const void *key, size_t size, void *value);
/* NULL when unknown. */
void *lookup_find(const struct lookup *l, const void *key, size_t size);
void *lookup_find_text(const struct lookup *l, const char *key); /* a NULL key is unknown */
void *lookup_find_number(const struct lookup *l, int64_t key);
/* Safe twice. */
void lookup_close(struct lookup *l);

#endif
