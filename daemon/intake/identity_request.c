#include "intake/identity_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "intake/check.h"
#include "intake/wire.h"

/* "glt_" lets a token be found where it should not lie: in a log, a mail, a public repository. */
#define TOKEN_PREFIX "glt_"
#define TOKEN_BYTES DIGEST_SIZE /* of chance, as hex digits */
_Static_assert(sizeof TOKEN_PREFIX + 2 * TOKEN_BYTES <= CONVERT_TOKEN_SIZE, "a command has room for a token");

/* ---- a token ---- */

/* The token goes into the command's block, where only its door looks for it; the writer sees its digest. */
static void make_token(struct session *s, struct command *c)
{
	uint8_t chance[TOKEN_BYTES];
	char token[CONVERT_TOKEN_SIZE] = TOKEN_PREFIX;

	if (c->credential_kind != CREDENTIAL_TOKEN)
		return;
	random_fill(chance, sizeof chance);
	digest_text(chance, token + strlen(TOKEN_PREFIX));
	digest_begin(s->door->digester);
	digest_add(s->door->digester, token, strlen(token));
	digest_end(s->door->digester, c->credential_sha256);
	c->origin.extra = (void *)(uintptr_t)command_text(c, token, strlen(token));
	explicit_bzero(chance, sizeof chance);
	explicit_bzero(token, sizeof token);
}

/* Takes it out of the command, which is freed with what is in it. */
static void take_token(struct command *c, char out[CONVERT_TOKEN_SIZE])
{
	out[0] = '\0';
	if (!c->origin.extra)
		return;
	must(snprintf(out, CONVERT_TOKEN_SIZE, "%s", (const char *)c->origin.extra) < CONVERT_TOKEN_SIZE);
	explicit_bzero(c->origin.extra, strlen(c->origin.extra));
}

/* ---- issue, rotate ---- */

static void fill_issued(const struct command *c, Gridloop__V1__CredentialIssued *m)
{
	m->id = c->outcome.made;
	m->again = c->outcome.again;
	for (size_t i = 0; i < c->change_count; i++) {
		const struct credential *one = &c->changes[i];

		if (one->is_new) {
			m->person = wire_text(one->person);
			m->expires_ms = one->expires_ms;
			m->replaces = one->replaces;
		} else {
			m->old_until_ms = one->revoked_ms ? 0 : one->expires_ms;
		}
	}
}

/* A token is kept by nobody but who was shown it. */
static void refuse_again(struct command *c)
{
	c->outcome.accepted = 0;
	(void)refuse(
		&c->outcome.refusal, REFUSAL_RULE_BROKEN, "token-is-shown-once",
		"This was made already, as credential %lld, and its token shown then. If that reply was lost, revoke "
		"%lld and ask for another.",
		(long long)c->outcome.made, (long long)c->outcome.made);
}

static void answer_issued(void *door, struct command *c)
{
	struct session *s = door;
	Gridloop__V1__CredentialIssued m = GRIDLOOP__V1__CREDENTIAL_ISSUED__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	char token[CONVERT_TOKEN_SIZE];

	take_token(c, token);
	if (c->outcome.accepted && c->outcome.again && c->credential_kind == CREDENTIAL_TOKEN)
		refuse_again(c);
	fill_issued(c, &m);
	m.token = wire_text(c->outcome.again ? NULL : token);
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_CREDENTIAL_ISSUED;
	f.credential_issued = &m;
	session_answer(s, c, &f);
	explicit_bzero(token, sizeof token);
}

static _Bool submit(struct session *s, uint32_t seq, struct command *c)
{
	if (!c)
		return 0;
	make_token(s, c);
	session_submit(s, c, seq, answer_issued);
	return 1;
}

_Bool identity_issue_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct sender from = session_sender(s, f->replay_at_ms);

	return submit(s, f->seq, convert_issue(f->issue_credential, &from, why));
}

_Bool identity_rotate_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct sender from = session_sender(s, f->replay_at_ms);

	return submit(s, f->seq, convert_rotate(f->rotate_credential, &from, why));
}

/* ---- the first administrator ---- */

/* Whoever is to be it stands in for a sender that is nobody yet. */
_Bool identity_first_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	static const struct text_rule person_rule = TEXT_RULE(TEXT_ID, COMMAND_ID_MOST, person);
	char id[COMMAND_ID_MOST + 1];
	struct sender from = { .channel = "unix",
		               .now_ms = engine_now_ms(s->door->engine),
		               .replay_clock = s->door->options.replay_clock,
		               .digester = s->door->digester };

	if (!s->peer_rules)
		return refuse(why, REFUSAL_NOT_ALLOWED, "root-makes-the-first",
		              "Only root, or the daemon's own user, may ask for this, over the Unix socket of its "
		              "machine.");
	if (!check_copy(&f->first_administrator->person, &person_rule, id, sizeof id, why))
		return 0;
	from.person = policy_person(engine_policy(s->door->engine), id);
	if (!from.person)
		return refuse(why, REFUSAL_UNKNOWN_PERSON, "person-is-known",
		              "people.csv has nobody called \"%s\"; put a row there and reload first.", id);
	return submit(s, f->seq, convert_first(f->first_administrator, &from, why));
}

/* ---- revoke ---- */

static _Bool stands_in_file(const struct policy *policy, const char *person)
{
	const struct person *p = person ? policy_person(policy, person) : NULL;

	return p && (p->token_sha256 || p->certificate);
}

static void answer_revoked(void *door, struct command *c)
{
	struct session *s = door;
	Gridloop__V1__CredentialsRevoked m = GRIDLOOP__V1__CREDENTIALS_REVOKED__INIT;
	Gridloop__V1__ServerFrame f = GRIDLOOP__V1__SERVER_FRAME__INIT;
	int64_t ids[FACTS_CREDENTIALS_MOST];
	const char *person = c->change_count ? c->changes[0].person : c->person;

	must(c->change_count <= FACTS_CREDENTIALS_MOST);
	for (size_t i = 0; i < c->change_count; i++)
		ids[i] = c->changes[i].id;
	m.ids = ids;
	m.n_ids = c->change_count;
	m.person = wire_text(person);
	m.in_file_too = stands_in_file(engine_policy(s->door->engine), person);
	f.body_case = GRIDLOOP__V1__SERVER_FRAME__BODY_CREDENTIALS_REVOKED;
	f.credentials_revoked = &m;
	session_answer(s, c, &f);
}

_Bool identity_revoke_serve(struct session *s, const Gridloop__V1__ClientFrame *f, struct refusal *why)
{
	struct sender from = session_sender(s, f->replay_at_ms);
	struct command *c = convert_revoke(f->revoke_credential, &from, why);

	if (c)
		session_submit(s, c, f->seq, answer_revoked);
	return c != NULL;
}
