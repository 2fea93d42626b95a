#include "intake/reload_request.h"

#include <stdlib.h>
#include <string.h>

#include "engine/reload.h"
#include "intake/wire.h"
#include "jurisdiction/rights.h"

#define RETRY_MS 1000
#define AROUND 1024   /* bytes of a Reloaded beside its lines */
#define LINE_AROUND 6 /* tag and length of one line */

struct asked {
	struct reload_ask ask; /* first */
	struct session *session;
	uint32_t seq;
};

static void fill_state(const struct session *s, Gridloop__V1__PolicyState *m)
{
	struct policy_state state;

	engine_policy_state(s->door->engine, &state);
	m->digest = wire_text(state.digest);
	m->from_ms = state.from_ms;
	m->sweeping = state.sweeping;
	m->visited = state.visited;
	m->changed = state.changed;
}

/* As many of the lines as the frame has room for. */
static size_t take_lines(char *const *lines, size_t count, size_t *budget, ProtobufCBinaryData *to)
{
	size_t taken = 0;

	while (taken < count && strlen(lines[taken]) + LINE_AROUND <= *budget) {
		to[taken] = wire_text(lines[taken]);
		*budget -= strlen(lines[taken]) + LINE_AROUND;
		taken++;
	}
	return taken;
}

static void reply(struct session *s, uint32_t seq, const struct reload_result *r)
{
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	Gridloop__V1__Reloaded m = GRIDLOOP__V1__RELOADED__INIT;
	Gridloop__V1__Refusal refusal = GRIDLOOP__V1__REFUSAL__INIT;
	Gridloop__V1__PolicyState state = GRIDLOOP__V1__POLICY_STATE__INIT;
	ProtobufCBinaryData problems[PROBLEMS_MOST + 1], warnings[PROBLEMS_MOST + 1];
	const struct problems *p = r->problems;
	size_t frame = (size_t)s->door->options.frame_most, budget = frame > AROUND ? frame - AROUND : 0;

	must(p->count <= PROBLEMS_MOST + 1 && p->warning_count <= PROBLEMS_MOST + 1);
	if (r->end == RELOAD_REFUSED) {
		refusal.code = (Gridloop__V1__Code)r->why.code;
		refusal.rule = wire_text(r->why.rule);
		refusal.sentence = wire_text(r->why.sentence);
		refusal.retry_after_ms = r->why.retry_after_ms;
		m.refusal = &refusal;
	}
	fill_state(s, &state);
	m.policy = &state;
	m.unchanged = r->end == RELOAD_UNCHANGED;
	m.problems = problems;
	m.n_problems = take_lines(p->lines, p->count, &budget, problems);
	m.warnings = warnings;
	m.n_warnings = take_lines(p->warnings, p->warning_count, &budget, warnings);
	m.left_out = (uint32_t)(p->count - m.n_problems + p->warning_count - m.n_warnings);
	f.seq = seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_RELOADED;
	f.reloaded = &m;
	session_send(s, &f);
}

static void done(struct reload_ask *a, const struct reload_result *r)
{
	struct asked *asked = (struct asked *)a;
	struct session *s = asked->session;

	reply(s, asked->seq, r);
	free(asked);
	session_returned(s);
}

_Bool reload_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	const struct policy *policy = engine_policy(s->door->engine);
	static const struct rights_on whole = { .area = RIGHTS_WHOLE };

	if (!rights_may(policy, s->person, RIGHT_RELOAD, &whole))
		return rights_refuse(policy, s->person, RIGHT_RELOAD, &whole, "area-is-yours", why);
	struct asked *asked = must_calloc(1, sizeof *asked);

	asked->ask.done = done;
	asked->session = s;
	(void)strncat(asked->ask.who, s->person->id, COMMAND_ID_MOST);
	asked->seq = f->seq;
	session_sent_off(s);
	if (engine_reload(s->door->engine, &asked->ask))
		return 1;
	free(asked);
	session_returned(s);
	(void)refuse(why, REFUSAL_RETRY_LATER, "reloads-have-room", "Too many reloads wait already; ask again.");
	why->retry_after_ms = RETRY_MS;
	return 0;
}

_Bool policy_state_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	Gridloop__V1__ServerFrame reply_frame = GRIDLOOP__V1__SERVER_FRAME__INIT;
	Gridloop__V1__PolicyState m = GRIDLOOP__V1__POLICY_STATE__INIT;

	(void)why;
	fill_state(s, &m);
	reply_frame.seq = f->seq;
	reply_frame.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_POLICY_STATE;
	reply_frame.policy_state = &m;
	session_send(s, &reply_frame);
	return 1;
}
