#include "intake/queries.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "intake/addressee.h"
#include "intake/case_view.h"
#include "intake/check.h"
#include "intake/look.h"
#include "intake/reach.h"
#include "intake/reveal.h"
#include "intake/view.h"
#include "intake/wire.h"
#include "workflow/case_number.h"
#include "store/query_stats.h"

#define PAGE_DEFAULT 20
#define ACCOUNT_MOST (2 * COMMAND_ID_MOST + 1)
#define CURSOR_SIZE 24

static const struct text_rule reporter_rule = TEXT_RULE(TEXT_ID, ACCOUNT_MOST, reporter);
static const struct text_rule handler_rule = TEXT_RULE(TEXT_ID, COMMAND_ID_MOST, handler);
static const struct text_rule person_rule = TEXT_RULE(TEXT_ID, ACCOUNT_MOST, person);
static const struct text_rule purpose_rule = TEXT_RULE(TEXT_LINE, AUDIT_PURPOSE_MOST, purpose);
static const struct text_rule cursor_rule = TEXT_RULE(TEXT_ID, CURSOR_SIZE - 1, cursor);

static _Bool check_page(uint32_t asked, int *limit, struct refusal *why)
{
	*limit = asked ? (int)asked : PAGE_DEFAULT;
	return check_range(asked, 0, QUERY_PAGE_MOST, "limit-is-1-to-100", why);
}

/* ---- one case ---- */

struct case_question {
	struct question q;
	int64_t id;
	char purpose[AUDIT_PURPOSE_MOST + 1]; /* "": none */
};

static void ask_case(struct question *q, struct reader *r)
{
	struct case_answer answer = { 0 };
	Gridloop__V1__CaseView view;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;

	if (!question_went_well(q, query_case(r, ((struct case_question *)q)->id, &q->rows, &answer)))
		return;
	if (!reach_sees(q->policy, q->person, RIGHT_GET_CASE, &answer.row.file, q->now_ms)) {
		struct rights_on on = reach_case(q->policy, q->person, &answer.row.file, q->now_ms);

		question_deny(q, RIGHT_GET_CASE, &on, "case-is-yours");
		return;
	}
	_Bool purpose = ((struct case_question *)q)->purpose[0] != '\0';
	enum reveal how = reveal_of(q->policy, q->person, &answer.row.file, purpose);

	if (purpose && how != REVEAL_ALL) {
		struct rights_on on = reveal_on(q->person, &answer.row.file);

		question_deny(q, RIGHT_UNMASK, &on, "unmasked-for-who-needs-it");
		return;
	}
	if (!case_view_make(q, r, &answer, how, question_budget(q), &view))
		return;
	f.seq = q->seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_CASE_VIEW;
	f.case_view = &view;
	question_reply(q, &f);
}

/* The number as it was asked for; it has been checked. A look with a purpose is recorded as one even if it will be
 * refused: that somebody tried is worth knowing. */
static _Bool send_case(struct case_question *c, const ProtobufCBinaryData *asked, struct refusal *why)
{
	char number[CASE_NUMBER_SIZE] = "";
	struct look look = { .what = AUDITED_LOOK_CASE, .subject = number };

	if (c->purpose[0] != '\0')
		look = (struct look){ .what = AUDITED_UNMASK, .subject = number, .purpose = c->purpose };
	else if (!reach_is_staff(c->q.person))
		look.what = AUDITED_NONE;
	memcpy(number, asked->data, asked->len < sizeof number ? asked->len : sizeof number - 1);
	return look_send(&c->q, &look, why);
}

_Bool query_get_case(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	char purpose[AUDIT_PURPOSE_MOST + 1];
	int64_t id;

	if (!check_case_number(&f->get_case->case_number, 0, &id, why) ||
	    !check_copy(&f->get_case->purpose, &purpose_rule, purpose, sizeof purpose, why))
		return 0;
	struct case_question *q = question_new(s, f->seq, sizeof *q, ask_case);

	q->id = id;
	memcpy(q->purpose, purpose, sizeof purpose);
	return send_case(q, &f->get_case->case_number, why);
}

/* ---- a page of cases ---- */

struct list_question {
	struct question q;
	struct case_filter filter;
	char handler[COMMAND_ID_MOST + 1], reporter[ACCOUNT_MOST + 1];
};

static void reply_list(struct question *q, struct case_list *list)
{
	Gridloop__V1__CaseList m = GRIDLOOP__V1__CASE_LIST__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	size_t budget = question_budget(q) - CURSOR_SIZE;
	int64_t next = list->next_before_id;
	char cursor[CURSOR_SIZE] = "";

	m.cases = question_take(q, list->count * sizeof *m.cases);
	for (size_t i = 0; i < list->count; i++) {
		m.cases[i] = question_take(q, sizeof *m.cases[i]);
		reveal_row(q, &list->rows[i], reveal_of(q->policy, q->person, &list->rows[i].file, 0));
		view_summary(q, &list->rows[i], m.cases[i]);
	}
	m.n_cases = question_fit((const ProtobufCMessage *const *)m.cases, list->count, &budget);
	if (m.n_cases > 0 && m.n_cases < list->count)
		next = list->rows[m.n_cases - 1].file.id;
	if (next != 0)
		must(snprintf(cursor, sizeof cursor, "%" PRId64, next) > 0);
	m.next_cursor = wire_text(cursor);
	f.seq = q->seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_CASE_LIST;
	f.case_list = &m;
	question_reply(q, &f);
}

static void ask_list(struct question *q, struct reader *r)
{
	struct list_question *l = (struct list_question *)q;
	struct case_list list = { 0 };

	l->filter.now_ms = q->now_ms;
	l->filter.handler = l->handler[0] ? l->handler : NULL;
	l->filter.reporter = l->reporter[0] ? l->reporter : NULL;
	if (question_went_well(q, query_list(r, &l->filter, &q->rows, &list)))
		reply_list(q, &list);
}

static _Bool read_states(const Gridloop__V1__ListCases *m, uint32_t *states, struct refusal *why)
{
	for (size_t i = 0; i < m->n_states; i++) {
		if (!check_range((int64_t)m->states[i], STATE_REPORTED, STATE_COUNT - 1, "states-are-known", why))
			return 0;
		*states |= UINT32_C(1) << m->states[i];
	}
	return 1;
}

static _Bool read_cursor(const ProtobufCBinaryData *bytes, int64_t *before_id, struct refusal *why)
{
	char cursor[CURSOR_SIZE];

	if (!check_copy(bytes, &cursor_rule, cursor, sizeof cursor, why))
		return 0;
	if (cursor[0] == '\0' || text_to_int(cursor, 1, INT64_MAX, before_id))
		return 1;
	return refuse(why, REFUSAL_INVALID, "cursor-is-from-a-page", "The cursor is not one of the page before.");
}

static _Bool read_filter(const Gridloop__V1__ListCases *m, struct list_question *l, struct refusal *why)
{
	struct case_filter *filter = &l->filter;

	filter->overdue = m->overdue;
	filter->open_only = m->open_only;
	filter->unlocated = m->unlocated;
	filter->doubted = m->doubted;
	filter->from_ms = m->from_ms;
	filter->to_ms = m->to_ms;
	return check_area(&m->area, &filter->area, why) && check_category(&m->category, 1, &filter->category, why) &&
	       read_states(m, &filter->states, why) && read_cursor(&m->cursor, &filter->before_id, why) &&
	       check_copy(&m->handler, &handler_rule, l->handler, sizeof l->handler, why) &&
	       check_copy(&m->reporter, &reporter_rule, l->reporter, sizeof l->reporter, why) &&
	       check_page(m->limit, &filter->limit, why);
}

/* What was asked for, in words. */
static void describe(const struct list_question *l, const Gridloop__V1__ListCases *m, char *out, size_t size)
{
	const struct {
		const char *name;
		const ProtobufCBinaryData *text;
	} filters[] = {
		{ "area", &m->area },         { "category", &m->category }, { "handler", &m->handler },
		{ "reporter", &m->reporter }, { "cursor", &m->cursor },
	};
	size_t used = (size_t)snprintf(out, size, "%" PRId64, l->filter.area);

	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
		if (filters[i].text->len > 0 && used < size)
			used += (size_t)snprintf(out + used, size - used, " %s=%.*s", filters[i].name,
			                         (int)filters[i].text->len, (const char *)filters[i].text->data);
}

/* A list of what one reported oneself is no look at others. */
static _Bool send_list(struct list_question *l, const Gridloop__V1__ListCases *m, struct refusal *why)
{
	char subject[AUDIT_SUBJECT_MOST + 1] = "";
	_Bool own = rights_owns(l->q.person, l->reporter);
	struct look look = { own ? AUDITED_NONE : AUDITED_LOOK_LIST, subject, NULL, { l->reporter } };

	describe(l, m, subject, sizeof subject);
	return look_send(&l->q, &look, why);
}

_Bool query_list_cases(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct list_question read = { .filter = { 0 } };

	struct reach_list narrowed = { &read.filter, read.handler, read.reporter, sizeof read.handler,
		                       sizeof read.reporter };

	if (!read_filter(f->list_cases, &read, why) ||
	    !reach_narrow(engine_policy(s->door->engine), s->person, &narrowed, why))
		return 0;
	if (read.reporter[0] != '\0' && !rights_owns(s->person, read.reporter) &&
	    !reveal_may_search(engine_policy(s->door->engine), s->person))
		return rights_refuse(engine_policy(s->door->engine), s->person, RIGHT_SEE_REPORTER, NULL,
		                     "reporters-are-not-searched", why);
	struct list_question *l = question_new(s, f->seq, sizeof *l, ask_list);

	l->filter = read.filter;
	memcpy(l->handler, read.handler, sizeof l->handler);
	memcpy(l->reporter, read.reporter, sizeof l->reporter);
	return send_list(l, f->list_cases, why);
}

/* ---- points ---- */

struct points_question {
	struct question q;
	char person[ACCOUNT_MOST + 1];
	int limit;
};

static void reply_points(struct question *q, Gridloop__V1__Points *m)
{
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;

	f.seq = q->seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_POINTS;
	f.points = m;
	question_reply(q, &f);
}

static void ask_points(struct question *q, struct reader *r)
{
	struct points_question *p = (struct points_question *)q;
	struct points_answer answer = { 0 };
	Gridloop__V1__Points m = GRIDLOOP__V1__POINTS__INIT;
	size_t budget = question_budget(q) - ACCOUNT_MOST;

	if (!question_went_well(q, query_points(r, p->person, q->now_ms, p->limit, &q->rows, &answer)))
		return;
	m.person = wire_text(p->person);
	m.balance = answer.balance;
	m.payable = answer.payable;
	m.rows = question_take(q, answer.count * sizeof *m.rows);
	for (size_t i = 0; i < answer.count; i++) {
		m.rows[i] = question_take(q, sizeof *m.rows[i]);
		reveal_ledger(q, p->person, &answer.rows[i]);
		view_ledger(q, &answer.rows[i], m.rows[i]);
	}
	m.n_rows = question_fit((const ProtobufCMessage *const *)m.rows, answer.count, &budget);
	reply_points(q, &m);
}

/* The board counts the month that now lies in. */
static int64_t month_start(int64_t now_ms)
{
	int32_t day = clock_local_day(now_ms, NULL, NULL);
	int32_t ymd = clock_day_to_ymd(day);
	int64_t start = 0;

	/* Noon of the first day is surely inside it, whatever the offset. */
	(void)clock_local_day(now_ms - (ymd % 100 - 1) * CLOCK_DAY_MS, &start, NULL);
	return start;
}

static void ask_board(struct question *q, struct reader *r)
{
	struct board_row *rows = NULL;
	Gridloop__V1__Points m = GRIDLOOP__V1__POINTS__INIT;
	size_t count = 0, budget = question_budget(q);

	if (!question_went_well(q, query_board(r, month_start(q->now_ms), &q->rows, &rows, &count)))
		return;
	m.board = question_take(q, count * sizeof *m.board);
	for (size_t i = 0; i < count; i++) {
		m.board[i] = question_take(q, sizeof *m.board[i]);
		gridloop__v1__board_row__init(m.board[i]);
		m.board[i]->person = wire_text(reveal_account(q, rows[i].person));
		m.board[i]->points = rows[i].points;
	}
	m.n_board = question_fit((const ProtobufCMessage *const *)m.board, count, &budget);
	reply_points(q, &m);
}

static _Bool send_points(struct points_question *p, _Bool board, struct refusal *why)
{
	_Bool own = !board && rights_owns(p->q.person, p->person);
	struct look look = { own || !reach_is_staff(p->q.person) ? AUDITED_NONE : AUDITED_LOOK_POINTS,
		             board ? "board" : p->person,
		             NULL,
		             { board ? NULL : p->person } };

	return look_send(&p->q, &look, why);
}

_Bool query_get_points(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	const Gridloop__V1__GetPoints *m = f->get_points;
	const struct policy *policy = engine_policy(s->door->engine);
	char person[ACCOUNT_MOST + 1];
	int limit;

	if (!check_copy(&m->person, &person_rule, person, sizeof person, why) || !check_page(m->limit, &limit, why))
		return 0;
	if (person[0] == '\0')
		must(snprintf(person, sizeof person, "%.*s", COMMAND_ID_MOST, s->person->id) >= 0);
	enum right right = m->board ? RIGHT_BOARD : RIGHT_GET_POINTS;
	struct rights_on on = { .own = rights_owns(s->person, person) };

	if (!rights_may(policy, s->person, right, &on))
		return rights_refuse(policy, s->person, right, &on, "points-are-yours", why);
	struct points_question *q = question_new(s, f->seq, sizeof *q, m->board ? ask_board : ask_points);

	memcpy(q->person, person, sizeof person);
	q->limit = limit;
	return send_points(q, m->board, why);
}

/* ---- statistics ---- */

struct stats_question {
	struct question q;
	enum stats_by by;
	int64_t area, from_ms, to_ms;
};

static void reply_stats(struct question *q, enum stats_by by, const struct stats_answer *answer)
{
	Gridloop__V1__Stats m = GRIDLOOP__V1__STATS__INIT;
	Gridloop__V1__StatsRow total;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	size_t budget;

	view_stats(q, by, &answer->total, &total);
	m.total = &total;
	m.redeemed = answer->redeemed;
	m.now_ms = q->now_ms;
	m.longest_open = view_number(q, answer->longest_open_id, answer->longest_open_category);
	m.longest_open_ms = answer->longest_open_ms;
	m.rows = question_take(q, answer->count * sizeof *m.rows);
	for (size_t i = 0; i < answer->count; i++) {
		m.rows[i] = question_take(q, sizeof *m.rows[i]);
		view_stats(q, by, &answer->rows[i], m.rows[i]);
	}
	budget = question_budget(q) - gridloop__v1__stats__get_packed_size(&m);
	m.n_rows = question_fit((const ProtobufCMessage *const *)m.rows, answer->count, &budget);
	m.cut = answer->cut || m.n_rows < answer->count;
	f.seq = q->seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_STATS;
	f.stats = &m;
	question_reply(q, &f);
}

static void ask_stats(struct question *q, struct reader *r)
{
	struct stats_question *s = (struct stats_question *)q;
	struct stats_answer answer = { 0 };

	if (question_went_well(q, query_stats(r, s->by, s->area, s->from_ms, s->to_ms, q->now_ms, &q->rows, &answer)))
		reply_stats(q, s->by, &answer);
}

_Bool query_get_stats(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	const Gridloop__V1__GetStats *m = f->get_stats;
	int64_t area;

	if (!check_range((int64_t)m->by, STATS_ALL, STATS_CHANNEL, "by-is-known", why) ||
	    !check_area(&m->area, &area, why) ||
	    !reach_area(engine_policy(s->door->engine), s->person, RIGHT_GET_STATS, &area, NULL, why))
		return 0;
	struct stats_question *q = question_new(s, f->seq, sizeof *q, ask_stats);

	q->by = (enum stats_by)m->by;
	q->area = area;
	q->from_ms = m->from_ms;
	q->to_ms = m->to_ms;
	return question_send(&q->q, why);
}

/* ---- notices ---- */

struct notices_question {
	struct question q;
	struct addressees to;
	int64_t after;
	int limit;
	_Bool unseen_only;
};

static void ask_notices(struct question *q, struct reader *r)
{
	struct notices_question *n = (struct notices_question *)q;
	struct notice_filter filter = { .after = n->after, .limit = n->limit, .unseen_only = n->unseen_only };
	struct notice_row *rows = NULL;
	int64_t scanned_to;
	size_t count = 0, budget = question_budget(q);
	Gridloop__V1__NoticeList m = GRIDLOOP__V1__NOTICE_LIST__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;

	addressees_to_filter(&n->to, q->person, &filter);
	if (!question_went_well(q, query_notices(r, &filter, &q->rows, &rows, &count, &scanned_to)))
		return;
	m.notices = question_take(q, count * sizeof *m.notices);
	for (size_t i = 0; i < count; i++) {
		m.notices[i] = question_take(q, sizeof *m.notices[i]);
		reveal_notice(q, &rows[i]);
		view_notice(q, &rows[i], m.notices[i]);
	}
	m.n_notices = question_fit((const ProtobufCMessage *const *)m.notices, count, &budget);
	m.more = m.n_notices < count || count == (size_t)n->limit;
	f.seq = q->seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_NOTICE_LIST;
	f.notice_list = &m;
	question_reply(q, &f);
}

_Bool query_list_notices(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	const Gridloop__V1__ListNotices *m = f->list_notices;
	int limit;

	if (!check_page(m->limit, &limit, why) || !check_range(m->after, 0, INT64_MAX, "after-is-a-cursor", why))
		return 0;
	struct notices_question *q = question_new(s, f->seq, sizeof *q, ask_notices);

	addressees_of(s->person, &q->to);
	q->after = m->after;
	q->limit = limit;
	q->unseen_only = m->unseen_only;
	return question_send(&q->q, why);
}
