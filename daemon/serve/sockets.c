#include "serve/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/log.h"

/* One row a door; the list in words is for whoever named a socket otherwise. */
static const char *const doors[] = { SOCKETS_TCP, SOCKETS_TLS, SOCKETS_UNIX };
#define DOORS_IN_WORDS SOCKETS_TCP ", " SOCKETS_TLS ", " SOCKETS_UNIX
#define UNIX_PREFIX "unix:"

/* ---- where a socket is ---- */

static void print_place(const struct sockaddr_storage *at, char *out, size_t size)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)at;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)at;
	const char *path = ((const struct sockaddr_un *)at)->sun_path;
	char host[INET6_ADDRSTRLEN];

	if (at->ss_family == AF_INET)
		(void)snprintf(out, size, "%s:%d", inet_ntop(AF_INET, &four->sin_addr, host, sizeof host),
		               ntohs(four->sin_port));
	else if (at->ss_family == AF_INET6)
		(void)snprintf(out, size, "[%s]:%d", inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host),
		               ntohs(six->sin6_port));
	else if (at->ss_family == AF_UNIX)
		(void)snprintf(out, size, "unix:%s%s", path[0] ? "" : "@", path[0] ? path : path + 1);
	else
		(void)snprintf(out, size, "family %d", at->ss_family);
}

static _Bool find_place(int fd, struct sockaddr_storage *at)
{
	socklen_t length = sizeof *at;

	/* A path may fill its field without a terminator. */
	memset(at, 0, sizeof *at);
	return getsockname(fd, (struct sockaddr *)at, &length) == 0;
}

void sockets_text(int fd, char *out, size_t size)
{
	struct sockaddr_storage at;

	if (find_place(fd, &at))
		print_place(&at, out, size);
	else
		(void)snprintf(out, size, "descriptor %d", fd);
}

/* Whether only this machine can reach it. */
static _Bool is_local(int fd)
{
	struct sockaddr_storage at;

	if (!find_place(fd, &at))
		return 0;
	if (at.ss_family == AF_INET)
		return ntohl(((struct sockaddr_in *)&at)->sin_addr.s_addr) >> 24 == 127;
	if (at.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)&at)->sin6_addr);
	return at.ss_family == AF_UNIX;
}

/* ---- taking ---- */

static _Bool option_of(int fd, int option, int *value)
{
	socklen_t length = sizeof *value;

	return getsockopt(fd, SOL_SOCKET, option, value, &length) == 0;
}

static _Bool listens(int fd)
{
	int type = 0, accepting = 0;

	return option_of(fd, SO_TYPE, &type) && type == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN, &accepting) &&
	       accepting;
}

static _Bool is_door(const char *name)
{
	for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
		if (strcmp(doors[i], name) == 0)
			return 1;
	return 0;
}

/* Only with listen_tls has the certificate been asked for and looked at. */
static _Bool admit_tls(const struct config *c, const char *place, char **cause)
{
	if (*c->listen_tls)
		return 1;
	must(asprintf(cause,
	              "the service manager handed over %s as \"" SOCKETS_TLS "\"; expected listen_tls, tls_certificate "
	              "and tls_key in the configuration",
	              place) >= 0);
	return 0;
}

static _Bool admit(const struct systemd_socket *one, const struct config *c, char **cause)
{
	char place[SOCKETS_TEXT_SIZE];

	sockets_text(one->fd, place, sizeof place);
	if (!is_door(one->name)) {
		must(asprintf(cause,
		              "the service manager handed over %s under the name \"%s\"; expected "
		              "FileDescriptorName= in its socket unit to be one of: " DOORS_IN_WORDS,
		              place, one->name) >= 0);
		return 0;
	}
	if (!listens(one->fd)) {
		must(asprintf(cause,
		              "what the service manager handed over as \"%s\" (%s) is no listening stream socket; "
		              "expected ListenStream= and Accept=no in its socket unit",
		              one->name, place) >= 0);
		return 0;
	}
	if (strcmp(one->name, SOCKETS_TLS) == 0)
		return admit_tls(c, place, cause);
	if (is_local(one->fd) || (c->listen_remote && strcmp(one->name, SOCKETS_TCP) == 0))
		return 1;
	must(asprintf(cause,
	              "the service manager handed over %s as \"%s\", which is not loopback; expected loopback in its "
	              "socket unit, or listen_remote = yes",
	              place, one->name) >= 0);
	return 0;
}

_Bool sockets_take(struct sockets *s, const struct config *c, char **cause)
{
	s->count = systemd_sockets(s->all, SOCKETS_MOST);
	if (s->count > SOCKETS_MOST) {
		must(asprintf(cause, "the service manager handed over %zu sockets; expected at most %d", s->count,
		              SOCKETS_MOST) >= 0);
		return 0;
	}
	for (size_t i = 0; i < s->count; i++)
		if (!admit(&s->all[i], c, cause))
			return 0;
	return 1;
}

size_t sockets_named(const struct sockets *s, const char *name, int *fds, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < s->count && count < most; i++)
		if (strcmp(s->all[i].name, name) == 0)
			fds[count++] = s->all[i].fd;
	return count;
}

/* ---- beside the configuration ---- */

/* A socket file that the configuration does not name is a door more, and no surprise. */
static _Bool is_listed(const struct config *c, const char *addresses, const char *place)
{
	char address[CONFIG_ADDRESS_SIZE];
	size_t prefix = strlen(UNIX_PREFIX);

	if (strncmp(place, UNIX_PREFIX, prefix) == 0)
		return !*c->listen_unix || strcmp(place + prefix, c->listen_unix) == 0;

	for (size_t i = 0; config_address(addresses, i, address); i++)
		if (strcmp(address, place) == 0)
			return 1;
	return 0;
}

void sockets_compare(const struct sockets *s, const char *name, const struct config *c)
{
	const char *addresses = strcmp(name, SOCKETS_TLS) == 0    ? c->listen_tls
	                        : strcmp(name, SOCKETS_UNIX) == 0 ? c->listen_unix
	                                                          : c->listen;

	for (size_t i = 0; i < s->count; i++) {
		char place[SOCKETS_TEXT_SIZE];

		sockets_text(s->all[i].fd, place, sizeof place);
		if (strcmp(s->all[i].name, name) == 0 && !is_listed(c, addresses, place))
			log_line(LOG_LEVEL_WARNING, "listen-not-used",
			         "door=%s handed_over=\"%s\" listen=\"%s\" why=\"the socket unit decides where\"", name,
			         place, addresses);
	}
}
