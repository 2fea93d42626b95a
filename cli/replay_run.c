#include "replay_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "replay_prepare.h"
#include "replay_redis.h"

#define SETTLE_WAIT_MS (30 * CLOCK_MINUTE_MS)

static int compare_ops(const void *a, const void *b)
{
	const struct replay_op *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return (int)x->step - (int)y->step;
}

struct replay_op *replay_moments(const struct replay_file *f, size_t *count)
{
	struct replay_op *ops = must_calloc(f->count * 4 + 1, sizeof *ops);
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++) {
		const struct replay_row *row = &f->rows[i];

		ops[n++] = (struct replay_op){ row->created_ms, (uint32_t)i, STEP_REPORT, FATE_WAITING };
		if (!row->closed_ms)
			continue;
		ops[n++] = (struct replay_op){ row->closed_ms, (uint32_t)i, STEP_FILE, FATE_WAITING };
		ops[n++] = (struct replay_op){ row->closed_ms, (uint32_t)i, STEP_SIGN, FATE_WAITING };
		ops[n++] = (struct replay_op){ row->closed_ms, (uint32_t)i, STEP_HANDLED, FATE_WAITING };
	}
	qsort(ops, n, sizeof *ops, compare_ops);
	*count = n;
	return ops;
}

size_t replay_window(const struct replay_op *moments, size_t count, int64_t window_ms)
{
	int64_t end_ms = INT64_MAX;
	size_t n = 0;

	while (n < count && n < REPLAY_WINDOW_OPS_MOST && moments[n].at_ms < end_ms) {
		if (moments[n].step == STEP_HANDLED && end_ms == INT64_MAX)
			end_ms = moments[n].at_ms + (window_ms > 0 ? window_ms : 1);
		n++;
	}
	return n;
}

/* The two connections, and the scratch list of the checker's round. */
struct play {
	struct lane city, checker;
	struct replay_redis *redis;
	struct replay_op round[2 * REPLAY_WINDOW_OPS_MOST];
};

/* The checker takes and passes what was handled in the window. */
static size_t make_round(const struct replay_op *ops, size_t count, struct replay_op *round)
{
	int64_t end_ms = ops[count - 1].at_ms;
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		if (ops[i].step != STEP_HANDLED || ops[i].fate != FATE_DONE)
			continue;
		round[n++] = (struct replay_op){ end_ms, ops[i].row, STEP_CHECK, FATE_WAITING };
		round[n++] = (struct replay_op){ end_ms, ops[i].row, STEP_PASS, FATE_WAITING };
	}
	return n;
}

static _Bool run_window(struct play *p, struct replay_op *ops, size_t count, struct trouble *why)
{
	if (p->redis && !replay_redis_send(p->redis, p->city.file, &p->city.login, ops, count, why))
		return 0;
	if (!lane_run(&p->city, ops, count, why))
		return 0;
	p->city.tally->windows++;

	size_t in_round = make_round(ops, count, p->round);

	return in_round == 0 || lane_run(&p->checker, p->round, in_round, why);
}

/* ---- the end ---- */

static server_frame *ask_stats(struct client *c, Gridloop__V1__StatsBy by, struct trouble *why)
{
	Gridloop__V1__GetStats get = GRIDLOOP__V1__GET_STATS__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	get.by = by;
	frame.body_case = CLIENT_BODY(GET_STATS);
	frame.get_stats = &get;

	server_frame *f = client_ask(c, &frame, CLIENT_REPLY_MS, why);

	if (f && (f->body_case != SERVER_BODY(STATS) || !f->stats->total)) {
		trouble_set(why, EXIT_LOST, "the daemon sent no total");
		wire_free(f);
		return NULL;
	}
	return f;
}

static _Bool settle(struct client *c, struct trouble *why)
{
	Gridloop__V1__AdvanceClock clock = GRIDLOOP__V1__ADVANCE_CLOCK__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	clock.settle = 1;
	frame.body_case = CLIENT_BODY(ADVANCE_CLOCK);
	frame.advance_clock = &clock;

	server_frame *f = client_ask(c, &frame, SETTLE_WAIT_MS, why);

	wire_free(f);
	return f != NULL;
}

static _Bool finish(const char *server, struct replay_result *out, struct trouble *why)
{
	struct login login = { .server = server, .who = REPLAY_OPERATOR, .token = REPLAY_TOKEN REPLAY_OPERATOR };
	struct client *c = client_open(&login, why);
	server_frame *stats = c && settle(c, why) ? ask_stats(c, GRIDLOOP__V1__STATS_BY__BY_ALL, why) : NULL;

	client_close(c);
	if (!stats)
		return 0;

	const wire_stats_row *total = stats->stats->total;

	out->received = total->received;
	out->archived = total->archived;
	out->open = total->open;
	out->closed = total->closed;
	out->merged = total->merged;
	out->outside = total->told_outside;
	out->to_be_located = total->told_nowhere;
	out->located = total->received - total->told_outside - total->told_nowhere;
	wire_free(stats);
	return 1;
}

static void play_close(struct play *p)
{
	lane_close(&p->city);
	lane_close(&p->checker);
	replay_redis_close(p->redis);
	free(p);
}

static _Bool run_all(struct play *p, struct replay_op *ops, size_t count, const struct replay_options *o,
                     void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx, struct trouble *why)
{
	for (size_t at = 0; at < count;) {
		size_t n = replay_window(ops + at, count - at, o->window_ms);

		if (!run_window(p, ops + at, n, why))
			return 0;
		at += n;
		if (progress)
			progress(ctx, (int64_t)at, (int64_t)count);
	}
	return 1;
}

_Bool replay_run(struct replay_file *f, const struct replay_options *o,
                 void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx, struct replay_result *out,
                 struct trouble *why)
{
	struct clock clock = clock_system();
	int64_t start_ms = clock.mono_ms(clock.ctx);
	struct play *p = must_calloc(1, sizeof *p);
	size_t count;

	*out = (struct replay_result){ 0 };
	p->city = (struct lane){ { .server = o->server, .who = REPLAY_CITY, .token = REPLAY_TOKEN REPLAY_CITY },
		                 NULL,
		                 f,
		                 &out->tally,
		                 o->depth,
		                 o->redis != NULL };
	p->checker =
		(struct lane){ { .server = o->server, .who = REPLAY_CHECKER, .token = REPLAY_TOKEN REPLAY_CHECKER },
		               NULL,
		               f,
		               &out->tally,
		               o->depth,
		               0 };
	p->redis = o->redis ? replay_redis_open(o->redis, why) : NULL;
	if (o->redis && !p->redis) {
		play_close(p);
		return 0;
	}

	struct replay_op *ops = replay_moments(f, &count);
	_Bool good = run_all(p, ops, count, o, progress, ctx, why);

	out->tally.took_ms = clock.mono_ms(clock.ctx) - start_ms;
	free(ops);
	play_close(p);
	return good && finish(o->server, out, why);
}
