/* roster: what proves, today, that somebody is who they say. A credential 凭证 is a token, of which only SHA-256 is known
 * here, or a TLS client certificate, by the SHA-256 of its DER bytes. It belongs to a person of people.csv (who somebody
 * is stays data of the policy; devices, gateways and units act as such a person too), has a label that says what it is
 * for, and ends when it expires or is revoked.
 *
 * A roster holds the live ones in memory. There are two: the casebook's, by which the writer decides, and the loop's, by
 * which people are let in; both obey the same facts, each on its own thread. The loop's obeys when the writer's answer
 * has come back from the disk and before that answer goes out, so nobody is let in by a credential once its revoking has
 * been answered. */
#ifndef WORKFLOW_ROSTER_H
#define WORKFLOW_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/must.h"

#define CREDENTIALS_MOST 200000      /* live ones, of all: every rider of a large city has one */
#define CREDENTIALS_A_PERSON_MOST 16 /* live ones; each is compared with at a login */
#define CREDENTIAL_LABEL_MOST 120    /* bytes */
#define CREDENTIAL_WHY_MOST 300      /* bytes */

/* The numbers are the wire's and the database's. */
enum credential_kind { CREDENTIAL_NONE = 0, CREDENTIAL_TOKEN = 1, CREDENTIAL_CERTIFICATE = 2 };
const char *credential_kind_name(enum credential_kind k); /* "token" */

/* As a fact: how it is from now on. is_new: it was not there before; revoked_ms set: it is over. */
struct credential {
	int64_t id; /* rising by one, never given twice */
	const char *person;
	uint8_t kind; /* enum credential_kind */
	_Bool is_new; /* facts only */
	uint8_t sha256[DIGEST_SIZE];
	int64_t made_ms;
	int64_t expires_ms; /* 0: never; good until then: t < expires_ms */
	int64_t revoked_ms; /* 0: not revoked */
	int64_t replaces;   /* id of the one it was made to follow, 0: none */
	/* Only in facts and rows. */
	const char *label, *made_by, *revoked_by, *why;
};

_Bool credential_is_live(const struct credential *c, int64_t now_ms);
/* A copy of count of them in one block, without what is only in facts; free it. NULL for none. */
struct credential *credentials_copy(const struct credential *rows, size_t count) MUST_USE;

struct roster;

struct roster *roster_new(void) MUST_USE;
void roster_free(struct roster *r); /* NULL is fine */

/* Puts a new one in, takes a revoked one out, changes when one expires. What it needs of *c it copies. Those of the same
 * person that expired before *c was made are let go of. */
void roster_obey(struct roster *r, const struct credential *c);

/* NULL: there never was one, or it is revoked. It may have expired. */
const struct credential *roster_find(const struct roster *r, int64_t id);
/* This person's live ones, oldest first; how many. */
size_t roster_of(const struct roster *r, const char *person, int64_t now_ms,
                 const struct credential *out[CREDENTIALS_A_PERSON_MOST]);
/* The live certificate of these bytes, whoever's; NULL: none. */
const struct credential *roster_certificate(const struct roster *r, const uint8_t sha256[DIGEST_SIZE], int64_t now_ms);
size_t roster_count(const struct roster *r);
void roster_each(const struct roster *r, void (*visit)(void *ctx, const struct credential *c), void *ctx);

#endif
