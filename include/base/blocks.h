/* blocks: large blocks of memory, some of them made ready by a thread of their own before they are asked for. The first
 * touch of fresh memory is dear (4 ms for 2 MiB on some virtual machines), and whoever answers reports should not be the
 * one who waits for it. */
#ifndef BASE_BLOCKS_H
#define BASE_BLOCKS_H

#include <stddef.h>

#include "base/must.h"

#define BLOCK_SIZE ((size_t)2 << 20) /* one large page */
/* Most need few: who has taken so many is taken for one who goes on, and from then on finds so many ready. */
#define BLOCKS_PLAIN 4
#define BLOCKS_READY 3

struct blocks;

/* Of one thread that takes and gives. */
struct blocks *blocks_new(void) MUST_USE;
/* Only what is ready is its own: what was taken is freed by its taker, before or after. NULL is fine. */
void blocks_free(struct blocks *b);
/* BLOCK_SIZE bytes, not zeroed, aligned to it; free() or blocks_give() them. b NULL: nothing is made ready. */
void *blocks_take(struct blocks *b) MUST_USE;
/* Back for the next taker; b NULL: freed. */
void blocks_give(struct blocks *b, void *block);

#endif
