/* random: bytes that nobody can guess, from the kernel: the one place where secrets begin. Any thread. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>

/* Waits only on a machine that has just been switched on for the first time. */
void random_fill(void *out, size_t length);

#endif
