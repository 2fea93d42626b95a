#include "intake/export_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "intake/case_view.h"
#include "intake/check.h"
#include "intake/look.h"
#include "intake/reach.h"
#include "intake/view.h"
#include "intake/wire.h"
#include "store/query_credentials.h"
#include "store/query_person.h"

#define ACCOUNT_MOST (2 * COMMAND_ID_MOST + 1)
#define CURSOR_SIZE 24
#define PAGE_AROUND (ACCOUNT_MOST + CURSOR_SIZE + 64) /* bytes of a page beside its rows and the identity */

struct export_question {
	struct question q;
	char person[ACCOUNT_MOST + 1];
	_Bool own;      /* who asks is it */
	size_t part;    /* of the parts below */
	int64_t cursor; /* within it; 0: from its beginning */
};

struct page {
	struct export_question *e;
	Gridloop__V1__PersonExport m;
	size_t budget;
	int64_t next; /* the part goes on from there; 0: it is whole */
};

/* ---- the parts ----
 *
 * Each fills a page and says where it goes on; false: refused. */

/* How many of these rows fit; the page goes on behind the last of them, or where the rows went on. */
static size_t fit(struct page *page, void *rows, size_t count, const int64_t *ids, int64_t behind)
{
	size_t fits = question_fit(rows, count, &page->budget);

	must(fits > 0 || count == 0);
	page->next = fits < count ? ids[fits - 1] : behind;
	return fits;
}

static _Bool add_case(struct page *page, struct reader *r, int64_t id)
{
	struct question *q = &page->e->q;
	struct case_answer answer = { 0 };
	Gridloop__V1__CaseView *view = question_take(q, sizeof *view);

	if (!question_went_well(q, query_case(r, id, &q->rows, &answer)) ||
	    !case_view_make(q, r, &answer, REVEAL_ALL, page->budget, view))
		return 0;
	page->m.cases = question_take(q, sizeof *page->m.cases);
	page->m.cases[0] = view;
	page->m.n_cases = 1;
	return 1;
}

static _Bool add_reported(struct page *page, struct reader *r)
{
	struct export_question *e = page->e;
	int64_t id;

	if (!question_went_well(&e->q, query_case_of(r, e->person, e->cursor, &id)))
		return 0;
	page->next = id;
	return id == 0 || add_case(page, r, id);
}

/* What was reported anonymously is nobody's to anybody but who did, and a gateway sends what is other people's. */
static _Bool add_anonymous(struct page *page, struct reader *r)
{
	struct export_question *e = page->e;
	int64_t id;

	if (!e->own || (e->q.person->roles & (ROLE_GATEWAY | ROLE_CAMERAS)))
		return 1;
	if (!question_went_well(&e->q, query_case_sent_by(r, e->person, e->cursor, &id, &page->next)))
		return 0;
	return id == 0 || add_case(page, r, id);
}

static _Bool add_ledger(struct page *page, struct reader *r)
{
	struct export_question *e = page->e;
	struct question *q = &e->q;
	struct ledger_row *rows;
	int64_t ids[QUERY_PAGE_MOST];
	size_t count;

	if (!question_went_well(q, query_ledger(r, e->person, e->cursor, &q->rows, &rows, &count)))
		return 0;
	page->m.ledger = question_take(q, count * sizeof *page->m.ledger);
	for (size_t i = 0; i < count; i++) {
		page->m.ledger[i] = question_take(q, sizeof *page->m.ledger[i]);
		view_ledger(q, &rows[i], page->m.ledger[i]);
		ids[i] = rows[i].fact.id;
	}
	page->m.n_ledger = fit(page, page->m.ledger, count, ids, count == QUERY_PAGE_MOST ? ids[count - 1] : 0);
	return 1;
}

/* What staff are told may quote others. */
static _Bool acts_on_duty(const struct export_question *e)
{
	const struct person *p = policy_person(e->q.policy, e->person);

	return p && reach_is_staff(p);
}

static _Bool add_notices(struct page *page, struct reader *r)
{
	struct export_question *e = page->e;
	struct question *q = &e->q;
	const struct notice_filter filter = { .to = { e->person }, .after = e->cursor, .limit = QUERY_PAGE_MOST };
	struct notice_row *rows;
	int64_t ids[QUERY_PAGE_MOST], scanned_to;
	size_t count;

	if (!question_went_well(q, query_notices(r, &filter, &q->rows, &rows, &count, &scanned_to)))
		return 0;
	page->m.notices = question_take(q, count * sizeof *page->m.notices);
	for (size_t i = 0; i < count; i++) {
		page->m.notices[i] = question_take(q, sizeof *page->m.notices[i]);
		if (acts_on_duty(e))
			reveal_notice(q, &rows[i]);
		view_notice(q, &rows[i], page->m.notices[i]);
		ids[i] = rows[i].fact.id;
	}
	page->m.n_notices = fit(page, page->m.notices, count, ids, count == QUERY_PAGE_MOST ? scanned_to : 0);
	return 1;
}

/* Two at most; only the last page has them. */
static size_t add_of_file(struct question *q, const char *person, Gridloop__V1__Credential **to)
{
	const struct person *p = policy_person(q->policy, person);
	size_t count = 0;

	if (p && p->token_sha256)
		to[count++] = view_credential_in_file(q, p, CREDENTIAL_TOKEN);
	if (p && p->certificate)
		to[count++] = view_credential_in_file(q, p, CREDENTIAL_CERTIFICATE);
	return count;
}

static _Bool add_credentials(struct page *page, struct reader *r)
{
	struct export_question *e = page->e;
	struct question *q = &e->q;
	const struct credential_filter filter = {
		.person = e->person, .ended_too = 1, .now_ms = q->now_ms, .before_id = e->cursor
	};
	struct credential *rows;
	int64_t ids[QUERY_PAGE_MOST + 2];
	size_t count;

	if (!question_went_well(q, query_credentials(r, &filter, &q->rows, &rows, &count)))
		return 0;
	page->m.credentials = question_take(q, (count + 2) * sizeof *page->m.credentials);
	for (size_t i = 0; i < count; i++) {
		page->m.credentials[i] = view_credential(q, &rows[i]);
		ids[i] = rows[i].id;
	}
	int64_t behind = count == QUERY_PAGE_MOST ? ids[count - 1] : 0;
	ids[count] = ids[count + 1] = 1; /* behind them the page begins anew with those of the file */
	if (behind == 0)
		count += add_of_file(q, e->person, page->m.credentials + count);
	page->m.n_credentials = fit(page, page->m.credentials, count, ids, behind);
	return 1;
}

static _Bool add_audit(struct page *page, struct reader *r)
{
	struct export_question *e = page->e;
	struct question *q = &e->q;
	struct audit_row *rows;
	int64_t ids[QUERY_PAGE_MOST], scanned_to;
	size_t count;

	if (!question_went_well(q,
	                        query_audit_of(r, e->person, e->own, e->cursor, &q->rows, &rows, &count, &scanned_to)))
		return 0;
	page->m.audit = question_take(q, count * sizeof *page->m.audit);
	for (size_t i = 0; i < count; i++) {
		page->m.audit[i] = question_take(q, sizeof *page->m.audit[i]);
		view_audit(&rows[i], page->m.audit[i]);
		ids[i] = rows[i].id;
	}
	page->m.n_audit = fit(page, page->m.audit, count, ids, scanned_to);
	return 1;
}

/* In the order in which they come; a cursor is the part's mark and a number. */
static const struct part {
	char mark;
	_Bool (*add)(struct page *page, struct reader *r);
} parts[] = { { 'c', add_reported }, { 's', add_anonymous },   { 'l', add_ledger },
	      { 'n', add_notices },  { 'k', add_credentials }, { 'a', add_audit } };

#define PARTS (sizeof parts / sizeof *parts)

/* ---- a page ---- */

static void put_cursor(struct page *page)
{
	size_t part = page->e->part + (page->next == 0);
	char *text;

	if (part == PARTS)
		return;
	text = question_take(&page->e->q, CURSOR_SIZE);
	must(snprintf(text, CURSOR_SIZE, "%c%" PRId64, parts[part].mark, page->next) > 0);
	page->m.next_cursor = wire_text(text);
}

/* The first page says who it is, and what there is of points. */
static _Bool begin(struct page *page, struct reader *r)
{
	struct question *q = &page->e->q;
	const struct person *p = policy_person(q->policy, page->e->person);
	struct points_answer sum = { 0 };

	if (!question_went_well(q, query_points(r, page->e->person, q->now_ms, 1, &q->rows, &sum)))
		return 0;
	page->m.balance = sum.balance;
	if (p)
		page->m.identity = view_identity(q, p);
	return 1;
}

static void ask(struct question *q, struct reader *r)
{
	struct export_question *e = (struct export_question *)q;
	struct page page = { .e = e, .m = GRIDLOOP__V1__PERSON_EXPORT__INIT };
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;

	page.budget = question_budget(q) - PAGE_AROUND - VIEW_IDENTITY_BYTES;
	page.m.person = wire_text(e->person);
	if (e->part == 0 && e->cursor == 0 && !begin(&page, r))
		return;
	if (!parts[e->part].add(&page, r))
		return;
	put_cursor(&page);
	f.seq = q->seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_PERSON_EXPORT;
	f.person_export = &page.m;
	question_reply(q, &f);
}

/* ---- the request ---- */

static _Bool read_cursor(const ProtobufCBinaryData *bytes, struct export_question *e, struct refusal *why)
{
	static const struct text_rule rule = TEXT_RULE(TEXT_ID, CURSOR_SIZE - 1, cursor);
	char text[CURSOR_SIZE];

	if (!check_copy(bytes, &rule, text, sizeof text, why))
		return 0;
	e->part = 0;
	e->cursor = 0;
	if (text[0] == '\0')
		return 1;
	while (e->part < PARTS && parts[e->part].mark != text[0])
		e->part++;
	if (e->part < PARTS && text_to_int(text + 1, 0, INT64_MAX, &e->cursor))
		return 1;
	return refuse(why, REFUSAL_INVALID, "cursor-is-from-a-page", "The cursor is not one that a page has given.");
}

static _Bool may_export(struct session *s, const struct export_question *e, const char *purpose, struct refusal *why)
{
	const struct policy *policy = engine_policy(s->door->engine);
	struct rights_on on = { .area = RIGHTS_WHOLE, .own = rights_owns(s->person, e->person) };

	if (!rights_may(policy, s->person, RIGHT_EXPORT_PERSON, &on))
		return rights_refuse(policy, s->person, RIGHT_EXPORT_PERSON, &on, "data-is-its-person's", why);
	if (on.own || purpose[0] != '\0')
		return 1;
	return refuse(why, REFUSAL_INVALID, "export-says-what-for",
	              "Say what another's copy is for: who asked for it and when. It is recorded.");
}

/* Whether a copy begins with this page, here. */
static _Bool begins(struct session *s, const struct export_question *e)
{
	uint8_t digest[DIGEST_SIZE];
	_Bool same;

	_Static_assert(sizeof s->exported == DIGEST_SIZE, "a person is remembered by a digest");
	digest_begin(s->door->digester);
	digest_add(s->door->digester, e->person, strlen(e->person));
	digest_end(s->door->digester, digest);
	same = memcmp(digest, s->exported, sizeof digest) == 0;
	memcpy(s->exported, digest, sizeof digest);
	return !same || (e->part == 0 && e->cursor == 0);
}

_Bool export_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	static const struct text_rule person_rule = TEXT_RULE(TEXT_ID, ACCOUNT_MOST, person);
	static const struct text_rule purpose_rule = TEXT_RULE(TEXT_LINE, AUDIT_PURPOSE_MOST, purpose);
	const Gridloop__V1__ExportPerson *m = f->export_person;
	struct export_question read = { .part = 0 };
	char purpose[AUDIT_PURPOSE_MOST + 1];

	if (!check_copy(&m->person, &person_rule, read.person, sizeof read.person, why) ||
	    !check_copy(&m->purpose, &purpose_rule, purpose, sizeof purpose, why) ||
	    !read_cursor(&m->cursor, &read, why))
		return 0;
	if (read.person[0] == '\0')
		must(snprintf(read.person, sizeof read.person, "%.*s", COMMAND_ID_MOST, s->person->id) > 0);
	if (!may_export(s, &read, purpose, why))
		return 0;
	struct export_question *e = question_new(s, f->seq, sizeof *e, ask);

	memcpy(e->person, read.person, sizeof e->person);
	e->own = strcmp(s->person->id, e->person) == 0;
	e->part = read.part;
	e->cursor = read.cursor;
	return look_send(&e->q,
	                 &(struct look){ begins(s, e) ? AUDITED_EXPORT : AUDITED_NONE,
	                                 e->person,
	                                 purpose[0] ? purpose : NULL,
	                                 { e->person } },
	                 why);
}
