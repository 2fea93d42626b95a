#include "net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

#define ACCEPTS_PER_TURN 64 /* so that a flood of newcomers cannot starve those who are here */
#define PAUSE_MS 100        /* when descriptors or memory have run out */
#define QUEUE_LENGTH 1024   /* connections the kernel may keep for us */
#define HOST_MOST 256
#define UNIX_PREFIX "unix:"
#define UNIX_MODE 0660 /* who is in the daemon's group may come */

struct listening {
	struct listener *listener;
	struct event readable;
	int fd;
	char *path; /* of a socket file of our own, which goes with us */
};

struct listener {
	struct listener_options options;
	struct listening sockets[LISTENER_SOCKETS_MOST];
	size_t count;
	struct event pause_over;
	int reserve_fd; /* given up for a moment to turn a connection away when none are left */
	int open;
	_Bool paused, stopped;
	_Bool told; /* that accepting fails; once a spell, for it comes ten times a second */
};

/* ---- the address ---- */

/* "host:port" in two parts; the host in brackets when it holds colons. */
static _Bool split_address(const char *address, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t length = colon ? (size_t)(colon - address) : 0;

	if (!colon || colon[1] == '\0' || length >= size)
		return 0;
	*port = colon + 1;
	if (length >= 2 && address[0] == '[' && colon[-1] == ']') {
		address++;
		length -= 2;
	} else if (memchr(address, ':', length)) {
		return 0;
	}
	memcpy(host, address, length);
	host[length] = '\0';
	return 1;
}

static int bind_one(const struct addrinfo *a)
{
	static const int on = 1;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, QUEUE_LENGTH) == 0)
		return fd;
	int error = errno;

	(void)close(fd);
	errno = error;
	return -1;
}

static int open_socket(const char *address, char **cause)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	char host[HOST_MOST];
	const char *port;
	int error, fd;

	if (!split_address(address, host, sizeof host, &port)) {
		must(asprintf(cause, "cannot listen on \"%s\": expected host:port", address) >= 0);
		return -1;
	}
	error = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
	if (error != 0) {
		must(asprintf(cause, "cannot listen on %s: %s", address, gai_strerror(error)) >= 0);
		return -1;
	}
	fd = bind_one(found);
	if (fd == -1)
		must(asprintf(cause, "cannot listen on %s: %s", address, strerror(errno)) >= 0);
	freeaddrinfo(found);
	return fd;
}

/* ---- a socket file ---- */

static const char *path_of(const char *address)
{
	size_t length = strlen(UNIX_PREFIX);

	return strncmp(address, UNIX_PREFIX, length) == 0 ? address + length : NULL;
}

/* A file at which nobody listens was left behind by a process that was killed. */
static void remove_dead(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return;
	if (connect(fd, (const struct sockaddr *)at, sizeof *at) == -1 && errno == ECONNREFUSED)
		(void)unlink(at->sun_path);
	(void)close(fd);
}

/* Nobody can connect before it listens, so nobody does before the mode is right. */
static int bind_file(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (bind(fd, (const struct sockaddr *)at, sizeof *at) == 0 && chmod(at->sun_path, UNIX_MODE) == 0 &&
	    listen(fd, QUEUE_LENGTH) == 0)
		return fd;
	int error = errno;

	(void)close(fd);
	errno = error;
	return -1;
}

static int open_file(const char *path, char **cause)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof at.sun_path) {
		must(asprintf(cause, "cannot listen on %s: a path has at most %zu bytes", path,
		              sizeof at.sun_path - 1) >= 0);
		return -1;
	}
	memcpy(at.sun_path, path, strlen(path));
	remove_dead(&at);
	fd = bind_file(&at);
	if (fd == -1)
		must(asprintf(cause, "cannot listen on %s: %s", path, strerror(errno)) >= 0);
	return fd;
}

/* ---- accepting ---- */

static _Bool takes_more(const struct listener *l)
{
	return !l->stopped && !l->paused && l->open < l->options.most;
}

static void watch(struct listener *l)
{
	_Bool wanted = takes_more(l);

	for (size_t i = 0; i < l->count; i++) {
		struct event *e = &l->sockets[i].readable;
		_Bool watched = event_pending(e, EV_READ, NULL) != 0;

		if (wanted && !watched)
			must(event_add(e, NULL) == 0);
		else if (!wanted && watched)
			event_del(e);
	}
}

static void pause_accepting(struct listener *l)
{
	static const struct timeval span = { PAUSE_MS / 1000, PAUSE_MS % 1000 * 1000 };

	l->paused = 1;
	must(event_add(&l->pause_over, &span) == 0);
	watch(l);
}

static void on_pause_over(int fd, short what, void *arg)
{
	struct listener *l = arg;

	(void)fd;
	(void)what;
	l->paused = 0;
	if (l->reserve_fd == -1)
		l->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	watch(l);
}

/* With no descriptor left the first in the queue would hang there; it is told by a reset to try again later. */
static void turn_one_away(struct listener *l, int listening_fd)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int fd;

	if (l->reserve_fd == -1)
		return;
	(void)close(l->reserve_fd);
	fd = accept4(listening_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd != -1) {
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		(void)close(fd);
	}
	l->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* false: no more for now. */
static _Bool accept_one(struct listener *l, const struct listening *socket)
{
	static const int on = 1;
	int listening_fd = socket->fd;
	int fd = accept4(listening_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd != -1) {
		/* Not every kind of socket knows this option. */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		l->open++;
		l->told = 0;
		l->options.accepted(l->options.ctx, fd, (size_t)(socket - l->sockets));
		return 1;
	}
	if (errno == EAGAIN)
		return 0;
	/* The newcomer may have gone again, which concerns nobody else. */
	if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO || errno == EPERM)
		return 1;
	int error = errno;

	if (!l->told)
		log_errno("accept-failed", "open=%d pause_ms=%d", l->open, PAUSE_MS);
	l->told = 1;
	if (error == EMFILE || error == ENFILE)
		turn_one_away(l, listening_fd);
	pause_accepting(l);
	return 0;
}

static void on_readable(int fd, short what, void *arg)
{
	struct listening *socket = arg;
	struct listener *l = socket->listener;

	(void)fd;
	(void)what;
	for (int i = 0; i < ACCEPTS_PER_TURN && takes_more(l); i++)
		if (!accept_one(l, socket))
			break;
	watch(l);
}

/* ---- a life ---- */

static _Bool take_over(int fd, char **cause)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags != -1 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0)
		return 1;
	must(asprintf(cause, "cannot take over the listening socket %d: %s", fd, strerror(errno)) >= 0);
	return 0;
}

static void add_socket(struct listener *l, struct event_base *base, int fd, const char *path)
{
	struct listening *socket = &l->sockets[l->count++];

	*socket = (struct listening){ .listener = l, .fd = fd, .path = path ? must_strdup(path) : NULL };
	must(event_assign(&socket->readable, base, fd, EV_READ | EV_PERSIST, on_readable, socket) == 0);
}

static _Bool open_all(struct listener *l, struct event_base *base, char **cause)
{
	const struct listener_options *o = &l->options;

	must(o->fd_count <= LISTENER_SOCKETS_MOST && o->address_count <= LISTENER_SOCKETS_MOST);
	for (size_t i = 0; i < o->fd_count; i++) {
		if (!take_over(o->fds[i], cause))
			return 0;
		add_socket(l, base, o->fds[i], NULL);
	}
	for (size_t i = 0; o->fd_count == 0 && i < o->address_count; i++) {
		const char *path = path_of(o->addresses[i]);
		int fd = path ? open_file(path, cause) : open_socket(o->addresses[i], cause);

		if (fd == -1)
			return 0;
		add_socket(l, base, fd, path);
	}
	return 1;
}

struct listener *listener_new(struct event_base *base, const struct listener_options *o, char **cause)
{
	struct listener *l = must_calloc(1, sizeof *l);

	l->options = *o;
	l->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	must(event_assign(&l->pause_over, base, -1, 0, on_pause_over, l) == 0);
	if (!open_all(l, base, cause)) {
		listener_free(l);
		return NULL;
	}
	watch(l);
	return l;
}

void listener_stop(struct listener *l)
{
	if (!l || l->stopped)
		return;
	l->stopped = 1;
	event_del(&l->pause_over);
	for (size_t i = 0; i < l->count; i++) {
		event_del(&l->sockets[i].readable);
		(void)close(l->sockets[i].fd);
		if (l->sockets[i].path)
			(void)unlink(l->sockets[i].path);
		free(l->sockets[i].path);
	}
	if (l->reserve_fd != -1)
		(void)close(l->reserve_fd);
}

void listener_free(struct listener *l)
{
	if (!l)
		return;
	listener_stop(l);
	free(l);
}

void listener_gone(struct listener *l)
{
	must(l->open > 0);
	l->open--;
	if (!l->stopped)
		watch(l);
}

int listener_open_count(const struct listener *l)
{
	return l->open;
}

int listener_port(const struct listener *l, size_t i)
{
	struct sockaddr_storage at;
	socklen_t length = sizeof at;

	if (l->stopped || i >= l->count || getsockname(l->sockets[i].fd, (struct sockaddr *)&at, &length) == -1)
		return 0;
	if (at.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&at)->sin_port);
	if (at.ss_family == AF_INET6)
		return ntohs(((struct sockaddr_in6 *)&at)->sin6_port);
	return 0;
}
