/* The chains of the audit and the ledger, link by link, from the first row to the head. After a break the walk goes on from
 * what the broken row says of itself, so that each broken row is counted once and the rest is still proved. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/verifier.h"
#include "store/chain.h"
#include "store/cut_audit.h"
#include "store/expire.h"

struct walk {
	struct verifier *v;
	struct digester *digester;
	enum verify_number check;
	const char *name;
	struct chain_head at; /* the row last seen */
};

static void see_row(struct walk *w, int64_t id, _Bool sound, const struct chain_link *is, const uint8_t *should)
{
	_Bool next = verifier_look(w->v, w->check, id == w->at.id + 1,
	                           id > w->at.id + 1 ? "%s row %lld is missing: row %lld comes after row %lld"
	                                             : "%s row %lld stands out of order: row %lld after row %lld",
	                           w->name, (long long)w->at.id + 1, (long long)id, (long long)w->at.id);

	/* Behind a gap nothing can be said about the link. */
	(void)verifier_look(w->v, w->check, !next || (sound && memcmp(is->link, should, DIGEST_SIZE) == 0),
	                    "%s row %lld is not what was written: it, or the row before it, was changed by hand",
	                    w->name, (long long)id);
	w->at.id = id;
	memcpy(w->at.link, is->link, DIGEST_SIZE);
	verifier_step(w->v);
}

/* What is erased has no salt any more; its seal must be taken as it is. */
static void see_audit(struct walk *w, sqlite3_stmt *st)
{
	struct audit_fact f;
	struct chain_link link = { 0 };
	uint8_t seal[DIGEST_SIZE], should[DIGEST_SIZE];
	int64_t id;
	_Bool has_salt, sound = chain_read_audit(st, &id, &f, &link, &has_salt);

	memcpy(seal, link.seal, sizeof seal);
	if (sound && has_salt) {
		chain_seal_audit(w->digester, link.salt, &f, seal);
		sound = memcmp(seal, link.seal, sizeof seal) == 0;
	}
	chain_link_audit(w->digester, w->at.link, id, &f, seal, should);
	see_row(w, id, sound, &link, should);
}

static void see_ledger(struct walk *w, sqlite3_stmt *st)
{
	struct ledger_fact f;
	struct chain_link link = { 0 };
	uint8_t seal[DIGEST_SIZE], should[DIGEST_SIZE];
	_Bool has_salt, sound = chain_read_ledger(st, &f, &link, &has_salt);

	memcpy(seal, link.seal, sizeof seal);
	if (sound && has_salt) {
		chain_seal_ledger(w->digester, link.salt, &f, seal);
		sound = memcmp(seal, link.seal, sizeof seal) == 0;
	}
	chain_link_ledger(w->digester, w->at.link, &f, seal, should);
	see_row(w, f.id, sound, &link, should);
}

static void see_head(struct walk *w, enum chain_name which)
{
	struct chain_head head;

	if (!chain_read_head(&w->v->connection, which, &head)) {
		(void)verifier_look(w->v, VERIFY_INTEGRITY, 0, "%s", sqlite3_errmsg(w->v->connection.db));
		return;
	}
	(void)verifier_look(w->v, w->check, w->at.id >= head.id,
	                    "%s row %lld is missing: the last row there is is %lld", w->name, (long long)head.id,
	                    (long long)w->at.id);
	(void)verifier_look(w->v, w->check, w->at.id <= head.id,
	                    "%s row %lld was put in by hand: the daemon wrote %lld rows", w->name, (long long)w->at.id,
	                    (long long)head.id);
	(void)verifier_look(w->v, w->check, w->at.id != head.id || memcmp(w->at.link, head.link, DIGEST_SIZE) == 0,
	                    "%s row %lld, the last one, is not the one that was written", w->name, (long long)w->at.id);
}

/* Where the chain begins: behind what was cut off when its time was over, as its newest row of the kind tells. */
static void begin_behind_cut(struct walk *w)
{
	sqlite3_stmt *st = verifier_prepare(w->v, "SELECT subject FROM audit WHERE what = ? ORDER BY id DESC LIMIT 1");
	char subject[CUT_SUBJECT_SIZE];
	struct chain_head cut;
	_Bool told = 0;

	if (!chain_read_head(&w->v->connection, CHAIN_AUDIT_CUT, &cut)) {
		(void)verifier_look(w->v, VERIFY_INTEGRITY, 0, "%s", sqlite3_errmsg(w->v->connection.db));
		cut.id = 0;
	}
	cut_audit_subject(cut.id, cut.link, subject);
	if (st)
		bind_int(st, 1, AUDITED_CUT);
	if (verifier_next(w->v, st))
		told = column_text(st, 0) && strcmp(column_text(st, 0), subject) == 0;
	(void)sqlite3_finalize(st);
	if (cut.id == 0)
		return;
	(void)verifier_look(w->v, w->check, told, "audit rows up to %lld are gone, and no row tells of it",
	                    (long long)cut.id);
	w->at = cut;
}

static void walk(struct walk *w, enum chain_name which, const char *sql, void (*see)(struct walk *w, sqlite3_stmt *st))
{
	sqlite3_stmt *st = verifier_prepare(w->v, sql);

	while (verifier_next(w->v, st))
		see(w, st);
	(void)sqlite3_finalize(st);
	see_head(w, which);
}

/* Rows whose person was erased: as many as the erasure's own row of the audit says, so that nobody hides a change by
 * giving it the look of an erasure. */
static void check_erased(struct verifier *v)
{
	sqlite3_stmt *st = verifier_prepare(
		v, "WITH erased (name) AS (SELECT person FROM ledger WHERE salt IS NULL UNION ALL"
		   " SELECT coalesce(subject, '') FROM audit WHERE salt IS NULL)"
		   " SELECT name, count(*), (SELECT coalesce(sum(a.count), 0) FROM audit AS a WHERE a.subject = name"
		   " AND a.salt IS NOT NULL AND a.what = ?1) FROM erased GROUP BY name");

	if (st)
		bind_int(st, 1, AUDITED_ERASE);
	while (verifier_next(v, st)) {
		int64_t rows = column_int(st, 1), told = column_int(st, 2);

		(void)verifier_look(v, VERIFY_LEDGER_CHAIN, rows == told,
		                    "%lld rows have lost their person to \"%.40s\", the audit tells of %lld",
		                    (long long)rows, column_text(st, 0), (long long)told);
	}
	(void)sqlite3_finalize(st);
}

/* A name that is gone was a reporter's, on duty or not, and went with its case's. */
static _Bool is_the_same(const char *actor, const char *who)
{
	return actor && (strcmp(actor, who) == 0 || strcmp(actor, EXPIRE_NAME) == 0);
}

/* An event has no link of its own; for who of the staff did what, the audit's row stands in. */
static void check_acts(struct verifier *v)
{
	sqlite3_stmt *st = verifier_prepare(v,
	                                    "SELECT a.id, a.who, a.purpose, a.at_ms, a.count, e.actor, e.act, e.at_ms"
	                                    " FROM audit AS a LEFT JOIN case_event AS e ON e.id = a.count"
	                                    " WHERE a.what = ?1 ORDER BY a.id");

	if (st)
		bind_int(st, 1, AUDITED_ACT);
	while (verifier_next(v, st)) {
		const char *who = column_text(st, 1), *act = column_text(st, 2);
		int64_t is = column_int(st, 6);
		_Bool known = is > ACT_NONE && is < ACT_COUNT && who && act;

		(void)verifier_look(
			v, VERIFY_ACTS,
			known && strcmp(act_info((enum act)is)->name, act) == 0 &&
				column_int(st, 3) == column_int(st, 7) && is_the_same(column_text(st, 5), who),
			"event %lld is not what was done: audit row %lld says \"%.20s\" by %.64s",
			(long long)column_int(st, 4), (long long)column_int(st, 0), act ? act : "", who ? who : "");
	}
	(void)sqlite3_finalize(st);
}

void verifier_chains(struct verifier *v)
{
	struct digester *d = digester_new();
	struct walk audit = { .v = v, .digester = d, .check = VERIFY_AUDIT_CHAIN, .name = "audit" };
	struct walk ledger = { .v = v, .digester = d, .check = VERIFY_LEDGER_CHAIN, .name = "ledger" };

	begin_behind_cut(&audit);
	walk(&audit, CHAIN_AUDIT, "SELECT " CHAIN_AUDIT_NAMES " FROM audit ORDER BY id", see_audit);
	walk(&ledger, CHAIN_LEDGER, "SELECT " CHAIN_LEDGER_NAMES " FROM ledger ORDER BY id", see_ledger);
	check_erased(v);
	check_acts(v);
	digester_free(d);
}

/* ---- heads noted elsewhere ---- */

struct noted {
	const char *name, *sql;
	long long id, from; /* from: of before it nothing can be told any more */
	char link[DIGEST_TEXT_SIZE];
};

static void look_at_noted(struct verifier *v, const struct noted *n)
{
	sqlite3_stmt *st = verifier_prepare(v, n->sql);
	const char *is = NULL;

	if (st)
		bind_int(st, 1, n->id);
	if (verifier_next(v, st))
		is = column_text(st, 0);
	(void)verifier_look(v, (enum verify_number)v->report->count,
	                    n->id == 0 || n->id < n->from || (is && strcmp(is, n->link) == 0),
	                    is ? "%s row %lld is another one than was noted: the chain was written anew"
	                       : "%s row %lld was noted and is not there",
	                    n->name, n->id);
	(void)sqlite3_finalize(st);
}

_Bool verify_heads(const char *path, const char *heads, struct verify_report *out, char **cause)
{
	struct verifier v = { .report = out };
	struct noted audit = { .name = "audit",
		               .sql = "SELECT lower(hex(link)) FROM audit WHERE id = ?1 UNION ALL"
		                      " SELECT lower(hex(link)) FROM chain_head WHERE chain = 2"
		                      " AND id = ?1" };
	struct chain_head cut;
	struct noted ledger = { .name = "ledger", .sql = "SELECT lower(hex(link)) FROM ledger WHERE id = ?" };

	must(out->count < VERIFY_CHECKS_MOST);
	if (sscanf(heads, "audit=%lld:%64[0-9a-f] ledger=%lld:%64[0-9a-f]", &audit.id, audit.link, &ledger.id,
	           ledger.link) != 4) {
		*cause = must_strdup("the heads are given as they were noted: \"audit=ID:LINK ledger=ID:LINK\"");
		return 0;
	}
	if (!connection_open(&v.connection, path, NULL, CONNECTION_READ, NULL, 0, cause))
		return 0;
	if (chain_read_head(&v.connection, CHAIN_AUDIT_CUT, &cut))
		audit.from = cut.id;
	out->checks[out->count] = (struct verify_check){ .name = "the chains lead on from the heads that were noted" };
	look_at_noted(&v, &audit);
	look_at_noted(&v, &ledger);
	out->count++;
	connection_close(&v.connection);
	return 1;
}
