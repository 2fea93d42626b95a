#include "jurisdiction/lookup.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"

/* Out of memory is fail-stop here as everywhere; the library's own exit(-1) would look like an orderly end. */
#define uthash_fatal(what) must_not_happen(__FILE__, __LINE__, what)
#include <uthash.h>

struct lookup_entry {
	UT_hash_handle hh;
	void *value;
	char key[];
};

_Bool lookup_add(struct lookup *l, const void *key, size_t size, void *value)
{
	if (lookup_find(l, key, size))
		return 0;

	struct lookup_entry *entry = must_calloc(1, sizeof *entry + size);

	entry->value = value;
	memcpy(entry->key, key, size);
	HASH_ADD_KEYPTR(hh, l->entries, entry->key, size, entry);
	return 1;
}

void *lookup_find(const struct lookup *l, const void *key, size_t size)
{
	struct lookup_entry *entry;

	HASH_FIND(hh, l->entries, key, size, entry);
	return entry ? entry->value : NULL;
}

void *lookup_find_text(const struct lookup *l, const char *key)
{
	return key ? lookup_find(l, key, strlen(key)) : NULL;
}

void *lookup_find_number(const struct lookup *l, int64_t key)
{
	return lookup_find(l, &key, sizeof key);
}

void lookup_close(struct lookup *l)
{
	/* The list's order outlives its table, so the table goes first and then each entry. */
	struct lookup_entry *entry = l->entries;

	HASH_CLEAR(hh, l->entries);
	while (entry) {
		struct lookup_entry *next = entry->hh.next;

		free(entry);
		entry = next;
	}
	l->entries = NULL;
}
