#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/version.h"
#include "net/tls_client.h"

#define IN_SIZE (4 * WIRE_FRAME_MOST)
#define HOST_SIZE 256
#define PAUSE_FIRST_MS 250
#define PAUSE_MOST_MS 30000

struct client {
	int fd;
	const struct transport *transport;
	struct tls *tls;           /* its state; NULL: plain */
	short reads_on, writes_on; /* what poll must show before another try */
	uint32_t seq;
	uint8_t *out;
	size_t out_at, out_used, out_size;
	uint8_t *in;
	size_t in_at, in_used;
	int64_t now_ms, last_notice;
	char who[128], server[128], roles[512];
};

static int64_t mono_ms(void)
{
	struct clock clock = clock_system();

	return clock.mono_ms(clock.ctx);
}

/* ---- connecting ---- */

/* "host:port" or "[v6]:port" into two texts; false when there is no port. */
static _Bool split_server(const char *server, char *host, size_t host_size, char *port, size_t port_size)
{
	const char *colon = strrchr(server, ':');
	size_t length = colon ? (size_t)(colon - server) : 0;

	if (!colon || length == 0 || colon[1] == '\0' || strlen(colon + 1) >= port_size)
		return 0;
	if (server[0] == '[' && server[length - 1] == ']') {
		server++;
		length -= 2;
	}
	if (length >= host_size)
		return 0;
	snprintf(host, host_size, "%.*s", (int)length, server);
	snprintf(port, port_size, "%s", colon + 1);
	return 1;
}

/* A connected non-blocking socket, or -1 with errno. */
static int connect_one(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, error = 0;
	socklen_t size = sizeof error;

	if (fd < 0)
		return -1;

	struct pollfd wait = { .fd = fd, .events = POLLOUT };

	if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
		if (errno != EINPROGRESS)
			error = errno;
		else if (poll(&wait, 1, CLIENT_CONNECT_MS) != 1)
			error = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
			error = errno;
	}
	if (error) {
		close(fd);
		errno = error;
		return -1;
	}
	/* Small frames must leave at once; a peer that vanished must be noticed. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	return fd;
}

/* "unix:/path" or "/path": the path; NULL: it is a host. */
static const char *socket_path(const char *server)
{
	if (strncmp(server, "unix:", 5) == 0)
		return server + 5;
	return server[0] == '/' ? server : NULL;
}

static int connect_file(const char *path, struct trouble *why)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const struct addrinfo a = { .ai_family = AF_UNIX, .ai_addr = (struct sockaddr *)&at, .ai_addrlen = sizeof at };
	int fd;

	if (strlen(path) >= sizeof at.sun_path) {
		trouble_set(why, EXIT_USAGE, "%.120s… is longer than the path of a socket can be", path);
		return -1;
	}
	memcpy(at.sun_path, path, strlen(path));
	fd = connect_one(&a);
	if (fd < 0)
		trouble_set(why, EXIT_LOST, "cannot reach the daemon at %s: %s", path, strerror(errno));
	return fd;
}

static int connect_any(const char *server, char host[HOST_SIZE], struct trouble *why)
{
	const char *path = socket_path(server);

	if (path) {
		host[0] = '\0';
		return connect_file(path, why);
	}

	char port[16];
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	int fd = -1;

	if (!split_server(server, host, HOST_SIZE, port, sizeof port)) {
		trouble_set(why, EXIT_USAGE, "\"%.100s\" is no server; expected HOST:PORT, such as 127.0.0.1:7311",
		            server);
		return -1;
	}

	int code = getaddrinfo(host, port, &hints, &list);

	if (code != 0) {
		trouble_set(why, EXIT_LOST, "cannot find %.100s: %s", server, gai_strerror(code));
		return -1;
	}
	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
		fd = connect_one(a);
	if (fd < 0)
		trouble_set(why, EXIT_LOST, "cannot reach the daemon at %.100s: %s", server, strerror(errno));
	freeaddrinfo(list);
	return fd;
}

static void keep_welcome(struct client *c, const Gridloop__V1__Welcome *w)
{
	size_t used = 0;

	c->now_ms = w->now_ms;
	c->last_notice = w->last_notice;
	snprintf(c->who, sizeof c->who, "%s", wire_text(w->who));
	snprintf(c->server, sizeof c->server, "%s", wire_text(w->server));
	for (size_t i = 0; i < w->n_roles && used < sizeof c->roles; i++)
		used += (size_t)snprintf(c->roles + used, sizeof c->roles - used, "%s%s", i ? ", " : "",
		                         wire_text(w->roles[i]));
}

static _Bool log_in(struct client *c, const struct login *l, struct trouble *why)
{
	Gridloop__V1__Login login = GRIDLOOP__V1__LOGIN__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	login.who = wire_from_text(l->who);
	login.token = wire_from_text(l->token ? l->token : "");
	login.client = wire_from_text("gridloop " GRIDLOOP_VERSION);
	frame.body_case = CLIENT_BODY(LOGIN);
	frame.login = &login;

	server_frame *reply = client_ask(c, &frame, CLIENT_REPLY_MS, why);

	if (!reply)
		return 0;

	_Bool welcome = reply->body_case == SERVER_BODY(WELCOME);

	if (welcome)
		keep_welcome(c, reply->welcome);
	else
		trouble_set(why, EXIT_LOST, "what answers at %.100s is not gridloopd", l->server);
	wire_free(reply);
	return welcome;
}

static _Bool shake_hands(struct client *c, const struct login *l, struct trouble *why)
{
	int64_t end = mono_ms() + CLIENT_CONNECT_MS;
	ssize_t result;

	while ((result = tls_shake(c->tls)) != 0) {
		int64_t left = end - mono_ms();
		struct pollfd wait = { .fd = c->fd, .events = result == TRANSPORT_WAIT ? POLLIN : POLLOUT };

		if (result == TRANSPORT_FAILED)
			return trouble_set(why, EXIT_LOST, "no safe connection to %.100s: %s", l->server,
			                   tls_failure(c->tls));
		if (left <= 0 || poll(&wait, 1, (int)left) == 0)
			return trouble_set(why, EXIT_LOST, "no safe connection to %.100s: it does not go on",
			                   l->server);
	}
	return 1;
}

static _Bool begin_tls(struct client *c, const struct login *l, const char *host, struct trouble *why)
{
	const struct tls_client_files files = { l->ca, l->certificate, l->key };
	char *cause = NULL;

	c->tls = tls_connect(&files, host, c->fd, &cause);
	if (!c->tls) {
		trouble_set(why, EXIT_USAGE, "%s", cause);
		free(cause);
		return 0;
	}
	c->transport = &transport_tls;
	return shake_hands(c, l, why);
}

static struct client *connect_client(const struct login *l, char host[HOST_SIZE], struct trouble *why)
{
	int fd = connect_any(l->server, host, why);

	if (fd < 0)
		return NULL;

	struct client *c = must_calloc(1, sizeof *c);

	c->fd = fd;
	c->transport = &transport_plain;
	c->reads_on = POLLIN;
	c->writes_on = POLLOUT;
	c->in = must_calloc(1, IN_SIZE);
	return c;
}

static _Bool gets_pong(struct client *c, const struct login *l, struct trouble *why)
{
	Gridloop__V1__Ping ping = GRIDLOOP__V1__PING__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	frame.body_case = CLIENT_BODY(PING);
	frame.ping = &ping;

	server_frame *reply = client_ask(c, &frame, CLIENT_CONNECT_MS, why);
	_Bool pong = reply && reply->body_case == SERVER_BODY(PONG);

	if (reply && !pong)
		trouble_set(why, EXIT_LOST, "what answers at %.100s is not gridloopd", l->server);
	wire_free(reply);
	return pong;
}

_Bool client_answers(const struct login *l, struct trouble *why)
{
	char host[HOST_SIZE];
	struct client *c = connect_client(l, host, why);
	_Bool answers = c != NULL;

	if (c && l->tls)
		/* A certificate for another name is an answer all the same. */
		answers = begin_tls(c, l, host, why) || (c->tls && *tls_failure(c->tls));
	else if (c)
		answers = gets_pong(c, l, why);
	client_close(c);
	return answers;
}

struct client *client_open_as_nobody(const char *server, struct trouble *why)
{
	const struct login l = { .server = server };
	char host[HOST_SIZE];

	return connect_client(&l, host, why);
}

struct client *client_open(const struct login *l, struct trouble *why)
{
	char host[HOST_SIZE];
	struct client *c = connect_client(l, host, why);

	if (!c)
		return NULL;
	if ((l->tls && !begin_tls(c, l, host, why)) || !log_in(c, l, why)) {
		client_close(c);
		return NULL;
	}
	return c;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	c->transport->close(c->tls, c->fd);
	free(c->in);
	free(c->out);
	free(c);
}

int64_t client_now_ms(const struct client *c)
{
	return c->now_ms;
}

const char *client_who(const struct client *c)
{
	return c->who;
}

const char *client_server(const struct client *c)
{
	return c->server;
}

const char *client_roles(const struct client *c)
{
	return c->roles;
}

int64_t client_last_notice(const struct client *c)
{
	return c->last_notice;
}

/* ---- bytes ---- */

static _Bool has_room(const struct client *c)
{
	return IN_SIZE - (c->in_used - c->in_at) >= TRANSPORT_READ_LEAST;
}

static _Bool lost(struct trouble *why, const char *how)
{
	return trouble_set(why, EXIT_LOST, "the connection to the daemon was lost: %s", how);
}

/* What speaks TLS hangs up on a plain login without a word, or with an alert, which is no frame. */
static const char *why_closed(const struct client *c)
{
	_Bool silent = c->in_used == c->in_at;
	_Bool alert = !silent && c->in[c->in_at] == 0x15;

	return !c->tls && !c->who[0] && (silent || alert) ? "it closed at once; if it speaks TLS there, give --tls"
	                                                  : "the daemon closed it";
}

static _Bool lost_by_failure(const struct client *c, struct trouble *why)
{
	const char *of_tls = c->tls ? tls_failure(c->tls) : "";

	return lost(why, *of_tls ? of_tls : strerror(errno));
}

/* One read into the buffer. false: the connection is gone. */
static _Bool read_some(struct client *c, struct trouble *why)
{
	if (c->in_at > 0) {
		memmove(c->in, c->in + c->in_at, c->in_used - c->in_at);
		c->in_used -= c->in_at;
		c->in_at = 0;
	}
	if (!has_room(c))
		return 1;

	ssize_t got = c->transport->read(c->tls, c->fd, c->in + c->in_used, IN_SIZE - c->in_used);

	c->reads_on = got == TRANSPORT_WAIT_OTHER ? POLLOUT : POLLIN;
	if (got == 0)
		return lost(why, why_closed(c));
	if (got == TRANSPORT_FAILED)
		return lost_by_failure(c, why);
	if (got > 0)
		c->in_used += (size_t)got;
	return 1;
}

static _Bool write_some(struct client *c, struct trouble *why)
{
	ssize_t sent = c->transport->write(c->tls, c->fd, c->out + c->out_at, c->out_used - c->out_at);

	c->writes_on = sent == TRANSPORT_WAIT_OTHER ? POLLIN : POLLOUT;
	if (sent == TRANSPORT_FAILED)
		return lost_by_failure(c, why);
	if (sent > 0)
		c->out_at += (size_t)sent;
	if (c->out_at == c->out_used)
		c->out_at = c->out_used = 0;
	return 1;
}

uint32_t client_queue(struct client *c, client_frame *f)
{
	f->seq = ++c->seq ? c->seq : ++c->seq;

	size_t length = gridloop__v1__client_frame__get_packed_size(f);

	if (length > WIRE_FRAME_MOST)
		return 0;
	if (c->out_used + length + 5 > c->out_size) {
		c->out_size = (c->out_used + length + 5) * 2;
		c->out = must_realloc(c->out, c->out_size);
	}
	c->out_used += wire_put_length(c->out + c->out_used, (uint32_t)length);
	c->out_used += gridloop__v1__client_frame__pack(f, c->out + c->out_used);
	return f->seq;
}

size_t client_queued_bytes(const struct client *c)
{
	return c->out_used - c->out_at;
}

_Bool client_flush(struct client *c, struct trouble *why)
{
	while (c->out_at < c->out_used) {
		if (!write_some(c, why))
			return 0;
		if (c->out_at == c->out_used)
			break;

		struct pollfd wait = { .fd = c->fd, .events = (short)(c->writes_on | (has_room(c) ? c->reads_on : 0)) };
		int ready = poll(&wait, 1, CLIENT_REPLY_MS);

		if (ready == 0)
			return lost(why, "it takes no more bytes");
		if (ready > 0 && (wait.revents & (c->reads_on | POLLHUP | POLLERR)) && !read_some(c, why))
			return 0;
	}
	return 1;
}

/* The frame at the front of the buffer; NULL: not whole yet, or with why->exit set: broken. */
static server_frame *take_frame(struct client *c, struct trouble *why)
{
	uint32_t length;
	int prefix = wire_get_length(c->in + c->in_at, c->in_used - c->in_at, &length);

	if (prefix < 0) {
		lost(why, "it sent a frame without end");
		return NULL;
	}
	if (prefix == 0 || c->in_used - c->in_at - (size_t)prefix < length)
		return NULL;

	server_frame *f = wire_unpack(c->in + c->in_at + prefix, length);

	c->in_at += (size_t)prefix + length;
	if (!f)
		lost(why, "it sent what is no frame");
	return f;
}

server_frame *client_receive(struct client *c, int64_t wait_ms, struct trouble *why)
{
	int64_t end = mono_ms() + wait_ms;

	why->exit = EXIT_OK;
	for (;;) {
		server_frame *f = take_frame(c, why);

		if (f || why->exit != EXIT_OK)
			return f;

		int64_t left = end - mono_ms();
		struct pollfd wait = { .fd = c->fd, .events = c->reads_on };
		int ready = poll(&wait, 1, left > 0 ? (int)left : 0);

		if (ready == 0)
			return NULL;
		if (ready > 0 && !read_some(c, why))
			return NULL;
	}
}

/* ---- one at a time ---- */

server_frame *client_ask(struct client *c, client_frame *f, int64_t wait_ms, struct trouble *why)
{
	uint32_t seq = client_queue(c, f);
	int64_t end = mono_ms() + wait_ms;

	if (seq == 0) {
		trouble_set(why, EXIT_USAGE, "this is more than one frame can carry; shorten the texts");
		return NULL;
	}
	if (!client_flush(c, why))
		return NULL;
	for (;;) {
		int64_t left = end - mono_ms();
		server_frame *reply = left > 0 ? client_receive(c, left, why) : NULL;

		if (!reply) {
			if (left <= 0 || why->exit == EXIT_OK)
				lost(why, "no reply in time");
			return NULL;
		}
		if (reply->seq == seq && reply->body_case != SERVER_BODY(REFUSAL))
			return reply;
		if (reply->seq == seq || (reply->seq == 0 && reply->body_case == SERVER_BODY(REFUSAL))) {
			trouble_from_refusal(why, reply->refusal);
			wire_free(reply);
			return NULL;
		}
		wire_free(reply);
	}
}

void client_pause(int attempt, int64_t least_ms)
{
	int64_t ms = PAUSE_FIRST_MS << (attempt < 8 ? attempt - 1 : 7);
	struct timespec now, pause;

	if (ms > PAUSE_MOST_MS)
		ms = PAUSE_MOST_MS;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms += now.tv_nsec / 1000 % (ms / 4 + 1);
	if (ms < least_ms)
		ms = least_ms < PAUSE_MOST_MS ? least_ms : PAUSE_MOST_MS;
	pause = (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	nanosleep(&pause, NULL);
}

server_frame *client_ask_surely(struct client **c, const struct login *l, client_frame *f, struct trouble *why)
{
	_Bool sent = *c != NULL;

	for (int attempt = 1;; attempt++) {
		if (!*c)
			*c = client_open(l, why);
		/* Nobody there from the start: better said at once than after all the tries. */
		if (!*c && !sent)
			return NULL;
		sent = 1;

		server_frame *reply = *c ? client_ask(*c, f, CLIENT_REPLY_MS, why) : NULL;
		_Bool again = why->exit == EXIT_LOST || trouble_passes(why);

		if (reply || !again || attempt == CLIENT_TRIES)
			return reply;
		if (why->exit == EXIT_LOST) {
			client_close(*c);
			*c = NULL;
		}
		fprintf(stderr, "gridloop: %s; trying again\n", why->sentence);
		client_pause(attempt, why->retry_after_ms);
	}
}
