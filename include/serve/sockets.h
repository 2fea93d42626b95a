/* sockets: the listening sockets that a socket unit hands over, by the name of the door they are for. While there are
 * any, the daemon opens none itself: it may not even be allowed to. */
#ifndef SERVE_SOCKETS_H
#define SERVE_SOCKETS_H

#include "base/must.h"
#include "jurisdiction/config.h"
#include "serve/systemd.h"

#define SOCKETS_MOST (2 * CONFIG_ADDRESSES_MOST + 1)
#define SOCKETS_TEXT_SIZE 512

/* FileDescriptorName= of each door's sockets. */
#define SOCKETS_TCP "tcp" /* plain */
#define SOCKETS_TLS "tls"
#define SOCKETS_UNIX "unix" /* a socket file of this machine */

struct sockets {
	struct systemd_socket all[SOCKETS_MOST];
	size_t count; /* 0: none were handed over */
};

/* Takes what was handed over. false with *cause (heap): one has a name no door has, is no listening stream socket, or
 * would let tokens cross a network in the open although the configuration does not say listen_remote, or is for TLS
 * although the configuration, which has the certificate, serves none. */
_Bool sockets_take(struct sockets *s, const struct config *c, char **cause) MUST_USE;
/* Those for one door, at most `most`. */
size_t sockets_named(const struct sockets *s, const char *name, int *fds, size_t most);
/* Where a listening socket is, "127.0.0.1:7311", "[::1]:7311", "unix:/path". */
void sockets_text(int fd, char *out, size_t size);
/* A line in the log when `listen` (or `listen_tls`) names other addresses than were handed over, for then it is not what it seems. */
void sockets_compare(const struct sockets *s, const char *name, const struct config *c);

#endif
