/* peer: where the other end of a socket is, as one small value to count by and one short text to name it by. An IPv4
 * address that came over an IPv6 socket (::ffff:192.0.2.7) is the IPv4 address; of an IPv6 address only the first 64 bits
 * count, for that much is one household's, which can change the rest at will (RFC 4291, 2.5.4; RFC 6177). Pure but for
 * peer_of, which asks the kernel. */
#ifndef NET_PEER_H
#define NET_PEER_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

enum peer_kind {
	PEER_UNKNOWN, /* gone already, or of a family that is none of these */
	PEER_UNIX,    /* a process of this machine */
	PEER_IPV4,
	PEER_IPV6,
};

struct peer {
	enum peer_kind kind;
	uint64_t number; /* IPv4: the address; IPv6: its first 64 bits, both as numbers; else 0 */
};

#define PEER_TEXT_SIZE (INET6_ADDRSTRLEN + sizeof "/64")

/* Of a connected socket. */
struct peer peer_of(int fd);
struct peer peer_from(const struct sockaddr *address);
/* On this machine: a Unix socket, 127.0.0.0/8 or ::1 (which is kept as 127.0.0.1). */
_Bool peer_is_local(struct peer p);
_Bool peer_same(struct peer a, struct peer b);
/* "192.0.2.7", "2001:db8:1:2::/64", "unix" or "unknown". */
void peer_text(struct peer p, char out[PEER_TEXT_SIZE]);

/* Whether at the other end of this Unix socket is somebody who rules this machine's daemon anyway: root, or its own user
 * (SO_PEERCRED, unix(7): as it was when it connected). p: what peer_of gave for it. */
_Bool peer_rules(struct peer p, int fd);

#endif
