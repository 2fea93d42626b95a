/* proof: whether what somebody shows proves who they say they are: a token or a client certificate that stands in
 * people.csv, or a live credential of the roster. Takes as long and does the same work whoever is named and whether they
 * are known at all. For the loop's thread. */
#ifndef INTAKE_PROOF_H
#define INTAKE_PROOF_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "jurisdiction/policy.h"
#include "workflow/roster.h"

#define PROOF_TOKEN_MOST 256 /* bytes */

/* By what somebody is let in. */
struct proof {
	int64_t credential; /* its id; 0: it stands in people.csv */
	int64_t expires_ms; /* 0: never */
	enum credential_kind kind;
	uint8_t sha256[DIGEST_SIZE];
};

/* What is shown: SHA-256 of a token, or of a certificate's DER bytes. */
struct shown {
	enum credential_kind kind;
	uint8_t sha256[DIGEST_SIZE];
};
/* false: too long to be one. */
_Bool shown_token(struct digester *d, const void *token, size_t length, struct shown *out) MUST_USE;

/* who: the identity named, NULL or unknown too. NULL: it does not prove that. */
const struct person *proof_of(const struct policy *policy, const struct roster *roster, int64_t now_ms, const char *who,
                              const struct shown *shown, struct proof *out);
/* Whether that still proves that somebody is this person; out->expires_ms is brought up to date. */
_Bool proof_holds(struct proof *p, const struct person *person, const struct roster *roster, int64_t now_ms);

#endif
