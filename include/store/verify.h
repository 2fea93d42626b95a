/* verify: proves on a database that each case's events replay to its row and that the invariants of the domain hold.
 * Opens read-only; may run beside the daemon. */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include <stdint.h>

#include "base/must.h"

struct verify_check {
	const char *name; /* "events replay to the row" */
	int invariant;    /* number in the domain's list, 0: the database's own */
	int64_t looked_at;
	int64_t broken;
	char first[200]; /* what the first broken one was */
};
#define VERIFY_CHECKS_MOST 24
struct verify_report {
	struct verify_check checks[VERIFY_CHECKS_MOST];
	int count;
	int64_t received, open, archived, events, ledger_rows, audit_rows;
};

/* progress (may be NULL) is called now and then with rows done and rows in all. false with *cause (heap) when the
 * database cannot be read at all; otherwise the report tells. */
_Bool verify_database(const char *path, void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx,
                      struct verify_report *out, char **cause) MUST_USE;
/* Adds a check to the report: every file of the evidence rows lies in the folder, with its size and its digest. Reads all
 * of them. false with *cause (heap) as above. */
_Bool verify_evidence(const char *path, const char *folder, void (*progress)(void *ctx, int64_t done, int64_t all),
                      void *ctx, struct verify_report *out, char **cause) MUST_USE;
/* Adds a check to the report: each case's grid is the one that its place lay in when it was reported, as far as this policy's
 * map knows that time. false with *cause (heap) as above. */
struct policy;
_Bool verify_map(const char *path, const struct policy *policy, void (*progress)(void *ctx, int64_t done, int64_t all),
                 void *ctx, struct verify_report *out, char **cause) MUST_USE;
/* Adds a check to the report: the chains of audit and ledger have the heads that were noted, as a backup or the log gives
 * them: "audit=ID:LINK ledger=ID:LINK". false with *cause (heap) as above, and when they are not written so. */
_Bool verify_heads(const char *path, const char *heads, struct verify_report *out, char **cause) MUST_USE;
_Bool verify_holds(const struct verify_report *r);

#endif
