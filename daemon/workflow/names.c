/* names: a set of texts. */
#include "workflow/names.h"

#include <stdlib.h>
#include <string.h>

#define uthash_fatal(message) must_not_happen(__FILE__, __LINE__, message)
#define HASH_FUNCTION(text, length, out) names_hash(text, length, &(out))
static inline void names_hash(const void *text, size_t length, unsigned *out);
#include <uthash.h>

/* Eight bytes at a time: the usual functions go byte by byte, and this is asked for every person of every report. */
static inline void names_hash(const void *text, size_t length, unsigned *out)
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
	*out = (unsigned)(h >> 32);
}

struct name {
	UT_hash_handle hh;
	char text[];
};

struct names {
	struct name *set;
};

struct names *names_new(void)
{
	return must_calloc(1, sizeof(struct names));
}

void names_free(struct names *n)
{
	if (n == NULL)
		return;
	struct name *one, *next;
	HASH_ITER(hh, n->set, one, next)
	{
		HASH_DEL(n->set, one);
		free(one);
	}
	free(n);
}

const char *names_intern(struct names *n, const char *text)
{
	if (text == NULL)
		return NULL;
	size_t length = strlen(text);
	struct name *one;
	HASH_FIND(hh, n->set, text, length, one);
	if (one == NULL) {
		one = must_calloc(1, sizeof *one + length + 1);
		memcpy(one->text, text, length + 1);
		HASH_ADD_KEYPTR(hh, n->set, one->text, length, one);
	}
	return one->text;
}
