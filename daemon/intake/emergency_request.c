#include "intake/emergency_request.h"

#include <inttypes.h>
#include <stdio.h>

#include "intake/question.h"
#include "intake/reach.h"
#include "intake/wire.h"

#define AREA_TEXT_SIZE 24

/* ---- declare, lift ---- */

static void answer_emergency(void *door, struct command *c)
{
	struct session *s = door;
	Gridloop__V1__EmergencyDone m = GRIDLOOP__V1__EMERGENCY_DONE__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;

	m.id = c->outcome.emergency;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_EMERGENCY_DONE;
	f.emergency_done = &m;
	session_answer(s, c, &f);
}

static _Bool submit(struct session *s, uint32_t seq, struct command *c)
{
	if (c)
		session_submit(s, c, seq, answer_emergency);
	return c != NULL;
}

_Bool emergency_declare_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct sender from = session_sender(s, f->replay_at_ms);

	return submit(s, f->seq, convert_declare(f->declare_emergency, &from, why));
}

_Bool emergency_lift_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct sender from = session_sender(s, f->replay_at_ms);

	return submit(s, f->seq, convert_lift(f->lift_emergency, &from, why));
}

/* ---- list ---- */

static void view_emergency(struct question *q, const struct emergency *e, Gridloop__V1__Emergency *out)
{
	char *area = question_take(q, AREA_TEXT_SIZE);

	must(snprintf(area, AREA_TEXT_SIZE, "%" PRId64, e->area) > 0);
	gridloop__v1__emergency__init(out);
	out->id = e->id;
	out->area = wire_text(area);
	out->from_ms = e->from_ms;
	out->to_ms = e->to_ms == EMERGENCY_OPEN ? 0 : e->to_ms;
	out->text = wire_text(e->text);
	out->declared_by = wire_text(e->declared_by);
	out->declared_ms = e->declared_ms;
	out->lifted_by = wire_text(e->lifted_by);
	out->lifted_ms = e->lifted_ms;
	out->in_force = e->from_ms <= q->now_ms && q->now_ms < emergency_end(e);
}

static void ask_emergencies(struct question *q, struct reader *r)
{
	Gridloop__V1__EmergencyList m = GRIDLOOP__V1__EMERGENCY_LIST__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	struct emergency *rows = NULL;
	size_t count = 0, shown = 0, budget = question_budget(q);

	if (!question_went_well(q, query_emergencies(r, &q->rows, &rows, &count)))
		return;
	m.emergencies = question_take(q, count * sizeof *m.emergencies);
	for (size_t i = 0; i < count; i++) {
		if (!reach_concerns(q->policy, q->person, rows[i].area))
			continue;
		m.emergencies[shown] = question_take(q, sizeof *m.emergencies[shown]);
		view_emergency(q, &rows[i], m.emergencies[shown++]);
	}
	m.n_emergencies = question_fit((const ProtobufCMessage *const *)m.emergencies, shown, &budget);
	f.seq = q->seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_EMERGENCY_LIST;
	f.emergency_list = &m;
	question_reply(q, &f);
}

_Bool emergency_list_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct question *q = question_new(s, f->seq, sizeof *q, ask_emergencies);

	return question_send(q, why);
}
