/* identity: who may give out, renew and revoke credentials, and what that does. Administrators may, within their area; and
 * everybody may renew and revoke their own, because whoever has lost a phone must not have to wait for somebody. A fact is
 * the credential as it is from then on; it is the one place where who changed what is known. */
#include <string.h>

#include "workflow/decision.h"

#define BY_THE_MACHINE "console" /* who made the first administrator's */

static const struct roster *roster(const struct decision *d)
{
	return casebook_roster(d->book);
}

/* ---- who may ---- */

static _Bool is_own(const struct decision *d, const char *person)
{
	return strcmp(d->who->id, person) == 0;
}

/* A person gone from the policy is anybody's who administers: nothing but revoking is left to be done. */
static _Bool administers(const struct decision *d, const struct person *p)
{
	struct rights_on on = { .area = rights_area_of(p) };

	return rights_may(d->policy, d->who, RIGHT_ISSUE_CREDENTIAL, &on);
}

/* Administrators of the person's area, and, as the right has it, the person itself. */
static _Bool may(struct decision *d, enum right right, const char *person)
{
	struct rights_on on = { .area = rights_area_of(policy_person(d->policy, person)), .own = is_own(d, person) };

	return decision_has(d, right, &on, "administrators-give-credentials");
}

/* ---- the last administrator ---- */

static _Bool is_being_revoked(const struct decision *d, int64_t id)
{
	for (size_t i = 0; i < d->out->credential_count; i++)
		if (d->out->credentials[i].id == id && d->out->credentials[i].revoked_ms != 0)
			return 1;
	return 0;
}

/* Whether this person can log in once the facts so far hold. */
static _Bool can_log_in(const struct decision *d, const struct person *p)
{
	const struct credential *live[CREDENTIALS_A_PERSON_MOST];
	size_t count = roster_of(roster(d), p->id, d->now_ms, live);

	for (size_t i = 0; i < count; i++)
		if (!is_being_revoked(d, live[i]->id))
			return 1;
	return p->token_sha256 != NULL || p->certificate != NULL;
}

static _Bool an_administrator_can_log_in(const struct decision *d)
{
	const struct person *p;

	for (size_t i = 0; (p = policy_person_at(d->policy, i)) != NULL; i++)
		if ((p->roles & ROLE_ADMINISTRATOR) != 0 && can_log_in(d, p))
			return 1;
	return 0;
}

static _Bool one_remains(struct decision *d, const char *person)
{
	const struct person *p = policy_person(d->policy, person);

	if (d->command->insist || p == NULL || (p->roles & ROLE_ADMINISTRATOR) == 0 || an_administrator_can_log_in(d))
		return 1;
	return decision_refuse(
		d, REFUSAL_RULE_BROKEN, "an-administrator-remains",
		"No administrator could log in any more. Give another one a credential first, or insist; "
		"then a first one is made on the machine again.");
}

/* ---- what every new one has to be ---- */

static _Bool expiry_is_ahead(struct decision *d, int64_t expires_ms)
{
	if (expires_ms == 0 || expires_ms > d->now_ms)
		return 1;
	return decision_refuse(d, REFUSAL_INVALID, "expiry-is-ahead", "It would have expired already.");
}

static _Bool has_room(struct decision *d, const char *person)
{
	const struct credential *live[CREDENTIALS_A_PERSON_MOST];

	if (roster_of(roster(d), person, d->now_ms, live) == CREDENTIALS_A_PERSON_MOST)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "credentials-have-room",
		                       "%.64s has %d credentials already; revoke those that nobody uses.", person,
		                       CREDENTIALS_A_PERSON_MOST);
	if (roster_count(roster(d)) >= CREDENTIALS_MOST)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "credentials-have-room",
		                       "There are %d credentials already; revoke those that nobody uses.",
		                       CREDENTIALS_MOST);
	return 1;
}

/* One box has one certificate, and one certificate shows one person. */
static _Bool certificate_is_free(struct decision *d)
{
	const struct command *c = d->command;
	const struct credential *same;

	if (c->credential_kind != CREDENTIAL_CERTIFICATE)
		return 1;
	same = roster_certificate(roster(d), c->credential_sha256, d->now_ms);
	if (same == NULL)
		return 1;
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "certificate-shows-one-person",
	                       "This certificate shows %.64s already, by credential %lld.", same->person,
	                       (long long)same->id);
}

/* ---- facts ---- */

static struct credential *add_fact(struct decision *d)
{
	must(d->out->credential_count < FACTS_CREDENTIALS_MOST);
	return &d->out->credentials[d->out->credential_count++];
}

static void make(struct decision *d, const char *person, int64_t expires_ms, int64_t replaces)
{
	struct command *c = d->command;
	struct credential *f = add_fact(d);

	must(c->credential_kind != CREDENTIAL_NONE);
	*f = (struct credential){ .id = casebook_counters(d->book)->credential,
		                  .person = casebook_intern(d->book, person),
		                  .kind = (uint8_t)c->credential_kind,
		                  .is_new = 1,
		                  .made_ms = d->now_ms,
		                  .made_by = d->actor,
		                  .expires_ms = expires_ms,
		                  .replaces = replaces,
		                  .label = c->label };
	memcpy(f->sha256, c->credential_sha256, sizeof f->sha256);
	c->outcome.made = f->id;
	c->outcome.due_ms = expires_ms;
}

/* The old one's texts go with it when the roster obeys, which is before the row is written. */
static struct credential *change(struct decision *d, const struct credential *old)
{
	struct credential *f = add_fact(d);

	*f = *old;
	f->person = casebook_intern(d->book, old->person);
	return f;
}

static void revoke(struct decision *d, const struct credential *old, const char *why)
{
	struct credential *f = change(d, old);

	f->revoked_ms = d->now_ms;
	f->revoked_by = d->actor;
	f->why = why;
}

/* The audit is told, and the loop will be. */
static _Bool tell(struct decision *d, enum audited what, const char *why)
{
	audit_add(d, what, d->out->credentials[0].person, why, (int64_t)d->out->credential_count);
	d->command->change_count = d->out->credential_count;
	d->command->changes = credentials_copy(d->out->credentials, d->out->credential_count);
	return 1;
}

/* ---- issue 发放 ---- */

static _Bool may_be_issued(struct decision *d)
{
	const struct command *c = d->command;
	const struct person *p = policy_person(d->policy, c->person);

	if (p == NULL)
		return decision_refuse(d, REFUSAL_UNKNOWN_PERSON, "person-is-known",
		                       "people.csv has nobody called %.64s; put a row there and reload first.",
		                       c->person);
	if (!c->on_the_machine)
		return may(d, RIGHT_ISSUE_CREDENTIAL, c->person);
	if ((p->roles & ROLE_ADMINISTRATOR) == 0)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "first-one-is-an-administrator",
		                       "%.64s has not the role administrator in people.csv; give it there and reload.",
		                       p->id);
	if (an_administrator_can_log_in(d))
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "first-administrator-is-made-once",
		                       "There is an administrator who can log in; ask for a credential there.");
	return 1;
}

_Bool identity_issue(struct decision *d)
{
	const struct command *c = d->command;

	if (c->on_the_machine)
		d->actor = BY_THE_MACHINE;
	if (!may_be_issued(d) || !expiry_is_ahead(d, c->until_ms) || !has_room(d, c->person) || !certificate_is_free(d))
		return 0;
	make(d, c->person, c->until_ms, 0);
	return tell(d, AUDITED_CREDENTIAL_MADE, c->label);
}

/* ---- the one asked about ---- */

static const struct credential *find_live(struct decision *d)
{
	const struct credential *old = roster_find(roster(d), d->command->value);

	if (old != NULL && credential_is_live(old, d->now_ms))
		return old;
	(void)decision_refuse(d, REFUSAL_RULE_BROKEN, "credential-is-live",
	                      "Credential %lld is revoked, has expired, or never was.", (long long)d->command->value);
	return NULL;
}

/* ---- rotate 轮换 ---- */

/* As long as the old one was meant to live. */
static int64_t expiry_like(const struct decision *d, const struct credential *old)
{
	return old->expires_ms == 0 ? 0 : d->now_ms + (old->expires_ms - old->made_ms);
}

/* Otherwise a token once stolen could be renewed for ever. */
static _Bool lives_no_longer(struct decision *d, const struct credential *old, int64_t expires_ms)
{
	int64_t most = expiry_like(d, old);

	if (most == 0 || (expires_ms != 0 && expires_ms <= most) ||
	    administers(d, policy_person(d->policy, old->person)))
		return 1;
	return decision_refuse(
		d, REFUSAL_NOT_ALLOWED, "administrators-lengthen",
		"A credential of your own is renewed for as long as it was made for; an administrator may "
		"give a longer one.");
}

static _Bool is_of_kind(struct decision *d, const struct credential *old)
{
	if (old->kind == d->command->credential_kind)
		return 1;
	return decision_refuse(d, REFUSAL_INVALID, "rotated-in-kind",
	                       "Credential %lld is a %s; rotate it by another %s.", (long long)old->id,
	                       credential_kind_name(old->kind), credential_kind_name(old->kind));
}

/* The old one has its overlap, but never longer than it had. */
static void end_old(struct decision *d, const struct credential *old)
{
	int64_t overlap_ms = d->command->extend_ms, until_ms = d->now_ms + overlap_ms;

	if (overlap_ms == 0) {
		revoke(d, old, "rotated");
		return;
	}
	struct credential *f = change(d, old);

	if (old->expires_ms == 0 || until_ms < old->expires_ms)
		f->expires_ms = until_ms;
}

_Bool identity_rotate(struct decision *d)
{
	const struct command *c = d->command;
	const struct credential *old = find_live(d);
	if (old == NULL || !may(d, RIGHT_ROTATE_CREDENTIAL, old->person))
		return 0;
	int64_t expires_ms = c->until_ms != 0 ? c->until_ms : expiry_like(d, old);
	/* With 16 of them there is room still when the old one goes at once. */
	if (!is_of_kind(d, old) || !expiry_is_ahead(d, expires_ms) || !lives_no_longer(d, old, expires_ms) ||
	    (c->extend_ms != 0 && !has_room(d, old->person)) || !certificate_is_free(d))
		return 0;
	make(d, old->person, expires_ms, old->id);
	end_old(d, old);
	return tell(d, AUDITED_CREDENTIAL_MADE, "rotated");
}

/* ---- revoke 吊销 ---- */

static _Bool revoke_all(struct decision *d, const char *person)
{
	const struct credential *live[CREDENTIALS_A_PERSON_MOST];
	size_t count = roster_of(roster(d), person, d->now_ms, live);
	const struct person *p = policy_person(d->policy, person);

	for (size_t i = 0; i < count; i++)
		revoke(d, live[i], d->command->text);
	if (count > 0)
		return 1;
	return decision_refuse(d, REFUSAL_RULE_BROKEN, "credential-is-live",
	                       p != NULL && (p->token_sha256 != NULL || p->certificate != NULL)
	                               ? "%.64s has only what stands in people.csv: take it out there and reload."
	                               : "%.64s has no live credential.",
	                       person);
}

_Bool identity_revoke(struct decision *d)
{
	const struct command *c = d->command;
	const char *person = c->person;

	if (person == NULL) {
		const struct credential *old = find_live(d);
		if (old == NULL || !may(d, RIGHT_REVOKE_CREDENTIAL, old->person))
			return 0;
		person = old->person;
		revoke(d, old, c->text);
	} else if (!may(d, RIGHT_REVOKE_CREDENTIAL, person) || !revoke_all(d, person)) {
		return 0;
	}
	return one_remains(d, person) && tell(d, AUDITED_CREDENTIAL_ENDED, c->text);
}
