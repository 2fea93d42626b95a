#include "intake/audit_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "intake/check.h"
#include "intake/look.h"
#include "intake/view.h"
#include "intake/wire.h"
#include "store/query_audit.h"
#include "workflow/case_number.h"

#define PAGE_DEFAULT 20
#define NAME_MOST 32

struct audit_question {
	struct question q;
	struct audit_filter filter;
	char who[COMMAND_ID_MOST + 1], subject[AUDIT_SUBJECT_MOST + 1];
};

static void ask(struct question *q, struct reader *r)
{
	struct audit_question *a = (struct audit_question *)q;
	Gridloop__V1__AuditList m = GRIDLOOP__V1__AUDIT_LIST__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	struct audit_row *rows = NULL;
	size_t count = 0, budget = question_budget(q);

	a->filter.who = a->who[0] ? a->who : NULL;
	a->filter.subject = a->subject[0] ? a->subject : NULL;
	if (!question_went_well(q, query_audit(r, &a->filter, &q->rows, &rows, &count)))
		return;
	m.rows = question_take(q, count * sizeof *m.rows);
	for (size_t i = 0; i < count; i++) {
		m.rows[i] = question_take(q, sizeof *m.rows[i]);
		view_audit(&rows[i], m.rows[i]);
	}
	m.n_rows = question_fit((const ProtobufCMessage *const *)m.rows, count, &budget);
	if (m.n_rows > 0 && (m.n_rows < count || count == (size_t)a->filter.limit))
		m.next_before = rows[m.n_rows - 1].id;
	f.seq = q->seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_AUDIT_LIST;
	f.audit_list = &m;
	question_reply(q, &f);
}

static _Bool read_what(const ProtobufCBinaryData *bytes, enum audited *what, struct refusal *why)
{
	static const struct text_rule rule = TEXT_RULE(TEXT_ID, NAME_MOST, what);
	char name[NAME_MOST + 1];

	if (!check_copy(bytes, &rule, name, sizeof name, why))
		return 0;
	*what = audited_from_name(name);
	if (name[0] == '\0' || *what != AUDITED_NONE)
		return 1;
	return refuse(why, REFUSAL_INVALID, "what-is-recorded", "Nothing of the name \"%s\" is recorded in the audit.",
	              name);
}

static _Bool read_filter(const Gridloop__V1__GetAudit *m, struct audit_question *a, struct refusal *why)
{
	static const struct text_rule who = TEXT_RULE(TEXT_ID, COMMAND_ID_MOST, who);
	static const struct text_rule subject = TEXT_RULE(TEXT_LINE, AUDIT_SUBJECT_MOST, subject);

	a->filter = (struct audit_filter){ .from_ms = m->from_ms,
		                           .to_ms = m->to_ms,
		                           .before_id = m->before,
		                           .limit = m->limit ? (int)m->limit : PAGE_DEFAULT };
	return check_range(m->limit, 0, QUERY_PAGE_MOST, "limit-is-1-to-100", why) &&
	       check_copy(&m->who, &who, a->who, sizeof a->who, why) &&
	       check_copy(&m->subject, &subject, a->subject, sizeof a->subject, why) &&
	       read_what(&m->what, &a->filter.what, why);
}

_Bool audit_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	const Gridloop__V1__GetAudit *m = f->get_audit;
	struct audit_question read = { .filter = { 0 } };
	char subject[2 * COMMAND_ID_MOST + AUDIT_SUBJECT_MOST];

	if (!read_filter(m, &read, why))
		return 0;
	struct audit_question *a = question_new(s, f->seq, sizeof *a, ask);

	a->filter = read.filter;
	memcpy(a->who, read.who, sizeof a->who);
	memcpy(a->subject, read.subject, sizeof a->subject);
	must(snprintf(subject, sizeof subject, "who=%s subject=%s what=%s", a->who, a->subject,
	              audited_name(a->filter.what)) > 0);
	/* A case's number names nobody. */
	const char *about = case_number_id(a->subject) == 0 ? a->subject : NULL;

	return look_send(&a->q,
	                 &(struct look){ .what = AUDITED_LOOK_AUDIT, .subject = subject, .about = { a->who, about } },
	                 why);
}
