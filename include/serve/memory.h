/* memory: what every library that this program uses does when no memory is left. They cannot be trusted to survive it:
 * OpenSSL 3.0 reads through a lock that it could not make, GEOS 3.11 goes on with a half-built index, libevent 2.1 and
 * evhttp crash or loop. So each of them gets an allocator that never returns NULL: it writes a line and ends the process
 * (base/must.h), which loses nothing that was acknowledged. SQLite's is set in store/store.h.
 *
 * hiredis 0.14 has no place for one; it aborts by itself, and a line is put beside that; where it would crash is seen to
 * in outbox/redis_link.c. libc's own (fopen, getaddrinfo) fail as calls that can fail. tests/fault/malloc.py lets every
 * allocation fail once. */
#ifndef SERVE_MEMORY_H
#define SERVE_MEMORY_H

/* First thing in main: OpenSSL takes an allocator only before it has allocated. */
void memory_fail_stop(void);

#endif
