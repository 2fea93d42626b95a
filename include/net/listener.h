/* listener: takes new connections from its listening sockets, never more than it may have open over all of them, and
 * pauses when the process runs out of descriptors instead of spinning. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <event2/event.h>
#include <stddef.h>

#include "base/must.h"

struct listener;

#define LISTENER_SOCKETS_MOST 17

struct listener_options {
	const char *const
		*addresses; /* "127.0.0.1:7311", "[::1]:7311", ":7311" (every address) or "unix:/path" (0660) */
	size_t address_count;
	const int *fds; /* already listening sockets to take over; when there are any, addresses are left alone */
	size_t fd_count;
	int most; /* open connections at once; beyond that they wait in the kernel's queue */
	/* A new connection: non-blocking, close-on-exec, TCP_NODELAY; socket counts the addresses (or fds). Owns fd from
	 * here; says listener_gone when it ends. */
	void (*accepted)(void *ctx, int fd, size_t socket);
	void *ctx;
};

/* All sockets or none: NULL with *cause (heap). */
struct listener *listener_new(struct event_base *base, const struct listener_options *o, char **cause) MUST_USE;
void listener_free(struct listener *l); /* NULL is fine */
/* Closes the sockets; connections go on. Safe twice. */
void listener_stop(struct listener *l);
/* One accepted connection has ended. */
void listener_gone(struct listener *l);
int listener_open_count(const struct listener *l);
/* The port the i-th socket is bound to (of use with port 0); 0 for other sockets and past the end. */
int listener_port(const struct listener *l, size_t i);

#endif
