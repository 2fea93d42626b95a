/* command_pool: blocks of commands that came back, kept for the next ones. A command with its outcome is too large for
 * malloc's thread caches, so each report took the heap's lock twice, and the loop and the writer, who share one heap, slept
 * on it a thousand times a second: without that 64 senders are answered a tenth faster (docs/performance.md). A pool belongs to
 * one thread, its door's. */
#ifndef WORKFLOW_COMMAND_POOL_H
#define WORKFLOW_COMMAND_POOL_H

#include "workflow/command.h"

/* Bytes of texts that a kept block has room for; a command with more has a block of its own from the heap. */
#define COMMAND_POOL_ARENA 1024
/* Blocks that are kept; what comes back beyond goes to the heap. 512 are a megabyte and a half. */
#define COMMAND_POOL_MOST 512

struct command_pool;

struct command_pool *command_pool_new(void) MUST_USE;
/* NULL is fine. Commands that are still out may then only be discarded. */
void command_pool_free(struct command_pool *p);
/* As command_new, from a kept block if there is one; p NULL: from the heap. command_free, on the pool's thread, gives it back. */
struct command *command_take(struct command_pool *p, enum command_kind kind, size_t arena) MUST_USE;

/* ---- between command.c and command_pool.c ---- */
void command_begin(struct command *c, enum command_kind kind, size_t arena); /* zeroes it; in command.c */
/* false: it is none of the pool's, or the pool has enough. */
_Bool command_pool_keeps(struct command *c) MUST_USE;

#endif
