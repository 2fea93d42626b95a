#include "swarm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"

#define IN_ROOM (2 * WIRE_REPLY_MOST)
#define TICK_US 500 /* how often the open loop looks at its schedule */
#define HELLO_WAIT_S 10

struct slot {
	int64_t meant_ns; /* when the request should have left */
	uint32_t seq;
	_Bool busy;
};

struct connection {
	struct swarm *swarm;
	struct event readable, writable;
	struct slot *slots; /* depth of them */
	uint32_t oldest;    /* slot answered next, where answers carry no number */
	uint8_t *out;       /* requests not yet taken by the socket: depth of them fit */
	size_t out_from, out_to;
	uint8_t *in;
	size_t in_used;
	int fd;
};

struct ticket {
	uint32_t connection, slot;
};

struct swarm {
	const struct swarm_options *options;
	struct swarm_result *result;
	struct event_base *base;
	struct event tick, watch;
	struct connection *connections;
	struct request request;
	struct wire_random random;
	int64_t start_ns, measure_ns, end_ns;
	int64_t cpu_at_measure_ns;
	uint64_t scheduled;  /* open loop: requests sent so far */
	struct ticket *idle; /* open loop: slots free to send, a ring */
	size_t idle_first, idle_count, idle_room;
	uint64_t answers_at_watch;
	int silent_s;
	char *why;
	size_t why_room;
	_Bool failed, measuring;
};

static int64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t cpu_ns(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return ((int64_t)u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000 +
	       ((int64_t)u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

static void fail(struct swarm *s, const char *what)
{
	if (!s->failed && what != s->why)
		snprintf(s->why, s->why_room, "%s", what);
	s->failed = 1;
	event_base_loopbreak(s->base);
}

static void flush(struct connection *c)
{
	while (c->out_from < c->out_to) {
		ssize_t n = send(c->fd, c->out + c->out_from, c->out_to - c->out_from, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			event_add(&c->writable, NULL);
			return;
		}
		if (n < 0) {
			fail(c->swarm, strerror(errno));
			return;
		}
		c->out_from += (size_t)n;
	}
	c->out_from = c->out_to = 0;
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd;
	(void)what;
	flush(ctx);
}

/* Puts the slot's next request behind what waits to be written. */
static void send_next(struct connection *c, struct slot *slot, int64_t meant_ns)
{
	struct swarm *s = c->swarm;
	size_t length = s->request.length;

	if (c->out_to + length > (size_t)s->options->depth * length) {
		memmove(c->out, c->out + c->out_from, c->out_to - c->out_from);
		c->out_to -= c->out_from;
		c->out_from = 0;
	}
	slot->seq += (uint32_t)s->options->depth;
	if (slot->seq >= WIRE_SEQ_END)
		slot->seq = WIRE_SEQ_FIRST + (slot->seq - WIRE_SEQ_FIRST) % (uint32_t)s->options->depth;
	slot->meant_ns = meant_ns;
	slot->busy = 1;
	wire_stamp(&s->request, &s->options->wire_options, slot->seq, clock_ns(CLOCK_REALTIME) / 1000000, &s->random,
	           c->out + c->out_to);
	c->out_to += length;
}

static struct slot *answered_slot(struct connection *c, uint32_t seq)
{
	uint32_t depth = (uint32_t)c->swarm->options->depth;
	struct slot *slot;

	if (seq == 0) {
		slot = &c->slots[c->oldest];
		c->oldest = (c->oldest + 1) % depth;
	} else {
		slot = &c->slots[(seq - WIRE_SEQ_FIRST) % depth];
		if (slot->seq != seq)
			return NULL;
	}
	return slot->busy ? slot : NULL;
}

static void begin_measuring(struct swarm *s, int64_t now_ns)
{
	s->measuring = 1;
	s->measure_ns = now_ns;
	s->end_ns = now_ns + (int64_t)(s->options->seconds * 1e9);
	s->cpu_at_measure_ns = cpu_ns();
}

static void end_measuring(struct swarm *s, int64_t now_ns)
{
	s->measuring = 0;
	s->result->seconds = (double)(now_ns - s->measure_ns) / 1e9;
	s->result->core_share = (double)(cpu_ns() - s->cpu_at_measure_ns) / (double)(now_ns - s->measure_ns);
	event_base_loopbreak(s->base);
}

/* Moves from warming up to measuring to the end as time passes. */
static void advance(struct swarm *s, int64_t now_ns)
{
	if (!s->measuring && s->measure_ns == 0 && now_ns >= s->start_ns + (int64_t)(s->options->warm_s * 1e9))
		begin_measuring(s, now_ns);
	else if (s->measuring && now_ns >= s->end_ns)
		end_measuring(s, now_ns);
}

static void count_answer(struct swarm *s, const struct slot *slot, int64_t now_ns)
{
	s->result->all++;
	if (!s->measuring)
		return;
	s->result->answers++;
	histogram_add(&s->result->latency, now_ns - slot->meant_ns);
}

static void set_idle(struct swarm *s, struct connection *c, const struct slot *slot)
{
	struct ticket *t = &s->idle[(s->idle_first + s->idle_count++) % s->idle_room];

	t->connection = (uint32_t)(c - s->connections);
	t->slot = (uint32_t)(slot - c->slots);
}

/* Sends what the schedule says should have left by now, as far as there are idle slots. */
static void keep_schedule(struct swarm *s, int64_t now_ns)
{
	double each_ns = 1e9 / (double)s->options->rate;

	while (s->idle_count > 0) {
		int64_t meant_ns = s->start_ns + (int64_t)((double)s->scheduled * each_ns);
		struct ticket t = s->idle[s->idle_first];
		struct connection *c = &s->connections[t.connection];

		if (meant_ns > now_ns)
			return;
		s->idle_first = (s->idle_first + 1) % s->idle_room;
		s->idle_count--;
		s->scheduled++;
		send_next(c, &c->slots[t.slot], meant_ns);
		flush(c);
	}
}

static _Bool take_replies(struct connection *c, int64_t now_ns)
{
	struct swarm *s = c->swarm;
	size_t at = 0;

	while (at < c->in_used) {
		uint32_t seq;
		_Bool push;
		ssize_t n = s->options->wire->reply(c->in + at, c->in_used - at, 0, &seq, &push, s->why, s->why_room);
		if (n == REPLY_MORE)
			break;
		if (n == REPLY_BAD) {
			fail(s, s->why);
			return 0;
		}
		at += (size_t)n;
		if (push)
			continue;
		struct slot *slot = answered_slot(c, seq);
		if (!slot) {
			fail(s, "an answer to a request that was not sent");
			return 0;
		}
		slot->busy = 0;
		count_answer(s, slot, now_ns);
		if (s->options->rate)
			set_idle(s, c, slot);
		else
			send_next(c, slot, now_ns);
	}
	memmove(c->in, c->in + at, c->in_used - at);
	c->in_used -= at;
	return 1;
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
	struct connection *c = ctx;
	struct swarm *s = c->swarm;
	ssize_t n = recv(fd, c->in + c->in_used, IN_ROOM - c->in_used, 0);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		fail(s, n == 0 ? "the server hung up" : strerror(errno));
		return;
	}
	c->in_used += (size_t)n;
	int64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	if (!take_replies(c, now_ns))
		return;
	if (s->options->rate)
		keep_schedule(s, now_ns);
	else
		flush(c);
	advance(s, now_ns);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct swarm *s = ctx;
	int64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	(void)fd;
	(void)what;
	if (s->options->rate)
		keep_schedule(s, now_ns);
	advance(s, now_ns);
}

static void on_watch(evutil_socket_t fd, short what, void *ctx)
{
	struct swarm *s = ctx;

	(void)fd;
	(void)what;
	s->silent_s = s->result->all == s->answers_at_watch ? s->silent_s + 1 : 0;
	s->answers_at_watch = s->result->all;
	if (s->silent_s >= SWARM_SILENCE_S)
		fail(s, "no answer for a long time");
	else
		advance(s, clock_ns(CLOCK_MONOTONIC)); /* a stall must not stretch the measured time for ever */
}

/* Waits for the greeting's reply; the socket still blocks, with a limit. */
static _Bool say_hello(struct connection *c)
{
	struct swarm *s = c->swarm;
	uint8_t bytes[WIRE_REQUEST_MOST];
	size_t length = s->options->wire->hello(&s->options->wire_options, bytes);
	uint32_t seq;
	_Bool push;

	if (length == 0)
		return 1;
	if (send(c->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
		return 0;
	for (;;) {
		ssize_t n = recv(c->fd, c->in + c->in_used, IN_ROOM - c->in_used, 0);

		if (n <= 0)
			return 0;
		c->in_used += (size_t)n;
		n = s->options->wire->reply(c->in, c->in_used, 1, &seq, &push, s->why, s->why_room);
		if (n == REPLY_MORE)
			continue;
		c->in_used = 0;
		return n != REPLY_BAD;
	}
}

static _Bool connect_one(struct connection *c, const struct sockaddr_in *to)
{
	struct timeval limit = { HELLO_WAIT_S, 0 };
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return 0;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(c->fd, (const struct sockaddr *)to, sizeof *to) != 0 || !say_hello(c))
		return 0;
	return fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0;
}

static _Bool open_connection(struct swarm *s, struct connection *c, const struct sockaddr_in *to)
{
	uint32_t depth = (uint32_t)s->options->depth;

	c->swarm = s;
	c->slots = must_calloc(depth, sizeof *c->slots);
	c->out = must_calloc(depth, s->request.length);
	c->in = must_calloc(1, IN_ROOM);
	for (uint32_t i = 0; i < depth; i++)
		c->slots[i].seq = WIRE_SEQ_FIRST + i;
	if (!connect_one(c, to)) {
		if (s->why[0] == 0)
			snprintf(s->why, s->why_room, "connection %d: %s", (int)(c - s->connections) + 1,
			         strerror(errno));
		return 0;
	}
	event_assign(&c->readable, s->base, c->fd, EV_READ | EV_PERSIST, on_readable, c);
	event_assign(&c->writable, s->base, c->fd, EV_WRITE, on_writable, c);
	event_add(&c->readable, NULL);
	return 1;
}

static _Bool open_all(struct swarm *s)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)s->options->port) };

	if (inet_pton(AF_INET, s->options->host, &to.sin_addr) != 1) {
		snprintf(s->why, s->why_room, "%s is no IPv4 address", s->options->host);
		return 0;
	}
	for (int i = 0; i < s->options->connections; i++)
		if (!open_connection(s, &s->connections[i], &to))
			return 0;
	return 1;
}

/* One request on each connection, then a second on each …, so that none waits for another's sixteen. */
static void send_first(struct swarm *s)
{
	s->start_ns = clock_ns(CLOCK_MONOTONIC);
	for (int d = 0; d < s->options->depth; d++) {
		for (int i = 0; i < s->options->connections; i++) {
			struct connection *c = &s->connections[i];

			if (s->options->rate) {
				set_idle(s, c, &c->slots[d]);
			} else {
				send_next(c, &c->slots[d], s->start_ns);
				flush(c);
			}
		}
	}
}

static void run_loop(struct swarm *s)
{
	static const struct timeval tick = { 0, TICK_US }, second = { 1, 0 };

	event_assign(&s->tick, s->base, -1, EV_PERSIST, on_tick, s);
	event_assign(&s->watch, s->base, -1, EV_PERSIST, on_watch, s);
	if (s->options->rate)
		event_add(&s->tick, &tick);
	event_add(&s->watch, &second);
	send_first(s);
	if (!s->failed)
		event_base_dispatch(s->base);
	event_del(&s->tick);
	event_del(&s->watch);
}

static void close_all(struct swarm *s)
{
	for (int i = 0; i < s->options->connections; i++) {
		struct connection *c = &s->connections[i];

		if (event_initialized(&c->readable)) {
			event_del(&c->readable);
			event_del(&c->writable);
		}
		if (c->swarm && c->fd >= 0)
			close(c->fd);
		free(c->slots);
		free(c->out);
		free(c->in);
	}
	free(s->connections);
	free(s->idle);
	event_base_free(s->base);
}

/* Without EVENT_BASE_FLAG_PRECISE_TIMER libevent's ticks are the kernel's coarse ones of 4 ms. */
static struct event_base *precise_base(void)
{
	struct event_config *config = event_config_new();

	must(config != NULL);
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	struct event_base *base = event_base_new_with_config(config);
	event_config_free(config);
	must(base != NULL);
	return base;
}

_Bool swarm_run(const struct swarm_options *o, struct swarm_result *out, char *why, size_t room)
{
	struct swarm s = { .options = o, .result = out, .why = why, .why_room = room };

	memset(out, 0, sizeof *out);
	why[0] = 0;
	s.random.state = (uint64_t)clock_ns(CLOCK_REALTIME);
	s.base = precise_base();
	o->wire->request(&o->wire_options, &s.request);
	out->payload = s.request.payload;
	out->request_bytes = s.request.length;
	s.connections = must_calloc((size_t)o->connections, sizeof *s.connections);
	s.idle_room = (size_t)o->connections * (size_t)o->depth;
	s.idle = must_calloc(s.idle_room, sizeof *s.idle);
	if (open_all(&s))
		run_loop(&s);
	else
		s.failed = 1;
	close_all(&s);
	return !s.failed;
}
