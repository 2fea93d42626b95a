/* listener: takes new connections from one listening socket, never more than it may have open, and pauses when the
 * process runs out of descriptors instead of spinning. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <event2/event.h>

#include "base/must.h"

struct listener;

struct listener_options {
	const char *address; /* "127.0.0.1:7311", "[::1]:7311" or ":7311" (every address) */
	int fd;              /* ≥ 0: an already listening socket to take over; address is then only a name */
	int most;            /* open connections at once; beyond that they wait in the kernel's queue */
	/* A new connection: non-blocking, close-on-exec, TCP_NODELAY. Owns fd from here; says listener_gone when it ends. */
	void (*accepted)(void *ctx, int fd);
	void *ctx;
};

/* NULL with *cause (heap). */
struct listener *listener_new(struct event_base *base, const struct listener_options *o, char **cause) MUST_USE;
void listener_free(struct listener *l); /* NULL is fine */
/* Closes the socket; connections go on. Safe twice. */
void listener_stop(struct listener *l);
/* One accepted connection has ended. */
void listener_gone(struct listener *l);
int listener_open_count(const struct listener *l);
/* The port it is bound to (of use with port 0); 0 for other sockets. */
int listener_port(const struct listener *l);

#endif
