#include "workflow/erase.h"

#include <stdio.h>
#include <string.h>

#include "workflow/case_number.h"

struct search {
	const struct decision *d;
	const char *person;
	const struct case_file *found;
};

static _Bool is(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

/* A case of the person's, or one that a case of the person's was merged into. */
static void look(void *ctx, const struct case_file *c)
{
	struct search *s = ctx;
	size_t count;
	const struct follower *rows = casebook_followers(s->d->book, c->id, &count);
	_Bool own = is(c->reporter, s->person) || (c->anonymous && is(c->actor, s->person));
	for (size_t i = 0; i < count; i++)
		own |= is(rows[i].reporter, s->person);
	if (own)
		s->found = c;
}

static _Bool may_erase(struct decision *d, const char *person)
{
	const struct person *known = policy_person(d->policy, person);
	struct rights_on on = { .area = RIGHTS_WHOLE, .own = rights_owns(d->who, person) };

	if (!decision_has(d, RIGHT_ERASE_PERSON, &on, "erased-by-itself-or-a-supervisor"))
		return 0;
	if (known != NULL && (known->roles & ~(uint32_t)ROLE_REPORTER) != 0)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "acts-on-duty-stay",
		                       "%s has a role beside reporter; what was done on duty stays.", person);
	return 1;
}

static _Bool has_ended(struct decision *d, const char *person)
{
	struct search s = { .d = d, .person = person };
	char number[CASE_NUMBER_SIZE];
	casebook_each(d->book, look, &s);
	if (s.found == NULL)
		return 1;
	case_number_text(s.found->id, s.found->category, number);
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "no-case-is-open",
	                       "Case %s is still open and %s is to hear how it ends; erase after that.", number,
	                       person);
}

static void forfeit(struct decision *d, const char *person, const struct account *a)
{
	struct ledger_fact *l = facts_ledger(d->out);
	*l = (struct ledger_fact){ .id = d->next_ledger++,
		                   .person = person,
		                   .at_ms = d->now_ms,
		                   .payable_ms = d->now_ms,
		                   .points = -a->balance,
		                   .rule = "forfeited" };
}

static _Bool refuse_form(struct decision *d)
{
	return decision_refuse(d, REFUSAL_INVALID, "erasure-is-whole",
	                       "An erasure says whose data goes and why, and has a key of its own.");
}

/* Of the random end of the command's key. */
static void make_name(const struct uuid *key, char out[ERASE_NAME_SIZE])
{
	uint64_t end = 0;
	for (int i = 8; i < 16; i++)
		end = end << 8 | key->bytes[i];
	(void)snprintf(out, ERASE_NAME_SIZE, "erased-%016llx", (unsigned long long)end);
}

_Bool erase_judge(struct decision *d)
{
	const struct command *c = d->command;
	struct audit_fact *row = &d->out->audit;
	const struct account *a;
	if (c->person == NULL || c->reason == NULL || uuid_is_zero(&c->key))
		return refuse_form(d);
	if (!may_erase(d, c->person) || !has_ended(d, c->person))
		return 0;
	a = casebook_account(d->book, c->person);
	audit_add(d, AUDITED_ERASE, NULL, c->reason, 0);
	make_name(&c->key, row->digits);
	row->subject = row->digits;
	row->erased = c->person;
	/* Whose data goes is not to stay as who asked for it. */
	if (rights_owns(d->who, c->person))
		row->who = AUDIT_SELF;
	if (casebook_account(d->book, row->subject) != NULL)
		return refuse_form(d);
	if (a != NULL && a->balance > 0)
		forfeit(d, c->person, a);
	return 1;
}
