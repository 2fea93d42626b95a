/* verifier: a verification under way, as the files that make it up see it. Private to store/. */
#ifndef STORE_VERIFIER_H
#define STORE_VERIFIER_H

#include "store/connection.h"
#include "store/row.h"
#include "store/verify.h"

enum verify_number {
	VERIFY_KEYS,
	VERIFY_OPENED,
	VERIFY_REPLIED,
	VERIFY_NOTICES,
	VERIFY_BALANCE,
	VERIFY_NEVER_NEGATIVE,
	VERIFY_REPLAY,
	VERIFY_STAGES,
	VERIFY_COUNT,
	VERIFY_TABLES,
	VERIFY_GRID,
	VERIFY_TRANSITIONS,
	VERIFY_CHAIN,
	VERIFY_IDS,
	VERIFY_EVIDENCE,
	VERIFY_ROLES,
	VERIFY_AUDIT_CHAIN,
	VERIFY_LEDGER_CHAIN,
	VERIFY_ACTS,
	VERIFY_CREDENTIALS,
	VERIFY_INTEGRITY,
	VERIFY_NUMBERS
};

struct verifier {
	struct connection connection;
	struct verify_report *report;
	void (*progress)(void *ctx, int64_t done, int64_t all);
	void *ctx;
	int64_t done, all;
	struct row_units units;
};

/* Counts one thing looked at, and when it does not hold, that; the first is kept in words. Gives `holds`. */
_Bool verifier_look(struct verifier *v, enum verify_number check, _Bool holds, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* Counts a row for the progress. */
void verifier_step(struct verifier *v);
/* A statement; NULL, and the failure in VERIFY_INTEGRITY, when SQLite refuses. */
sqlite3_stmt *verifier_prepare(struct verifier *v, const char *sql) MUST_USE;
/* Whether the statement has another row; a failure goes to VERIFY_INTEGRITY. */
_Bool verifier_next(struct verifier *v, sqlite3_stmt *st) MUST_USE;

/* Replays every event: REPLAY, STAGES, GRID, TRANSITIONS, CHAIN, OPENED, REPLIED, TABLES. */
void verifier_replay(struct verifier *v);
/* Evidence and its rows: EVIDENCE, ROLES. */
void verifier_evidence(struct verifier *v);
/* Compares the points with their sums: BALANCE, NEVER_NEGATIVE. */
void verifier_points(struct verifier *v);
/* Follows the chains: AUDIT_CHAIN, LEDGER_CHAIN. */
void verifier_chains(struct verifier *v);

#endif
