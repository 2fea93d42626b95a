/* send_many: what several sockets have to send, in one system call, where the kernel has Linux's own asynchronous I/O
 * (io_submit(2)); sockets it serves on the spot, one after the other. A peer on this machine is woken by its send and
 * takes the processor from the sender before the next one; within one call it comes behind the last. For one thread. */
#ifndef NET_SEND_MANY_H
#define NET_SEND_MANY_H

#include <stddef.h>
#include <sys/types.h>

#include "base/must.h"

#define SEND_MANY_MOST 64

struct send_one {
	int fd; /* a non-blocking socket */
	const void *bytes;
	size_t length;  /* more than 0 */
	ssize_t result; /* out: as of a transport's write (net/transport.h) */
	_Bool done;     /* out: tried; otherwise it is still to be sent */
};

struct send_many;

struct send_many *send_many_new(void) MUST_USE;
void send_many_free(struct send_many *m); /* NULL is fine */
/* At most SEND_MANY_MOST. SIGPIPE must be ignored. Some or all may be left undone: where the kernel does not know the call
 * or refuses it, the caller sends by itself. */
void send_many(struct send_many *m, struct send_one *ones, size_t count);

#endif
