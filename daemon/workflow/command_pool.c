#include "workflow/command_pool.h"

#include <stdlib.h>
#include <string.h>

#ifndef __has_feature /* clang's way to tell of a sanitizer; gcc has a macro for each */
#define __has_feature(name) 0
#endif

/* Under a sanitizer nothing is kept, so that a command that is used after its end is found. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer)
#define KEPT_MOST 0
#else
#define KEPT_MOST COMMAND_POOL_MOST
#endif

struct command_pool {
	size_t count;
	struct command *kept[COMMAND_POOL_MOST];
};

struct command_pool *command_pool_new(void)
{
	return must_calloc(1, sizeof(struct command_pool));
}

void command_pool_free(struct command_pool *p)
{
	if (p == NULL)
		return;
	while (p->count > 0)
		free(p->kept[--p->count]);
	free(p);
}

struct command *command_take(struct command_pool *p, enum command_kind kind, size_t arena)
{
	struct command *c;

	if (p == NULL || arena > COMMAND_POOL_ARENA)
		return command_new(kind, arena);
	if (p->count == 0) {
		c = command_new(kind, COMMAND_POOL_ARENA);
	} else {
		c = p->kept[--p->count];
		command_begin(c, kind, COMMAND_POOL_ARENA);
	}
	c->pool = p;
	return c;
}

_Bool command_pool_keeps(struct command *c)
{
	struct command_pool *p = c->pool;

	if (p == NULL || p->count + 1 > KEPT_MOST)
		return 0;
	p->kept[p->count++] = c;
	return 1;
}
