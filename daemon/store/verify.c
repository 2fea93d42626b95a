/* verify: one snapshot, every check. Most of them are in the one pass over the events (verify_replay.c). */
#include "store/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/schema.h"
#include "store/verifier.h"

#define PROGRESS_ROWS 10000

static const struct {
	const char *name;
	int invariant;
} checks[VERIFY_NUMBERS] = {
	[VERIFY_KEYS] = { "every acknowledged key has its case", 1 },
	[VERIFY_OPENED] = { "every case was opened once", 1 },
	[VERIFY_REPLIED] = { "an ended case told its reporter", 2 },
	[VERIFY_NOTICES] = { "every notice belongs to an event of its case", 2 },
	[VERIFY_BALANCE] = { "balances are the sums of the ledger", 3 },
	[VERIFY_NEVER_NEGATIVE] = { "no balance was ever negative", 3 },
	[VERIFY_REPLAY] = { "events replay to the row", 4 },
	[VERIFY_STAGES] = { "stage times add up to the age", 5 },
	[VERIFY_COUNT] = { "received is open plus archived", 6 },
	[VERIFY_TABLES] = { "open cases are open and archived ones ended", 6 },
	[VERIFY_GRID] = { "grids change only by filing", 7 },
	[VERIFY_TRANSITIONS] = { "every step is in the table", 8 },
	[VERIFY_CHAIN] = { "each case's events form one chain", 8 },
	[VERIFY_IDS] = { "event ids have no gap", 0 },
	[VERIFY_EVIDENCE] = { "evidence that is named was uploaded by who named it", 0 },
	[VERIFY_ROLES] = { "what photos show is what their events say", 4 },
	[VERIFY_AUDIT_CHAIN] = { "every row of the audit is there as it was written", 0 },
	[VERIFY_ACTS] = { "who of the staff did what to a case is what the audit says", 0 },
	[VERIFY_LEDGER_CHAIN] = { "every row of the ledger is there as it was written", 3 },
	[VERIFY_CREDENTIALS] = { "credentials are whole and end once", 0 },
	[VERIFY_INTEGRITY] = { "the file is sound", 0 },
};

_Bool verifier_look(struct verifier *v, enum verify_number check, _Bool holds, const char *format, ...)
{
	struct verify_check *c = &v->report->checks[check];
	va_list args;

	c->looked_at++;
	if (holds)
		return 1;
	if (c->broken++ == 0) {
		va_start(args, format);
		(void)vsnprintf(c->first, sizeof c->first, format, args);
		va_end(args);
	}
	return 0;
}

void verifier_step(struct verifier *v)
{
	if (v->done++ % PROGRESS_ROWS == 0 && v->progress)
		v->progress(v->ctx, v->done, v->all);
}

static void note_failure(struct verifier *v)
{
	(void)verifier_look(v, VERIFY_INTEGRITY, 0, "%s", sqlite3_errmsg(v->connection.db));
}

sqlite3_stmt *verifier_prepare(struct verifier *v, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(v->connection.db, sql, -1, &st, NULL) != SQLITE_OK)
		note_failure(v);
	return st;
}

_Bool verifier_next(struct verifier *v, sqlite3_stmt *st)
{
	int result = st ? sqlite3_step(st) : SQLITE_DONE;

	if (result != SQLITE_ROW && result != SQLITE_DONE)
		note_failure(v);
	return result == SQLITE_ROW;
}

static int64_t number(struct verifier *v, const char *sql)
{
	_Bool ok = 1;
	int64_t n = connection_number(&v->connection, sql, 0, &ok);

	if (!ok)
		note_failure(v);
	return n;
}

static void count_rows(struct verifier *v)
{
	struct verify_report *r = v->report;

	r->events = number(v, "SELECT count(*) FROM case_event");
	r->open = number(v, "SELECT count(*) FROM open_case");
	r->archived = number(v, "SELECT count(*) FROM closed_case");
	r->ledger_rows = number(v, "SELECT count(*) FROM ledger");
	r->audit_rows = number(v, "SELECT count(*) FROM audit");
	v->all = r->events + 2 * r->ledger_rows + r->audit_rows;
}

/* ---- the checks that SQL can make ---- */

/* Every row of a statement is something broken: its id and a word on it. */
static void look_for_broken(struct verifier *v, enum verify_number check, int64_t looked_at, const char *sql)
{
	sqlite3_stmt *st = verifier_prepare(v, sql);

	while (verifier_next(v, st))
		(void)verifier_look(v, check, 0, "%s %lld", column_text(st, 1), (long long)column_int(st, 0));
	v->report->checks[check].looked_at = looked_at;
	(void)sqlite3_finalize(st);
}

static void check_keys(struct verifier *v)
{
	look_for_broken(v, VERIFY_KEYS, number(v, "SELECT count(*) FROM request_key"),
	                "SELECT case_id, iif(length(key) = 16 AND length(hash) = 16, 'there is no case', 'a key is "
	                "cut, of case')"
	                " FROM request_key AS k WHERE length(key) <> 16 OR length(hash) <> 16 OR (case_id <> 0"
	                " AND NOT EXISTS (SELECT 1 FROM closed_case AS c WHERE c.id = k.case_id)"
	                " AND NOT EXISTS (SELECT 1 FROM open_case AS c WHERE c.id = k.case_id))"
	                " UNION ALL SELECT max(case_id), 'a key stands twice, of case' FROM request_key GROUP BY key"
	                " HAVING count(*) > 1");
}

static void check_notices(struct verifier *v)
{
	look_for_broken(
		v, VERIFY_NOTICES, number(v, "SELECT count(*) FROM notice"),
		"SELECT n.id, 'no such event of its case: notice' FROM notice AS n WHERE event_id <> 0"
		" AND NOT EXISTS (SELECT 1 FROM case_event AS e WHERE e.id = n.event_id AND e.case_id = n.case_id)");
}

static void check_credentials(struct verifier *v)
{
	look_for_broken(
		v, VERIFY_CREDENTIALS, number(v, "SELECT count(*) FROM credential"),
		"SELECT id, 'no such kind or digest: credential' FROM credential WHERE kind NOT IN (1, 2) OR"
		" length(sha256) <> 32 OR person = '' UNION ALL"
		" SELECT id, 'it ends before it begins: credential' FROM credential WHERE made_ms <= 0 OR"
		" (expires_ms <> 0 AND expires_ms < made_ms) OR (revoked_ms <> 0 AND revoked_ms < made_ms) UNION ALL"
		" SELECT id, 'nobody revoked it: credential' FROM credential WHERE (revoked_ms = 0) <> (revoked_by IS "
		"NULL)"
		" UNION ALL SELECT n.id, 'it follows another person''s: credential' FROM credential AS n WHERE "
		"n.replaces <> 0"
		" AND NOT EXISTS (SELECT 1 FROM credential AS o WHERE o.id = n.replaces AND o.id < n.id"
		" AND o.person = n.person) UNION ALL"
		" SELECT max(id), 'two have one token: credential' FROM credential WHERE kind = 1 GROUP BY sha256"
		" HAVING count(*) > 1");
}

static void check_integrity(struct verifier *v)
{
	sqlite3_stmt *st = verifier_prepare(v, "PRAGMA integrity_check(10)");

	while (verifier_next(v, st))
		(void)verifier_look(v, VERIFY_INTEGRITY, strcmp(column_text(st, 0), "ok") == 0, "%s",
		                    column_text(st, 0));
	(void)sqlite3_finalize(st);
}

static void check_count(struct verifier *v)
{
	struct verify_report *r = v->report;

	r->received = number(v, "SELECT count(*) FROM case_event WHERE from_state = 0");
	(void)verifier_look(v, VERIFY_COUNT, r->received == r->open + r->archived,
	                    "%lld received, %lld open, %lld archived", (long long)r->received, (long long)r->open,
	                    (long long)r->archived);
}

static void run_checks(struct verifier *v)
{
	count_rows(v);
	verifier_replay(v);
	/* These two look at the same thing from several sides. */
	v->report->checks[VERIFY_CHAIN].looked_at = v->report->events;
	v->report->checks[VERIFY_TABLES].looked_at = v->report->open + v->report->archived;
	verifier_points(v);
	verifier_chains(v);
	verifier_evidence(v);
	check_count(v);
	check_keys(v);
	check_notices(v);
	check_credentials(v);
	check_integrity(v);
	if (v->progress)
		v->progress(v->ctx, v->all, v->all);
}

_Bool verify_database(const char *path, void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx,
                      struct verify_report *out, char **cause)
{
	struct verifier v = { .report = out, .progress = progress, .ctx = ctx };
	_Bool readable;

	_Static_assert((int)VERIFY_NUMBERS <= VERIFY_CHECKS_MOST, "the report has room for every check");
	memset(out, 0, sizeof *out);
	if (!connection_open(&v.connection, path, NULL, CONNECTION_READ, NULL, 0, cause))
		return 0;
	out->count = VERIFY_NUMBERS;
	for (int i = 0; i < VERIFY_NUMBERS; i++) {
		out->checks[i].name = checks[i].name;
		out->checks[i].invariant = checks[i].invariant;
	}
	readable = schema_check(&v.connection, cause) && connection_execute(&v.connection, "BEGIN") == SQLITE_OK;
	if (readable)
		run_checks(&v);
	else if (*cause == NULL)
		*cause = connection_cause(&v.connection, path);
	connection_rollback(&v.connection);
	connection_close(&v.connection);
	return readable;
}

_Bool verify_holds(const struct verify_report *r)
{
	for (int i = 0; i < r->count; i++)
		if (r->checks[i].broken != 0)
			return 0;
	return r->count > 0;
}
