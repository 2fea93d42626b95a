/* names: a set of texts. */
#include "workflow/names.h"

#include <stdlib.h>
#include <string.h>

#define uthash_fatal(message) must_not_happen(__FILE__, __LINE__, message)
#include <uthash.h>

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
