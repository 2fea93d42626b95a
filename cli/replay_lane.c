#include "replay_lane.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/refusal.h"
#include "replay_prepare.h"
#include "workflow/domain.h"

/* What each step asks for, and the first state of a case that has it behind itself. */
static const struct {
	const char *name;
	int act;
	int state_after;
} steps[STEP_COUNT] = {
	[STEP_REPORT] = { "report", ACT_SUBMIT, STATE_REPORTED },
	[STEP_FILE] = { "file", ACT_FILE, STATE_FILED },
	[STEP_SIGN] = { "sign", ACT_SIGN, STATE_HANDLING },
	[STEP_HANDLED] = { "handled", ACT_HANDLED, STATE_HANDLED },
	[STEP_CHECK] = { "check", ACT_CHECK, STATE_CHECKING },
	[STEP_PASS] = { "pass", ACT_PASS, STATE_CLOSED },
};

/* One pass over the ops: which of them are on their way, in the order sent. */
struct pass {
	struct replay_op *ops;
	size_t count, next;
	uint32_t sent[LANE_DEPTH_MOST]; /* ring of op indexes */
	uint32_t first_seq;             /* of the oldest one on its way */
	int in_flight, oldest;
	int64_t pause_ms; /* the longest "later" heard */
	_Bool later;
};

/* ---- messages ---- */

void replay_report_fill(const struct replay_file *f, const struct replay_row *row, struct replay_report_parts *parts)
{
	char name[160];

	*parts = (struct replay_report_parts){ .report = GRIDLOOP__V1__REPORT__INIT,
		                               .place = GRIDLOOP__V1__PLACE__INIT,
		                               .reporter = GRIDLOOP__V1__REPORTER__INIT };
	snprintf(name, sizeof name, "report:%s", row->id);
	parts->key = uuid_from_name(row->created_ms, name);
	replay_kind_code(&f->kinds[row->kind], parts->code);
	parts->reporter.kind = (Gridloop__V1__ReporterKind)row->reporter_kind;
	parts->place.lat = row->lat;
	parts->place.lon = row->lon;
	parts->report.key = wire_from_uuid(&parts->key);
	parts->report.category = wire_from_text(parts->code);
	parts->report.place = row->placed ? &parts->place : NULL;
	parts->report.address = wire_from_text(row->address);
	parts->report.description = wire_from_text(row->description);
	parts->report.reporter = &parts->reporter;
	parts->report.anonymous = 1;
	parts->report.seen_at_ms = row->created_ms;
}

static uint32_t queue_report(struct lane *l, const struct replay_op *op, const struct replay_row *row)
{
	struct replay_report_parts parts;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;

	replay_report_fill(l->file, row, &parts);
	frame.replay_at_ms = op->at_ms;
	frame.body_case = CLIENT_BODY(SUBMIT);
	frame.submit = &parts.report;
	return client_queue(l->client, &frame);
}

static uint32_t queue_action(struct lane *l, const struct replay_op *op, const struct replay_row *row)
{
	wire_action action = GRIDLOOP__V1__ACTION__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	char name[160];

	snprintf(name, sizeof name, "%s:%s", steps[op->step].name, row->id);

	struct uuid key = uuid_from_name(row->closed_ms, name);

	action.key = wire_from_uuid(&key);
	action.case_number = wire_from_text(row->number);
	action.act = (Gridloop__V1__Act)steps[op->step].act;
	action.grid = wire_from_text(op->step == STEP_FILE ? REPLAY_FIRST_GRID : NULL);
	action.text = wire_from_text(op->step == STEP_HANDLED ? "closed by the city" : NULL);
	frame.replay_at_ms = op->at_ms;
	frame.body_case = CLIENT_BODY(ACTION);
	frame.action = &action;
	return client_queue(l->client, &frame);
}

/* ---- sending ---- */

/* Sends ops until the lane is full or the next one has to wait for the number of its case. */
static void fill_lane(struct lane *l, struct pass *p)
{
	while (p->next < p->count && p->in_flight < l->depth) {
		struct replay_op *op = &p->ops[p->next];
		struct replay_row *row = &l->file->rows[op->row];

		if (op->fate != FATE_WAITING) {
			p->next++;
			continue;
		}
		if (op->step != STEP_REPORT && row->report == REPORT_SENT)
			return;
		/* Behind a report that was told "later", a step waits for the next pass. */
		/* Only what was told without a place waits to be filed. */
		if (op->step == STEP_FILE && row->report == REPORT_KNOWN) {
			op->fate = FATE_DONE;
			p->next++;
			continue;
		}
		if (op->step != STEP_REPORT && row->report != REPORT_KNOWN && row->report != REPORT_UNPLACED) {
			/* What was merged goes the way of its master. */
			op->fate = row->report >= REPORT_MERGED ? FATE_SKIPPED : FATE_WAITING;
			l->tally->skipped += op->fate == FATE_SKIPPED;
			p->next++;
			continue;
		}

		uint32_t seq = op->step == STEP_REPORT ? queue_report(l, op, row) : queue_action(l, op, row);

		must(seq != 0); /* texts were cut when the file was read */
		if (op->step == STEP_REPORT)
			row->report = REPORT_SENT;
		if (p->in_flight == 0)
			p->first_seq = seq;
		p->sent[(p->oldest + p->in_flight++) % LANE_DEPTH_MOST] = (uint32_t)p->next++;
		op->fate = FATE_SENT;
	}
}

/* ---- receiving ---- */

static void keep_refusal(struct lane *l, const struct replay_op *op, const struct trouble *why)
{
	l->tally->refused++;
	if (l->tally->first_refusal[0])
		return;
	snprintf(l->tally->first_refusal, sizeof l->tally->first_refusal, "%s of %.60s: %s (%s)", steps[op->step].name,
	         l->file->rows[op->row].id, why->sentence, why->rule);
}

static void take_refusal(struct lane *l, struct pass *p, struct replay_op *op, const wire_refusal *r)
{
	struct replay_row *row = &l->file->rows[op->row];
	struct trouble why;

	trouble_from_refusal(&why, r);
	if (trouble_passes(&why)) {
		op->fate = FATE_WAITING;
		p->later = 1;
		p->pause_ms = why.retry_after_ms > p->pause_ms ? why.retry_after_ms : p->pause_ms;
		if (op->step == STEP_REPORT)
			row->report = REPORT_UNSENT;
		return;
	}
	if (why.code == REFUSAL_WRONG_STATE && op->step != STEP_REPORT) {
		op->fate = FATE_DOUBT;
		return;
	}
	op->fate = FATE_REFUSED;
	if (op->step == STEP_REPORT)
		row->report = REPORT_REFUSED;
	keep_refusal(l, op, &why);
}

static void take_answer(struct lane *l, struct replay_op *op, const wire_answer *a)
{
	struct replay_row *row = &l->file->rows[op->row];

	op->fate = FATE_DONE;
	l->tally->commands++;
	l->tally->again += a->again && !(l->asks && op->step == STEP_REPORT);
	if (op->step != STEP_REPORT)
		return;
	snprintf(row->number, sizeof row->number, "%s", wire_text(a->case_number));
	row->report = (int)a->state == STATE_MERGED     ? REPORT_MERGED
	              : (int)a->state == STATE_REPORTED ? REPORT_UNPLACED
	                                                : REPORT_KNOWN;
}

/* Replies to one identity's commands may overtake each other only if the daemon breaks its word. */
static _Bool take_reply(struct lane *l, struct pass *p, const server_frame *f, struct trouble *why)
{
	if (f->seq == 0)
		return 1;
	if (f->seq - p->first_seq >= (uint32_t)p->in_flight)
		return trouble_set(why, EXIT_LOST, "the daemon answered what was not asked");

	/* Refusals that a door makes by itself come before the answers of the writer, so any place in the ring may be hit. */
	struct replay_op *op = &p->ops[p->sent[(p->oldest + (int)(f->seq - p->first_seq)) % LANE_DEPTH_MOST]];

	if (f->body_case == SERVER_BODY(ANSWER))
		take_answer(l, op, f->answer);
	else if (f->body_case == SERVER_BODY(REFUSAL))
		take_refusal(l, p, op, f->refusal);
	else
		return trouble_set(why, EXIT_LOST, "the daemon answered something else");
	while (p->in_flight > 0 && p->ops[p->sent[p->oldest]].fate != FATE_SENT) {
		p->oldest = (p->oldest + 1) % LANE_DEPTH_MOST;
		p->first_seq++;
		p->in_flight--;
	}
	return 1;
}

static _Bool receive_one(struct lane *l, struct pass *p, struct trouble *why)
{
	server_frame *f = client_receive(l->client, CLIENT_REPLY_MS, why);

	if (!f && why->exit == EXIT_OK)
		return trouble_set(why, EXIT_LOST, "the daemon did not answer in time");
	if (!f)
		return 0;

	_Bool good = take_reply(l, p, f, why);

	wire_free(f);
	return good;
}

static _Bool run_pass(struct lane *l, struct pass *p, struct trouble *why)
{
	while (p->next < p->count || p->in_flight > 0) {
		int low = l->depth / 2;

		fill_lane(l, p);
		if (!client_flush(l->client, why))
			return 0;
		/* Half a lane at a time, so that what is sent makes large writes. */
		do {
			if (p->in_flight > 0 && !receive_one(l, p, why))
				return 0;
		} while (p->in_flight > (p->next < p->count ? low : 0));
	}
	return 1;
}

/* ---- seeing it through ---- */

/* What was on its way when the connection was lost is sent again. */
static void forget_sent(struct lane *l, struct replay_op *ops, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (ops[i].fate != FATE_SENT)
			continue;
		ops[i].fate = FATE_WAITING;
		l->tally->resent++;
		if (ops[i].step == STEP_REPORT)
			l->file->rows[ops[i].row].report = REPORT_UNSENT;
	}
}

/* The case's state, 0 when it cannot be had. */
static int ask_state(struct lane *l, const char *number)
{
	Gridloop__V1__GetCase get = GRIDLOOP__V1__GET_CASE__INIT;
	client_frame frame = GRIDLOOP__V1__CLIENT_FRAME__INIT;
	struct trouble why;
	int state = 0;

	get.case_number = wire_from_text(number);
	frame.body_case = CLIENT_BODY(GET_CASE);
	frame.get_case = &get;

	server_frame *f = client_ask(l->client, &frame, CLIENT_REPLY_MS, &why);

	if (f && f->body_case == SERVER_BODY(CASE_VIEW) && f->case_view->summary)
		state = (int)f->case_view->summary->state;
	wire_free(f);
	return state;
}

/* A step that could not start is done when the case is past it: an earlier replay did it. */
static void judge_doubts(struct lane *l, struct replay_op *ops, size_t count, _Bool again)
{
	for (size_t i = 0; i < count; i++) {
		struct replay_op *op = &ops[i];

		if (op->fate != FATE_DOUBT)
			continue;
		if (again) {
			op->fate = FATE_WAITING;
			continue;
		}

		int state = ask_state(l, l->file->rows[op->row].number);
		struct trouble why = { .exit = EXIT_REFUSED };

		if (state >= steps[op->step].state_after && state <= STATE_REWARDED && state != STATE_RETURNED) {
			op->fate = FATE_DONE;
			l->tally->commands++;
			l->tally->again++;
			continue;
		}
		op->fate = FATE_REFUSED;
		snprintf(why.sentence, sizeof why.sentence, "case %.40s is %s", l->file->rows[op->row].number,
		         state > 0 && state < STATE_COUNT ? state_info((enum state)state)->name : "not to be seen");
		keep_refusal(l, op, &why);
	}
}

static _Bool any_waiting(const struct replay_op *ops, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ops[i].fate == FATE_WAITING)
			return 1;
	return 0;
}

_Bool lane_run(struct lane *l, struct replay_op *ops, size_t count, struct trouble *why)
{
	for (int attempt = 1; any_waiting(ops, count); attempt++) {
		struct pass p = { .ops = ops, .count = count };
		_Bool kept = 0;

		if (attempt > LANE_TRIES)
			return why->exit == EXIT_LOST
			               ? 0
			               : trouble_set(why, EXIT_REFUSED, "the daemon keeps asking for later");
		*why = (struct trouble){ 0 };
		if (!l->client)
			l->client = client_open(&l->login, why);
		/* Wrong credentials will not become right by waiting. */
		if (!l->client && why->exit != EXIT_LOST)
			return 0;
		if (l->client)
			kept = run_pass(l, &p, why);
		if (kept)
			judge_doubts(l, ops, count, p.later);
		if (!kept) {
			fprintf(stderr, "gridloop: %s; coming back\n", why->sentence);
			forget_sent(l, ops, count);
			lane_close(l);
		}
		if (any_waiting(ops, count))
			client_pause(attempt, p.pause_ms);
	}
	return 1;
}

void lane_close(struct lane *l)
{
	client_close(l->client);
	l->client = NULL;
}
