#include "intake/reveal.h"

#include <stdio.h>
#include <string.h>

#include "base/mask.h"
#include "intake/reach.h"
#include "workflow/domain.h"

/* ---- who ---- */

static _Bool is_the(const struct person *p, const char *name)
{
	return name && strcmp(name, p->id) == 0;
}

_Bool reveal_may_search(const struct policy *policy, const struct person *p)
{
	return rights_has_somewhere(policy, p, RIGHT_SEE_REPORTER);
}

/* Here a worker's own is what it was asked to look at: who has a grid's duty knows no reporter by it. */
struct rights_on reveal_on(const struct person *p, const struct case_file *c)
{
	return (struct rights_on){ .area = c->grid,
		                   .phase = state_info((enum state)c->state)->phase,
		                   .own = is_the(p, c->worker) };
}

enum reveal reveal_of(const struct policy *policy, const struct person *p, const struct case_file *c, _Bool purpose)
{
	struct rights_on on = reveal_on(p, c);

	if (rights_owns(p, c->reporter) || is_the(p, c->actor) || (purpose && rights_may(policy, p, RIGHT_UNMASK, &on)))
		return REVEAL_ALL;
	return rights_may(policy, p, RIGHT_SEE_REPORTER, &on) ? REVEAL_REPORTER : REVEAL_NOBODY;
}

/* ---- what: one case's secrets ---- */

/* Who reported it, as far as it is to be hidden. */
struct secret {
	struct question *q;
	const char *who;        /* NULL: nobody is hidden */
	const char *short_name; /* without its gateway; NULL: it has none */
	const char *name;       /* of people.csv; NULL: not known */
	const char *beneficiary, *contact_name, *contact_phone;
	const char *pseudonym;
};

/* A gateway is no person, and a worker on duty is a colleague; by the policy of today. */
static _Bool is_secret(const struct question *q, const char *who, _Bool anonymous)
{
	const struct person *p = who ? policy_person(q->policy, who) : NULL;

	if (!who || (p && (p->roles & (ROLE_GATEWAY | ROLE_CAMERAS))))
		return 0;
	return anonymous || !p || (p->kind != REPORTER_GRID_WORKER && p->kind != REPORTER_PART_TIME);
}

static const char *pseudonym(struct question *q, int64_t case_id)
{
	return mask_pseudonym(case_id, question_take(q, MASK_PSEUDONYM_SIZE));
}

static struct secret secret_of(struct question *q, int64_t case_id, const char *who, _Bool anonymous)
{
	struct secret s = { .q = q };

	if (!is_secret(q, who, anonymous))
		return s;
	const struct person *p = policy_person(q->policy, who);

	s.who = who;
	s.short_name = strchr(who, '/') ? strchr(who, '/') + 1 : NULL;
	s.name = p ? p->name : NULL;
	s.pseudonym = pseudonym(q, case_id);
	return s;
}

static const char *hide_name(const struct secret *s, const char *name)
{
	return s->who && name && strcmp(name, s->who) == 0 ? s->pseudonym : name;
}

static const char *hide_words(const struct secret *s, char *text)
{
	mask_word(text, s->who);
	mask_word(text, s->short_name);
	mask_word(text, s->name);
	mask_word(text, s->beneficiary);
	mask_word(text, s->contact_name);
	return text;
}

/* A text of people: numbers in it masked, and the names that this case is to keep. */
static const char *hide_text(const struct secret *s, const char *text)
{
	char *out;

	if (!text || *text == '\0')
		return text;
	out = question_take(s->q, MASK_ROOM(strlen(text)));
	(void)mask_text(text, out);
	return hide_words(s, out);
}

/* What the system writes says by which row of the policy a case came here: its numbers are areas, no person's. */
static const char *hide_own_text(const struct secret *s, const char *text)
{
	size_t size = text ? strlen(text) + 1 : 0;

	return text ? hide_words(s, memcpy(question_take(s->q, MASK_ROOM(size)), text, size)) : NULL;
}

static const char *masked(struct question *q, const char *text, const char *(*mask)(const char *text, char *out))
{
	return text ? mask(text, question_take(q, MASK_ROOM(strlen(text)))) : NULL;
}

/* ---- rows ---- */

static struct secret secret_of_row(struct question *q, const struct case_row *row, enum reveal how)
{
	const struct case_file *c = &row->file;
	const char *who = c->anonymous || !c->reporter ? c->actor : c->reporter;
	struct secret s = secret_of(q, c->id, how == REVEAL_REPORTER && !c->anonymous ? NULL : who, c->anonymous);

	s.beneficiary = row->beneficiary;
	s.contact_name = row->contact_name;
	s.contact_phone = row->contact_phone;
	return s;
}

static void hide_row(const struct secret *s, struct case_row *row)
{
	row->file.reporter = hide_name(s, row->file.reporter);
	row->file.worker = hide_name(s, row->file.worker);
	row->address = hide_text(s, row->address);
	row->description = hide_text(s, row->description);
	row->beneficiary = masked(s->q, row->beneficiary, mask_name);
	row->contact_name = masked(s->q, row->contact_name, mask_name);
	row->contact_phone = masked(s->q, row->contact_phone, mask_phone);
}

void reveal_row(struct question *q, struct case_row *row, enum reveal how)
{
	struct secret s;

	if (how == REVEAL_ALL)
		return;
	s = secret_of_row(q, row, how);
	hide_row(&s, row);
}

static void hide_event(const struct secret *s, struct fact *f)
{
	_Bool by_system = f->actor && strcmp(f->actor, SYSTEM_ACTOR) == 0;

	f->actor = hide_name(s, f->actor);
	f->ref = hide_name(s, f->ref);
	f->text = by_system ? hide_own_text(s, f->text) : hide_text(s, f->text);
}

void reveal_case(struct question *q, struct case_answer *answer, enum reveal how)
{
	struct secret s;

	if (how == REVEAL_ALL)
		return;
	s = secret_of_row(q, &answer->row, how);
	for (size_t i = 0; i < answer->history_count; i++)
		hide_event(&s, &answer->history[i]);
	hide_row(&s, &answer->row);
}

void reveal_evidence(struct question *q, const struct case_file *c, struct case_evidence *rows, size_t count,
                     enum reveal how)
{
	const struct case_row row = { .file = *c };
	struct secret s;

	/* The view leaves an anonymous sender out by itself. */
	if (how == REVEAL_ALL || c->anonymous)
		return;
	s = secret_of_row(q, &row, how);
	for (size_t i = 0; i < count; i++)
		rows[i].person = hide_name(&s, rows[i].person);
}

static struct secret secret_of_people(struct question *q, int64_t case_id, const struct case_people *p)
{
	struct secret s = secret_of(q, case_id, p->reporter, p->anonymous);

	s.beneficiary = p->beneficiary;
	s.contact_name = p->contact_name;
	return s;
}

/* A stream of events goes to many eyes at once, so it names no reporter to anybody. */
void reveal_news(struct question *q, struct news_row *row)
{
	struct secret s = secret_of_people(q, row->fact.case_id, &row->people);

	hide_event(&s, &row->fact);
}

/* What staff are told may quote a reporter; what a reporter is told are staff's words. */
void reveal_notice(struct question *q, struct notice_row *row)
{
	struct secret s;

	if (!reach_is_staff(q->person))
		return;
	s = secret_of_people(q, row->fact.case_id, &row->people);
	(void)snprintf(row->fact.text, sizeof row->fact.text, "%s", hide_text(&s, row->fact.text));
}

void reveal_ledger(struct question *q, const char *account, struct ledger_row *row)
{
	if (rights_owns(q->person, account) || reveal_may_search(q->policy, q->person))
		return;
	row->fact.case_id = 0;
	row->fact.text = masked(q, row->fact.text, mask_text);
}

const char *reveal_account(struct question *q, const char *account)
{
	if (rights_owns(q->person, account) || reveal_may_search(q->policy, q->person))
		return account;
	return masked(q, account, mask_account);
}
