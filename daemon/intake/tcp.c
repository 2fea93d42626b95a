#include "intake/tcp.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "intake/session.h"
#include "intake/subscribe.h"
#include "net/frame.h"
#include "net/tls.h"

#define ARENA_BYTES (512 * 1024) /* for one frame's message: a full batch with room to spare */

/* ---- towards the engine ---- */

static void hold(struct tcp_door *d, struct command *c)
{
	struct held_command *h = must_calloc(1, sizeof *h);

	h->command = c;
	STAILQ_INSERT_TAIL(&d->held, h, next);
	stream_loop_hold(d->streams);
}

static void hand_over(void *ctx)
{
	struct tcp_door *d = ctx;

	for (size_t i = 0; i < d->gathered_count; i++) {
		struct command *c = d->gathered[i];

		/* Behind a held one everything waits, or the order of arrival would be lost. */
		if (!STAILQ_EMPTY(&d->held) || !engine_submit(d->engine, c))
			hold(d, c);
	}
	d->gathered_count = 0;
}

void tcp_door_submit(struct tcp_door *d, struct command *c)
{
	if (d->gathered_count == DOOR_GATHER_MOST)
		hand_over(d);
	d->gathered[d->gathered_count++] = c;
}

void tcp_door_submit_at_once(struct tcp_door *d, struct command *c)
{
	tcp_door_submit(d, c);
	hand_over(d);
}

static void on_space(void *ctx)
{
	struct tcp_door *d = ctx;
	struct held_command *h;

	while ((h = STAILQ_FIRST(&d->held))) {
		if (!engine_submit(d->engine, h->command))
			return;
		STAILQ_REMOVE_HEAD(&d->held, next);
		free(h);
	}
	if (!d->stopping)
		stream_loop_release(d->streams);
}

static void on_news(void *ctx, const struct news *n)
{
	struct tcp_door *d = ctx;

	subscribers_hear(d->subscribers, n);
}

static void on_policy(void *ctx)
{
	struct tcp_door *d = ctx;
	struct session *s;

	LIST_FOREACH(s, &d->sessions, all)
	session_change_policy(s);
}

/* ---- what proves people ---- */

static void look_at_proofs(void *ctx)
{
	struct tcp_door *d = ctx;
	struct session *s;

	d->first_end_ms = 0;
	LIST_FOREACH(s, &d->sessions, all)
	session_look_at_proof(s);
}

void tcp_door_expects_end(struct tcp_door *d, int64_t expires_ms)
{
	if (expires_ms != 0 && (d->first_end_ms == 0 || expires_ms < d->first_end_ms))
		d->first_end_ms = expires_ms;
}

static void on_tick(int fd, short what, void *ctx)
{
	struct tcp_door *d = ctx;

	(void)fd;
	(void)what;
	logins_tick(d->logins, engine_mono_ms(d->engine));
	if (d->first_end_ms != 0 && engine_now_ms(d->engine) >= d->first_end_ms)
		look_at_proofs(d);
}

/* ---- what the audit is told of logins ---- */

static void on_noted(void *door, struct command *c)
{
	(void)door; /* it may be gone */
	command_free(c);
}

static void note(void *ctx, enum audited what, const char *subject, const char *channel, int64_t count)
{
	struct tcp_door *d = ctx;
	struct command *c = command_new(COMMAND_NOTE, subject ? strlen(subject) + 1 : 0);

	c->channel = channel;
	c->value = what;
	c->person = subject ? command_text(c, subject, strlen(subject)) : NULL;
	c->posts = count < INT32_MAX ? (int32_t)count : INT32_MAX;
	c->origin.answer = on_noted;
	c->origin.door = d;
	tcp_door_submit_at_once(d, c);
}

static void start_ticking(struct tcp_door *d)
{
	static const struct timeval second = { 1, 0 };

	must(event_assign(&d->tick, d->base, -1, EV_PERSIST, on_tick, d) == 0);
	must(event_add(&d->tick, &second) == 0);
}

/* ---- connections ---- */

static void on_accepted(void *ctx, int fd, size_t socket)
{
	struct tcp_door *d = ctx;
	struct clock clock = clock_system();
	struct peer peer = peer_of(fd);
	struct crowd_address *address = crowd_enter(d->crowd, peer, clock.mono_ms(clock.ctx));

	d->counts.accepted++;
	if (!address) {
		(void)close(fd);
		listener_gone(d->listener);
		return;
	}
	d->counts.connections++;
	(void)session_new(d, fd, peer, address, socket >= d->options.plain_count);
}

static struct listener *listen_on(struct tcp_door *d, char **cause)
{
	const struct listener_options options = {
		.addresses = d->options.addresses,
		.address_count = d->options.address_count,
		.fds = d->options.fds,
		.fd_count = d->options.fd_count,
		.most = (int)d->options.connections_most,
		.accepted = on_accepted,
		.ctx = d,
	};

	return listener_new(d->base, &options, cause);
}

/* ---- a life ---- */

struct tcp_door *tcp_door_new(struct event_base *base, struct engine *e, const struct tcp_door_options *o, char **cause)
{
	struct stream_limits limits = {
		.tail_most = (size_t)o->frame_most + FRAME_HEAD_MOST,
		.output_most = (size_t)o->output_most,
		.turned = hand_over,
	};
	struct tcp_door *d = must_calloc(1, sizeof *d);

	limits.ctx = d;
	d->options = *o;
	d->base = base;
	d->engine = e;
	LIST_INIT(&d->sessions);
	STAILQ_INIT(&d->held);
	d->listener = listen_on(d, cause);
	if (!d->listener) {
		tls_server_release(d->options.tls);
		free(d);
		return NULL;
	}
	d->crowd = crowd_new(&d->options.crowd);
	arena_init(&d->arena, ARENA_BYTES);
	d->digester = digester_new();
	d->pool = command_pool_new();
	d->rates = rates_new(&o->rates);
	d->login_limits = login_limits_new(&o->login_limits);
	d->logins = logins_new(note, d);
	d->streams = stream_loop_new(base, &limits);
	d->subscribers = subscribers_new(d);
	engine_on_space(e, on_space, d);
	engine_on_news(e, on_news, d);
	engine_on_policy(e, on_policy, d);
	engine_on_roster(e, look_at_proofs, d);
	start_ticking(d);
	return d;
}

void tcp_door_stop(struct tcp_door *d)
{
	if (d->stopping)
		return;
	d->stopping = 1;
	logins_flush(d->logins);
	event_del(&d->tick);
	listener_stop(d->listener);
	stream_loop_hold(d->streams);
	subscribers_stop(d->subscribers);
}

void tcp_door_set_patience(struct tcp_door *d, int64_t login_ms, int64_t idle_ms)
{
	d->options.login_ms = login_ms;
	d->options.idle_ms = idle_ms;
}

void tcp_door_set_crowd(struct tcp_door *d, const struct crowd_limits *limits)
{
	crowd_set_limits(d->crowd, limits);
}

void tcp_door_set_rates(struct tcp_door *d, const struct rate_limits *limits)
{
	rates_set(d->rates, limits);
}

void tcp_door_set_login_limits(struct tcp_door *d, const struct login_limits_options *limits)
{
	login_limits_set(d->login_limits, limits);
}

void tcp_door_set_tls(struct tcp_door *d, struct tls_server *tls)
{
	if (!d->options.tls) {
		tls_server_release(tls);
		return;
	}
	tls_server_release(d->options.tls);
	d->options.tls = tls;
}

_Bool tcp_door_idle(const struct tcp_door *d)
{
	const struct session *s;

	if (d->gathered_count > 0 || !STAILQ_EMPTY(&d->held) || stream_loop_waiting(d->streams) > 0)
		return 0;
	LIST_FOREACH(s, &d->sessions, all)
	if (s->inflight > 0)
		return 0;
	return 1;
}

static void free_held(struct tcp_door *d)
{
	struct held_command *h;

	while ((h = STAILQ_FIRST(&d->held))) {
		STAILQ_REMOVE_HEAD(&d->held, next);
		command_free(h->command);
		free(h);
	}
	for (size_t i = 0; i < d->gathered_count; i++)
		command_free(d->gathered[i]);
	d->gathered_count = 0;
}

void tcp_door_free(struct tcp_door *d)
{
	struct session *s;

	if (!d)
		return;
	tcp_door_stop(d);
	stream_loop_free(d->streams);
	/* What is left waits for answers that the engine, already gone, will never bring. */
	while ((s = LIST_FIRST(&d->sessions)))
		session_free(s);
	free_held(d);
	subscribers_free(d->subscribers);
	listener_free(d->listener);
	crowd_free(d->crowd);
	digester_free(d->digester);
	command_pool_free(d->pool);
	rates_free(d->rates);
	login_limits_free(d->login_limits);
	logins_free(d->logins);
	arena_close(&d->arena);
	tls_server_release(d->options.tls);
	free(d);
}

int tcp_door_port(const struct tcp_door *d, size_t i)
{
	return listener_port(d->listener, i);
}

void tcp_door_counts(const struct tcp_door *d, struct tcp_door_counts *out)
{
	*out = d->counts;
}
