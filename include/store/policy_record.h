/* policy_record: which policy was in force since when, and whether every open case has been looked at under it. */
#ifndef STORE_POLICY_RECORD_H
#define STORE_POLICY_RECORD_H

#include "jurisdiction/policy.h"
#include "store/store.h"

struct policy_record {
	char digest[POLICY_DIGEST_SIZE]; /* "" : there was none yet */
	int64_t from_ms;
	_Bool sweep_due; /* a sweep was begun or ordered and has not reached its end */
};

/* The newest. false with *cause (heap). */
_Bool store_policy(struct store *s, struct policy_record *out, char **cause) MUST_USE;
/* Within a transaction. A policy comes into force, and a sweep is due with it. */
enum store_result store_write_policy(struct store *s, const char *digest, int64_t from_ms) MUST_USE;
enum store_result store_write_sweep(struct store *s, _Bool due) MUST_USE;

#endif
