#include "net/peer.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOPBACK_NET 127 /* the first byte of 127.0.0.0/8 */

static struct peer from_four(uint32_t address)
{
	return (struct peer){ PEER_IPV4, address };
}

static struct peer from_six(const struct in6_addr *a)
{
	uint32_t four;
	uint64_t net;

	if (IN6_IS_ADDR_LOOPBACK(a))
		return from_four(INADDR_LOOPBACK);
	if (IN6_IS_ADDR_V4MAPPED(a)) {
		memcpy(&four, a->s6_addr + 12, sizeof four);
		return from_four(ntohl(four));
	}
	memcpy(&net, a->s6_addr, sizeof net);
	return (struct peer){ PEER_IPV6, be64toh(net) };
}

struct peer peer_from(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return from_four(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
	if (address->sa_family == AF_INET6)
		return from_six(&((const struct sockaddr_in6 *)address)->sin6_addr);
	return (struct peer){ address->sa_family == AF_UNIX ? PEER_UNIX : PEER_UNKNOWN, 0 };
}

struct peer peer_of(int fd)
{
	struct sockaddr_storage at = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof at;

	if (getpeername(fd, (struct sockaddr *)&at, &length) == -1)
		return (struct peer){ PEER_UNKNOWN, 0 };
	return peer_from((const struct sockaddr *)&at);
}

_Bool peer_is_local(struct peer p)
{
	return p.kind == PEER_UNIX || (p.kind == PEER_IPV4 && p.number >> 24 == LOOPBACK_NET);
}

_Bool peer_same(struct peer a, struct peer b)
{
	return a.kind == b.kind && a.number == b.number;
}

void peer_text(struct peer p, char out[PEER_TEXT_SIZE])
{
	static const char *const others[] = { [PEER_UNKNOWN] = "unknown", [PEER_UNIX] = "unix" };
	struct in_addr four = { htonl((uint32_t)p.number) };
	struct in6_addr six = { 0 };
	uint64_t net = htobe64(p.number);
	char address[INET6_ADDRSTRLEN];

	memcpy(six.s6_addr, &net, sizeof net);
	if (p.kind == PEER_IPV4)
		(void)snprintf(out, PEER_TEXT_SIZE, "%s", inet_ntop(AF_INET, &four, address, sizeof address));
	else if (p.kind == PEER_IPV6)
		(void)snprintf(out, PEER_TEXT_SIZE, "%s/64", inet_ntop(AF_INET6, &six, address, sizeof address));
	else
		(void)snprintf(out, PEER_TEXT_SIZE, "%s", others[p.kind]);
}

_Bool peer_rules(struct peer p, int fd)
{
	struct ucred who;
	socklen_t length = sizeof who;

	return p.kind == PEER_UNIX && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 &&
	       (who.uid == 0 || who.uid == geteuid());
}
