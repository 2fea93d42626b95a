/* The list of credentials: those of the database, newest first, then those that stand in people.csv. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "intake/check.h"
#include "intake/identity_request.h"
#include "intake/view.h"
#include "intake/wire.h"
#include "store/query_credentials.h"

/* A cursor is the id above which everything has been told, or 'f' and how many people of the file have been. */
#define CURSOR_SIZE 24
#define FILE_MARK 'f'

static const struct text_rule person_rule = TEXT_RULE(TEXT_ID, COMMAND_ID_MOST, person);
static const struct text_rule cursor_rule = TEXT_RULE(TEXT_ID, CURSOR_SIZE - 1, cursor);

struct list_question {
	struct question q;
	char person[COMMAND_ID_MOST + 1]; /* "": everybody */
	_Bool ended_too, in_file;         /* in_file: the file's turn */
	int64_t after;                    /* the cursor's number */
};

struct page {
	struct list_question *l;
	Gridloop__V1__CredentialList m;
	size_t budget;
	_Bool full;
};

/* ---- who is told of whom ---- */

static _Bool is_told_of(const struct list_question *l, const char *id, const struct person *p)
{
	const struct person *me = l->q.person;

	if (l->person[0] && strcmp(l->person, id) != 0)
		return 0;
	if (strcmp(me->id, id) == 0)
		return 1;
	return rights_may(l->q.policy, me, RIGHT_LIST_CREDENTIALS, &(struct rights_on){ .area = rights_area_of(p) });
}

/* ---- rows ---- */

static void add(struct page *page, Gridloop__V1__Credential *row, int64_t cursor, _Bool in_file)
{
	const ProtobufCMessage *message = &row->base;

	if (page->full || question_fit(&message, 1, &page->budget) == 0) {
		page->full = 1;
		return;
	}
	page->m.credentials[page->m.n_credentials++] = row;

	char *text = question_take(&page->l->q, CURSOR_SIZE);

	must(snprintf(text, CURSOR_SIZE, "%s%" PRId64, in_file ? "f" : "", cursor) > 0);
	page->m.next_cursor = wire_text(text);
}

static void add_row(struct page *page, const struct credential *c)
{
	struct question *q = &page->l->q;
	Gridloop__V1__Credential *row;

	if (!is_told_of(page->l, c->person, policy_person(q->policy, c->person)))
		return;
	row = view_credential(q, c);
	if (c->kind == CREDENTIAL_CERTIFICATE)
		row->certificate = (ProtobufCBinaryData){ DIGEST_SIZE, (uint8_t *)(uintptr_t)c->sha256 };
	add(page, row, c->id, 0);
}

static void add_of_file(struct page *page, const struct person *p, enum credential_kind kind, const char *hex,
                        int64_t place)
{
	struct question *q = &page->l->q;
	Gridloop__V1__Credential *row;

	if (!hex || page->full)
		return;
	row = view_credential_in_file(q, p, kind);
	if (kind == CREDENTIAL_CERTIFICATE) {
		uint8_t *digest = question_take(q, DIGEST_SIZE);

		if (digest_from_text(hex, digest))
			row->certificate = (ProtobufCBinaryData){ DIGEST_SIZE, digest };
	}
	add(page, row, place, 1);
}

/* ---- the two parts ---- */

/* false: refused. */
static _Bool list_database(struct page *page, struct reader *r)
{
	struct list_question *l = page->l;
	const struct credential_filter filter = { .person = l->person[0] ? l->person : NULL,
		                                  .ended_too = l->ended_too,
		                                  .now_ms = l->q.now_ms,
		                                  .before_id = l->after };
	struct credential *rows;
	size_t count;

	if (!question_went_well(&l->q, query_credentials(r, &filter, &l->q.rows, &rows, &count)))
		return 0;
	for (size_t i = 0; i < count; i++)
		add_row(page, &rows[i]);
	/* What was passed over silently must not end the list. */
	if (count == QUERY_PAGE_MOST && !page->full) {
		char *text = question_take(&l->q, CURSOR_SIZE);

		must(snprintf(text, CURSOR_SIZE, "%" PRId64, rows[count - 1].id) > 0);
		page->m.next_cursor = wire_text(text);
		page->full = 1;
	}
	return 1;
}

static void list_file(struct page *page)
{
	struct list_question *l = page->l;
	size_t at = l->in_file ? (size_t)l->after : 0;
	const struct person *p;

	for (; (p = policy_person_at(l->q.policy, at)) != NULL && !page->full; at++) {
		if (!is_told_of(l, p->id, p))
			continue;
		if (page->m.n_credentials + 2 > QUERY_PAGE_MOST) {
			page->full = 1;
			return;
		}
		add_of_file(page, p, CREDENTIAL_TOKEN, p->token_sha256, (int64_t)at + 1);
		add_of_file(page, p, CREDENTIAL_CERTIFICATE, p->certificate, (int64_t)at + 1);
	}
}

static void describe(struct page *page)
{
	struct question *q = &page->l->q;
	const struct person *p = page->l->person[0] ? policy_person(q->policy, page->l->person) : NULL;

	if (p && is_told_of(page->l, p->id, p))
		page->m.identity = view_identity(q, p);
}

static void ask(struct question *q, struct reader *r)
{
	struct page page = { .l = (struct list_question *)q, .m = GRIDLOOP__V1__CREDENTIAL_LIST__INIT };
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;

	page.budget = question_budget(q) - VIEW_IDENTITY_BYTES;
	page.m.credentials = question_take(q, QUERY_PAGE_MOST * sizeof *page.m.credentials);
	if (!page.l->in_file && !list_database(&page, r))
		return;
	if (!page.full)
		list_file(&page);
	if (!page.full)
		page.m.next_cursor = wire_text(NULL);
	describe(&page);
	f.seq = q->seq;
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_CREDENTIAL_LIST;
	f.credential_list = &page.m;
	question_reply(q, &f);
}

static _Bool read_cursor(const ProtobufCBinaryData *bytes, struct list_question *l, struct refusal *why)
{
	char text[CURSOR_SIZE];

	if (!check_copy(bytes, &cursor_rule, text, sizeof text, why))
		return 0;
	l->in_file = text[0] == FILE_MARK;
	if (text[0] == '\0' || text_to_int(text + l->in_file, 0, INT64_MAX, &l->after))
		return 1;
	return refuse(why, REFUSAL_INVALID, "cursor-is-from-a-page", "The cursor is not one that a page has given.");
}

_Bool identity_list_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	const Gridloop__V1__ListCredentials *m = f->list_credentials;
	struct list_question l = { .ended_too = m->ended_too };

	if (!check_copy(&m->person, &person_rule, l.person, sizeof l.person, why) || !read_cursor(&m->cursor, &l, why))
		return 0;
	const struct policy *policy = engine_policy(s->door->engine);
	/* Where nobody is named, row by row is sorted out whom this is told of. */
	struct rights_on on = { .area = l.person[0] ? rights_area_of(policy_person(policy, l.person)) : 0 };
	_Bool administers = rights_may(policy, s->person, RIGHT_LIST_CREDENTIALS, &on);

	if (!administers && l.person[0] && strcmp(l.person, s->person->id) != 0)
		return rights_refuse(policy, s->person, RIGHT_LIST_CREDENTIALS, &on, "credentials-are-yours", why);
	if (!administers)
		must(snprintf(l.person, sizeof l.person, "%s", s->person->id) > 0);

	struct list_question *question = question_new(s, f->seq, sizeof *question, ask);

	memcpy(question->person, l.person, sizeof l.person);
	question->ended_too = l.ended_too;
	question->in_file = l.in_file;
	question->after = l.after;
	return question_send(&question->q, why);
}
