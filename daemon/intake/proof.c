#include "intake/proof.h"

#include <string.h>

#define CANDIDATES (CREDENTIALS_A_PERSON_MOST + 1) /* and the one of people.csv */

/* What a person may show. Places that are not used are all zero: no SHA-256 is known to be, and a match there is not
 * believed. */
struct candidates {
	uint8_t sha256[CANDIDATES][DIGEST_SIZE];
	const struct credential *credentials[CANDIDATES]; /* NULL: of people.csv */
	int count;
};

_Bool shown_token(struct digester *d, const void *token, size_t length, struct shown *out)
{
	out->kind = CREDENTIAL_TOKEN;
	if (length == 0 || length > PROOF_TOKEN_MOST)
		return 0;
	digest_begin(d);
	digest_add(d, token, length);
	digest_end(d, out->sha256);
	return 1;
}

static const char *of_file(const struct person *p, enum credential_kind kind)
{
	return kind == CREDENTIAL_TOKEN ? p->token_sha256 : p->certificate;
}

static void gather(struct candidates *c, const struct person *p, const struct roster *roster, int64_t now_ms,
                   enum credential_kind kind)
{
	const struct credential *live[CREDENTIALS_A_PERSON_MOST];
	size_t count = roster_of(roster, p->id, now_ms, live);
	const char *hex = of_file(p, kind);

	for (size_t i = 0; i < count; i++) {
		if (live[i]->kind != kind)
			continue;
		memcpy(c->sha256[c->count], live[i]->sha256, DIGEST_SIZE);
		c->credentials[c->count++] = live[i];
	}
	if (hex && digest_from_text(hex, c->sha256[c->count]))
		c->count++;
}

/* Compares with all of them, so that time tells nothing. */
static int find_same(const struct candidates *c, const uint8_t sha256[DIGEST_SIZE])
{
	int found = -1;

	for (int i = 0; i < CANDIDATES; i++) {
		_Bool same = digest_same(c->sha256[i], sha256);

		if (same && i < c->count)
			found = i;
	}
	return found;
}

const struct person *proof_of(const struct policy *policy, const struct roster *roster, int64_t now_ms, const char *who,
                              const struct shown *shown, struct proof *out)
{
	const struct person *p = who ? policy_person(policy, who) : NULL;
	struct candidates c = { .count = 0 };

	if (p)
		gather(&c, p, roster, now_ms, shown->kind);

	int found = find_same(&c, shown->sha256);

	if (found < 0)
		return NULL;
	*out = (struct proof){ .kind = shown->kind };
	memcpy(out->sha256, shown->sha256, DIGEST_SIZE);
	if (c.credentials[found]) {
		out->credential = c.credentials[found]->id;
		out->expires_ms = c.credentials[found]->expires_ms;
	}
	return p;
}

static _Bool stands_in_file(const struct proof *p, const struct person *person)
{
	const char *hex = of_file(person, p->kind);
	uint8_t sha256[DIGEST_SIZE];

	return hex && digest_from_text(hex, sha256) && digest_same(sha256, p->sha256);
}

_Bool proof_holds(struct proof *p, const struct person *person, const struct roster *roster, int64_t now_ms)
{
	if (p->credential == 0)
		return stands_in_file(p, person);

	const struct credential *c = roster_find(roster, p->credential);

	if (!c || !credential_is_live(c, now_ms))
		return 0;
	p->expires_ms = c->expires_ms;
	return 1;
}
