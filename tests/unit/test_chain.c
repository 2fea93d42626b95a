/* The chains of audit and ledger: each kind of edit by hand is found and named, an erasure by the rules is not one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "store/backup.h"
#include "store/cut_audit.h"
#include "store/verify.h"
#include "store_kit.h"

#define UNLOCK                                                                                                         \
	"DROP TRIGGER audit_stays; DROP TRIGGER audit_remains; DROP TRIGGER ledger_stays; DROP TRIGGER "               \
	"ledger_remains;"
#define ROWS 6

/* Six rows in each chain: each in a commit of its own. */
static void fill(struct kit *k)
{
	struct audit_fact f = { .what = AUDITED_LOOK_CASE, .who = "acceptor-01", .channel = "tcp" };

	for (int i = 1; i <= ROWS; i++) {
		char subject[32], person[32];

		snprintf(subject, sizeof subject, "E01102026112100%03d", i);
		snprintf(person, sizeof person, "meituan/%d", i % 2);
		f.at_ms = k->now_ms + i;
		f.subject = subject;
		f.purpose = i % 2 ? "call back about the result" : NULL;
		kit_nothing(k);
		k->facts.audit = f;
		kit_earn(k, person, 10, k->now_ms + 5, 0);
		assert_int_equal(kit_write(k), STORE_OK);
	}
}

static int start(void **state)
{
	kit_test_start(state);
	fill(*state);
	return 0;
}

static void look(const struct kit *k, struct verify_report *report)
{
	char *cause = NULL;

	if (!verify_database(k->path, NULL, NULL, report, &cause))
		fail_msg("%s", cause);
}

static const struct verify_check *chain_of(const struct verify_report *r, const char *name)
{
	char whole[80];

	snprintf(whole, sizeof whole, "every row of the %s is there as it was written", name);
	for (int i = 0; i < r->count; i++)
		if (strcmp(r->checks[i].name, whole) == 0)
			return &r->checks[i];
	fail_msg("no check is named %s", whole);
	return NULL;
}

static void close_store(struct kit *k)
{
	store_close(k->store);
	k->store = NULL;
}

/* ---- what holds ---- */

static void untouched_chains_hold(void **state)
{
	struct kit *k = *state;
	struct verify_report r;

	look(k, &r);
	assert_true(verify_holds(&r));
	assert_int_equal(r.audit_rows, ROWS);
	assert_int_equal(chain_of(&r, "audit")->looked_at, 2 * ROWS + 3);
	kit_reopen(k);
	fill(k);
	look(k, &r);
	assert_true(verify_holds(&r));
	assert_int_equal(r.audit_rows, 2 * ROWS);
}

static void what_was_rolled_back_leaves_no_gap(void **state)
{
	struct kit *k = *state;
	struct verify_report r;

	kit_nothing(k);
	k->facts.audit = (struct audit_fact){ .what = AUDITED_EXPORT, .who = "a", .subject = "b", .channel = "tcp" };
	assert_int_equal(store_begin(k->store), STORE_OK);
	assert_int_equal(store_write(k->store, &k->facts), STORE_OK);
	store_rollback(k->store);
	kit_recover(k);
	fill(k);
	look(k, &r);
	assert_true(verify_holds(&r));
}

static void the_triggers_refuse(void **state)
{
	static const char *const forbidden[] = {
		"DELETE FROM audit WHERE id = 1",
		"DELETE FROM ledger WHERE id = 1",
		"UPDATE audit SET who = 'nobody' WHERE id = 1",
		"UPDATE audit SET subject = 'x' WHERE id = 1",
		"UPDATE audit SET subject = 'x', salt = NULL, purpose = 'y' WHERE id = 1",
		"UPDATE ledger SET points = 1000 WHERE id = 1",
		"UPDATE ledger SET person = 'x' WHERE id = 1",
		"UPDATE ledger SET person = 'x', salt = NULL, points = 1 WHERE id = 1",
		"UPDATE ledger SET person = 'x', salt = NULL, link = x'00' WHERE id = 1",
	};
	struct kit *k = *state;
	sqlite3 *db = NULL;

	close_store(k);
	assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
		if (sqlite3_exec(db, forbidden[i], NULL, NULL, NULL) != SQLITE_CONSTRAINT_TRIGGER &&
		    sqlite3_errcode(db) != SQLITE_CONSTRAINT)
			fail_msg("let through: %s", forbidden[i]);
	sqlite3_close(db);
}

/* ---- what is found ---- */

static const struct edit {
	const char *chain, *sql, *first;
} edits[] = {
	{ "audit", "UPDATE audit SET who = 'somebody' WHERE id = 3", "audit row 3 is not what was written" },
	{ "audit", "UPDATE audit SET at_ms = at_ms - 1 WHERE id = 3", "audit row 3 is not" },
	{ "audit", "UPDATE audit SET what = 2 WHERE id = 1", "audit row 1 is not" },
	{ "audit", "UPDATE audit SET subject = 'E0110' WHERE id = 3", "audit row 3 is not" },
	{ "audit", "UPDATE audit SET subject = NULL WHERE id = 3", "audit row 3 is not" },
	{ "audit", "UPDATE audit SET purpose = NULL WHERE id = 3", "audit row 3 is not" },
	{ "audit", "UPDATE audit SET purpose = '' WHERE id = 2", "audit row 2 is not" },
	{ "audit", "UPDATE audit SET channel = 'redis' WHERE id = 6", "audit row 6 is not" },
	{ "audit", "UPDATE audit SET count = 7 WHERE id = 6", "audit row 6 is not" },
	{ "audit", "UPDATE audit SET link = x'00' WHERE id = 4", "audit row 4 is not" },
	{ "audit", "UPDATE audit SET seal = zeroblob(32) WHERE id = 4", "audit row 4 is not" },
	{ "audit", "DELETE FROM audit WHERE id = 1", "audit row 1 is missing: row 2 comes after row 0" },
	{ "audit", "DELETE FROM audit WHERE id = 3", "audit row 3 is missing: row 4 comes after row 2" },
	{ "audit", "DELETE FROM audit WHERE id = 6", "audit row 6 is missing: the last row there is is 5" },
	{ "audit", "DELETE FROM audit", "audit row 6 is missing: the last row there is is 0" },
	{ "audit", "DELETE FROM audit WHERE id = 3; UPDATE audit SET id = id - 1 WHERE id > 3", "audit row 3 is not" },
	{ "audit",
	  "INSERT INTO audit SELECT 7, at_ms, who, what, subject, purpose, channel, count, salt, seal, link"
	  " FROM audit WHERE id = 6",
	  "audit row 7 is not" },
	{ "audit",
	  "UPDATE audit SET id = id + 100 WHERE id > 3; UPDATE audit SET id = id - 99 WHERE id > 100;"
	  "INSERT INTO audit SELECT 4, at_ms, who, what, subject, purpose, channel, count, salt, seal, link"
	  " FROM audit WHERE id = 2",
	  "audit row 4 is not" },
	{ "audit",
	  "UPDATE audit SET id = 100 WHERE id = 2; UPDATE audit SET id = 2 WHERE id = 4;"
	  "UPDATE audit SET id = 4 WHERE id = 100",
	  "audit row 2 is not" },
	{ "audit", "UPDATE chain_head SET id = 5 WHERE chain = 0", "audit row 6 was put in by hand" },
	{ "audit", "UPDATE chain_head SET link = zeroblob(32) WHERE chain = 0", "audit row 6, the last one" },
	{ "ledger", "UPDATE ledger SET points = 11 WHERE id = 2", "ledger row 2 is not what was written" },
	{ "ledger", "UPDATE ledger SET person = 'meituan/1' WHERE id = 2", "ledger row 2 is not" },
	{ "ledger", "UPDATE ledger SET rule = 'me-too' WHERE id = 2", "ledger row 2 is not" },
	{ "ledger", "UPDATE ledger SET text = 'a meal voucher' WHERE id = 2", "ledger row 2 is not" },
	{ "ledger", "UPDATE ledger SET payable_ms = 0 WHERE id = 2", "ledger row 2 is not" },
	{ "ledger", "UPDATE ledger SET case_id = 5 WHERE id = 2", "ledger row 2 is not" },
	{ "ledger", "DELETE FROM ledger WHERE id = 2", "ledger row 2 is missing: row 3 comes after row 1" },
	{ "ledger", "DELETE FROM ledger WHERE id = 6", "ledger row 6 is missing: the last row there is is 5" },
	{ "ledger", "UPDATE ledger SET salt = NULL WHERE id = 2", "1 rows have lost their person to \"meituan/0\"" },
	{ "ledger", "UPDATE ledger SET person = 'erased-1', text = NULL, salt = NULL WHERE id = 2",
	  "1 rows have lost their person to \"erased-1\", the audit tells of 0" },
	{ "ledger", "UPDATE ledger SET points = 11, salt = NULL WHERE id = 2", "ledger row 2 is not" },
};

static void each_edit_is_found_and_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		const struct edit *e = &edits[i];
		void *kit = NULL;
		struct verify_report r;
		char sql[800];

		start(&kit);
		close_store(kit);
		snprintf(sql, sizeof sql, "%s %s", UNLOCK, e->sql);
		kit_tamper(kit, sql);
		look(kit, &r);
		if (verify_holds(&r) || chain_of(&r, e->chain)->broken == 0)
			fail_msg("not found: %s", e->sql);
		if (!strstr(chain_of(&r, e->chain)->first, e->first))
			fail_msg("after %s: \"%s\" does not say \"%s\"", e->sql, chain_of(&r, e->chain)->first,
			         e->first);
		kit_test_end(&kit);
	}
}

/* The daemon that goes on writing behind such an edit does not cover it up. */
static void what_is_written_behind_an_edit_covers_nothing(void **state)
{
	static const char *const cuts[] = { "DELETE FROM audit WHERE id > 4", "DELETE FROM audit WHERE id = 6",
		                            "UPDATE audit SET id = 60 WHERE id = 6" };
	(void)state;
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		void *kit = NULL;
		struct verify_report r;
		char sql[400];

		start(&kit);
		close_store(kit);
		snprintf(sql, sizeof sql, "%s %s", UNLOCK, cuts[i]);
		kit_tamper(kit, sql);
		kit_reopen(kit);
		fill(kit);
		look(kit, &r);
		assert_true(chain_of(&r, "audit")->broken > 0);
		assert_non_null(strstr(chain_of(&r, "audit")->first, "is missing"));
		kit_test_end(&kit);
	}
}

/* ---- an erasure ---- */

static void an_erasure_that_the_audit_tells_of_holds(void **state)
{
	struct kit *k = *state;
	struct verify_report r;
	struct audit_fact f = { .at_ms = k->now_ms,
		                .what = AUDITED_ERASE,
		                .who = "supervisor-01",
		                .subject = "erased-1",
		                .channel = "tcp",
		                .count = 4 };

	close_store(k);
	/* Three rows of meituan/1 in the ledger and one look at a case, by the letter of the triggers. */
	kit_tamper(k, "UPDATE ledger SET person = 'erased-1', text = NULL, salt = NULL WHERE person = 'meituan/1';"
	              "UPDATE audit SET subject = 'erased-1', salt = NULL WHERE id = 2;"
	              "UPDATE account SET person = 'erased-1' WHERE person = 'meituan/1'");
	look(k, &r);
	assert_int_equal(chain_of(&r, "audit")->broken, 0);
	assert_int_equal(chain_of(&r, "ledger")->broken, 1); /* nobody told of it */
	kit_reopen(k);
	assert_int_equal(store_begin(k->store), STORE_OK);
	assert_int_equal(store_write_audit(k->store, &f), STORE_OK);
	assert_int_equal(store_commit(k->store), STORE_OK);
	look(k, &r);
	assert_true(verify_holds(&r));
}

/* ---- rows whose time is over ---- */

/* The store's rows of the audit so far are of before this. */
static int64_t cut(struct kit *k, int64_t before_ms)
{
	int64_t gone;

	assert_int_equal(store_begin(k->store), STORE_OK);
	assert_int_equal(store_cut_audit(k->store, before_ms, k->now_ms, &gone), STORE_OK);
	assert_int_equal(store_commit(k->store), STORE_OK);
	return gone;
}

static int64_t time_of(struct kit *k, int id)
{
	char sql[80];

	snprintf(sql, sizeof sql, "SELECT at_ms FROM audit WHERE id = %d", id);
	return kit_number(k, sql);
}

static void a_cut_front_holds_and_goes_on(void **state)
{
	struct kit *k = *state;
	struct verify_report r;

	assert_int_equal(cut(k, 0), 0);
	assert_int_equal(cut(k, time_of(k, 4)), 3);
	assert_int_equal(kit_number(k, "SELECT min(id) FROM audit"), 4);
	assert_int_equal(kit_number(k, "SELECT count FROM audit WHERE what = 19"), 3);
	look(k, &r);
	assert_true(verify_holds(&r));
	kit_reopen(k);
	fill(k);
	/* The newest stays, whatever its age: the chain goes on from it. */
	int64_t older = kit_number(k, "SELECT count(*) - 1 FROM audit");

	assert_int_equal(cut(k, INT64_MAX), older);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM audit"), 2);
	look(k, &r);
	assert_true(verify_holds(&r));
}

static void a_front_cut_by_hand_is_found(void **state)
{
	static const struct {
		const char *sql, *first;
	} cuts[] = {
		{ "UPDATE chain_head SET id = 5, link = (SELECT link FROM audit WHERE id = 5) WHERE chain = 2;"
		  "DELETE FROM audit WHERE id <= 5",
		  "audit rows up to 5 are gone, and no row tells of it" },
		{ "UPDATE chain_head SET id = 0 WHERE chain = 2", "audit row 1 is missing" },
		{ "DELETE FROM chain_head WHERE chain = 2", "audit row 1 is missing" },
		{ "UPDATE chain_head SET link = zeroblob(32) WHERE chain = 2", "audit rows up to 3 are gone, and no" },
		{ "UPDATE chain_head SET id = 4 WHERE chain = 2; DELETE FROM audit WHERE id = 4",
		  "audit rows up to 4" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		void *kit = NULL;
		struct verify_report r;

		start(&kit);
		assert_int_equal(cut(kit, time_of(kit, 4)), 3);
		close_store(kit);
		kit_tamper(kit, cuts[i].sql);
		look(kit, &r);
		assert_true(chain_of(&r, "audit")->broken > 0);
		if (!strstr(chain_of(&r, "audit")->first, cuts[i].first))
			fail_msg("after %s: \"%s\"", cuts[i].sql, chain_of(&r, "audit")->first);
		kit_test_end(&kit);
	}
}

/* What an erasure told of rows that stay is told anew when its row goes, and when rows it told of go. */
static void a_cut_erasure_is_told_anew(void **state)
{
	struct kit *k = *state;
	struct verify_report r;
	struct audit_fact f = { .at_ms = k->now_ms,
		                .what = AUDITED_ERASE,
		                .who = "supervisor-01",
		                .subject = "erased-1",
		                .erased = "meituan/1",
		                .channel = "tcp" };

	assert_int_equal(store_begin(k->store), STORE_OK);
	assert_int_equal(store_write_audit(k->store, &f), STORE_OK);
	assert_int_equal(store_commit(k->store), STORE_OK);
	look(k, &r);
	assert_true(verify_holds(&r));
	assert_true(kit_number(k, "SELECT count(*) FROM ledger WHERE person = 'erased-1'") > 0);
	fill(k);
	for (int i = 0; i < 3; i++) {
		assert_true(cut(k, INT64_MAX) > 0);
		look(k, &r);
		if (!verify_holds(&r))
			fail_msg("%s; %s", chain_of(&r, "audit")->first, chain_of(&r, "ledger")->first);
		kit_reopen(k);
		fill(k);
	}
}

static void a_noted_head_that_was_cut_off_is_no_break(void **state)
{
	struct kit *k = *state;
	struct verify_report r = { 0 };
	char heads[STORE_HEADS_SIZE], *cause = NULL;

	store_heads(k->store, heads);
	fill(k);
	assert_true(cut(k, INT64_MAX) > ROWS);
	assert_true(verify_heads(k->path, heads, &r, &cause));
	assert_true(verify_holds(&r));
}

/* ---- heads noted elsewhere ---- */

static void a_chain_written_anew_is_found_by_a_noted_head(void **state)
{
	struct kit *k = *state, other;
	struct verify_report r = { 0 };
	char heads[STORE_HEADS_SIZE], *cause = NULL;

	store_heads(k->store, heads);
	assert_true(verify_heads(k->path, heads, &r, &cause));
	assert_true(verify_holds(&r));
	fill(k); /* the chain has gone on; the head of then is a row of now */
	r = (struct verify_report){ 0 };
	assert_true(verify_heads(k->path, heads, &r, &cause));
	assert_true(verify_holds(&r));
	/* The same rows written by another daemon, whole and sound, are not these. */
	kit_start(&other);
	fill(&other);
	r = (struct verify_report){ 0 };
	assert_true(verify_heads(other.path, heads, &r, &cause));
	assert_int_equal(r.checks[0].broken, 2);
	assert_non_null(strstr(r.checks[0].first, "audit row 6 is another one than was noted"));
	assert_false(verify_heads(k->path, "audit=6", &r, &cause));
	assert_non_null(strstr(cause, "the heads are given as they were noted"));
	free(cause);
	kit_end(&other);
}

static void a_backup_tells_the_heads(void **state)
{
	struct kit *k = *state;
	char to[200], heads[STORE_HEADS_SIZE], *cause = NULL;
	const struct backup_options o = { .database = k->path, .to = to };
	struct backup_report made;

	snprintf(to, sizeof to, "%s/backup.db", k->folder);
	assert_true(backup_make(&o, &made, &cause));
	store_heads(k->store, heads);
	assert_string_equal(made.heads, heads);
	assert_int_equal(remove(to), 0);
}

/* ---- from version 1 ---- */

static void make_version_1(const char *path)
{
	static char schema[20000];
	FILE *file = fopen("tests/unit/version_1.sql", "r");
	sqlite3 *db = NULL;

	assert_non_null(file);
	schema[fread(schema, 1, sizeof schema - 1, file)] = '\0';
	(void)fclose(file);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, schema, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_exec(db,
	                     "INSERT INTO ledger VALUES (1, 'a', 5, 6, 10, 'correction', 0, 0, NULL),"
	                     " (2, 'b', 6, 7, 3, 'correction', 0, 0, 'kind'), (3, 'a', 7, 7, -4, 'redeem', 0, 0, "
	                     "'soap');"
	                     "INSERT INTO account VALUES ('a', 6, 0, 0), ('b', 3, 0, 0);"
	                     "PRAGMA application_id = 0x67726964; PRAGMA user_version = 1",
	                     NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
}

static void a_ledger_of_version_1_is_chained_as_it_is(void **state)
{
	struct kit *k = *state;
	struct verify_report r;

	close_store(k);
	assert_int_equal(remove(k->path), 0);
	make_version_1(k->path);
	kit_reopen(k);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM ledger WHERE link IS NOT NULL"), 3);
	look(k, &r);
	assert_true(verify_holds(&r));
	fill(k);
	look(k, &r);
	assert_true(verify_holds(&r));
	assert_int_equal(r.ledger_rows, 3 + ROWS);
	close_store(k);
	kit_tamper(k, UNLOCK "UPDATE ledger SET points = 100 WHERE id = 2");
	look(k, &r);
	assert_non_null(strstr(chain_of(&r, "ledger")->first, "ledger row 2 is not"));
}

#define WITH_ROWS(f) cmocka_unit_test_setup_teardown(f, start, kit_test_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ROWS(untouched_chains_hold),
		WITH_ROWS(what_was_rolled_back_leaves_no_gap),
		WITH_ROWS(the_triggers_refuse),
		cmocka_unit_test(each_edit_is_found_and_named),
		cmocka_unit_test(what_is_written_behind_an_edit_covers_nothing),
		WITH_ROWS(an_erasure_that_the_audit_tells_of_holds),
		WITH_ROWS(a_chain_written_anew_is_found_by_a_noted_head),
		WITH_ROWS(a_backup_tells_the_heads),
		WITH_ROWS(a_cut_front_holds_and_goes_on),
		cmocka_unit_test(a_front_cut_by_hand_is_found),
		WITH_ROWS(a_cut_erasure_is_told_anew),
		WITH_ROWS(a_noted_head_that_was_cut_off_is_no_break),
		WITH_ROWS(a_ledger_of_version_1_is_chained_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
