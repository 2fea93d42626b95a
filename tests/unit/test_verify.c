#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "jurisdiction/policy.h"
#include "store/verify.h"
#include "store_kit.h"

#define UNLOCK_EVENTS "DROP TRIGGER case_event_stays; DROP TRIGGER case_event_remains;"
#define UNLOCK_LEDGER "DROP TRIGGER ledger_stays; DROP TRIGGER ledger_remains;"

static int start(void **state)
{
	struct kit *k = calloc(1, sizeof *k);

	kit_start(k);
	kit_street(k);
	*state = k;
	return 0;
}

static int end(void **state)
{
	kit_end(*state);
	free(*state);
	return 0;
}

static void look(const struct kit *k, struct verify_report *report)
{
	char *cause = NULL;

	if (!verify_database(k->path, NULL, NULL, report, &cause))
		fail_msg("%s", cause);
}

static void a_sound_street_holds(void **state)
{
	struct kit *k = *state;
	struct verify_report report;

	look(k, &report); /* beside the writer */
	for (int i = 0; i < report.count; i++)
		if (report.checks[i].broken)
			fail_msg("%s: %s", report.checks[i].name, report.checks[i].first);
	assert_true(verify_holds(&report));
	assert_int_equal(report.received, 10);
	assert_int_equal(report.open, 4);
	assert_int_equal(report.archived, 6);
	assert_int_equal(report.ledger_rows, 2);
	assert_int_equal(report.events, casebook_counters(k->book)->event - 1);
	for (int i = 0; i < report.count; i++)
		assert_true(report.checks[i].looked_at > 0);
}

static void an_empty_database_holds(void **state)
{
	struct kit empty;
	struct verify_report report;

	(void)state;
	kit_start(&empty);
	look(&empty, &report);
	assert_true(verify_holds(&report));
	kit_end(&empty);
}

/* What is done to a sound database, and the check that must see it. */
static const struct damage {
	const char *sql, *check, *first;
} damages[] = {
	{ "DROP INDEX ledger_by_person", "the file is sound", "no such index: ledger_by_person" },
	{ "DROP TABLE account", "the file is sound", "no such table" },
	{ "DELETE FROM open_case WHERE state = 7", "received is open plus archived", "10 received, 3 open" },
	{ "DELETE FROM open_case WHERE state = 7", "open cases are open", "has events and no open row" },
	{ "DELETE FROM closed_case WHERE state = 15", "open cases are open", "is not in the archive" },
	{ "INSERT INTO open_case SELECT * FROM closed_case LIMIT 1", "open cases are open", "has ended" },
	{ "UPDATE closed_case SET id = id + 1000", "every acknowledged key has its case", "there is no case" },
	{ "UPDATE closed_case SET id = id + 1000", "open cases are open", "is not in the archive" },
	{ "UPDATE meta SET value = 0 WHERE name = 'keys_settled'", "every acknowledged key has its case",
	  "a key stands twice" },
	{ "UPDATE settled_key SET hash = x'00'", "every acknowledged key has its case", "a key is cut" },
	{ "UPDATE open_case SET handler = 'somebody' WHERE state = 9", "events replay to the row", "handler" },
	{ "UPDATE open_case SET helpers = 'water' WHERE state = 9", "events replay to the row", "helpers" },
	{ "UPDATE open_case SET helpers = 'water,gas' WHERE state = 9", "events replay to the row", "helpers" },
	{ "UPDATE closed_case SET points = 50 WHERE state = 14", "events replay to the row", "points" },
	{ "UPDATE open_case SET state = 99 WHERE state = 7", "events replay to the row", "cannot be" },
	{ "UPDATE open_case SET level = 2", "events replay to the row", "level" },
	{ "UPDATE closed_case SET discover_ms = discover_ms + 5 WHERE state = 14", "stage times add up to the age",
	  "stages add up" },
	{ "UPDATE closed_case SET discover_ms = -1, handle_ms = handle_ms + discover_ms + 1 WHERE state = 14",
	  "stage times add up to the age", "stages add up" },
	{ "DELETE FROM notice WHERE act = 10", "an ended case told its reporter", "nobody told meituan/1" },
	{ "UPDATE notice SET addressee = 'somebody' WHERE act = 34", "an ended case told its reporter", "nobody told" },
	{ "UPDATE notice SET event_id = event_id + 1 WHERE act = 10", "every notice belongs", "no such event" },
	{ "UPDATE account SET balance = 9 WHERE person = 'meituan/1'", "balances are the sums",
	  "rows add up to 10, the account says 9" },
	{ "DELETE FROM account WHERE person = 'meituan/1'", "balances are the sums", "meituan/1" },
	{ "INSERT INTO account VALUES ('x', 5, 0, 0)", "balances are the sums", "no rows, the account says 5" },
	{ UNLOCK_LEDGER "UPDATE ledger SET points = 11 WHERE person = 'meituan/1'", "balances are the sums",
	  "add up to 11" },
	{ "INSERT INTO ledger SELECT 3, person, 0, 0, -20, 'redeem', 0, 0, NULL, salt, seal, link FROM ledger WHERE id "
	  "= 1;"
	  "INSERT INTO ledger SELECT 4, person, 0, 0, 20, 'correction', 0, 0, NULL, salt, seal, link FROM ledger WHERE "
	  "id = 1",
	  "no balance was ever negative", "had -10 at row 3" },
	{ "DELETE FROM evidence", "evidence that is named", "names what nobody uploaded" },
	{ "UPDATE evidence SET person = 'somebody'", "evidence that is named", "names what nobody uploaded" },
	{ "UPDATE evidence SET named = 0", "evidence that is named", "names what may be removed" },
	{ "UPDATE case_evidence SET event_id = 1", "evidence that is named", "by an event that it does not have" },
	{ "UPDATE case_evidence SET role = 2", "what photos show", "has photos of 2, its rows say 4" },
	{ "DELETE FROM case_evidence", "what photos show", "its rows say 0" },
	{ "UPDATE open_case SET photo_roles = 0 WHERE state = 9", "events replay to the row", "photo_roles" },
	{ UNLOCK_EVENTS "UPDATE case_event SET actor = 'nobody' WHERE act = 9", "who of the staff did what",
	  "says \"file\" by staff" },
	{ UNLOCK_EVENTS "UPDATE case_event SET at_ms = at_ms + 1 WHERE act = 9", "who of the staff did what",
	  "is not what was done" },
	{ UNLOCK_EVENTS "DELETE FROM case_event WHERE act = 9", "who of the staff did what", "is not what was done" },
	{ UNLOCK_EVENTS "DELETE FROM case_event WHERE act = 9", "each case's events form one chain", "follows event" },
	{ UNLOCK_EVENTS "DELETE FROM case_event WHERE act = 9", "event ids have no gap", "comes after" },
	{ UNLOCK_EVENTS "DELETE FROM case_event WHERE id = 1", "each case's events form one chain", "never opened" },
	{ UNLOCK_EVENTS "UPDATE case_event SET actor = NULL WHERE id = 2", "each case's events form one chain",
	  "no event can have" },
	{ UNLOCK_EVENTS "UPDATE case_event SET to_state = 77 WHERE id = 2", "each case's events form one chain",
	  "no event can have" },
	{ UNLOCK_EVENTS "UPDATE case_event SET act = 32 WHERE act = 9", "every step is in the table",
	  "review from REPORTED to FILED" },
	{ UNLOCK_EVENTS "UPDATE case_event SET to_state = 6 WHERE act = 9", "every step is in the table",
	  "to HANDLING" },
	{ UNLOCK_EVENTS "UPDATE case_event SET grid = 610404004001099 WHERE act = 13", "grids change only by filing",
	  "610404004001099" },
	{ UNLOCK_EVENTS "UPDATE case_event SET grid = 7 WHERE act = 1", "grids change only by filing", "grid 7" },
	{ UNLOCK_EVENTS "UPDATE case_event SET at_ms = at_ms + 1 WHERE act = 9", "events replay to the row", "" },
	{ UNLOCK_EVENTS
	  "INSERT INTO case_event SELECT (SELECT max(id) + 1 FROM case_event), case_id, 0, at_ms, act, from_state, "
	  "to_state,"
	  " actor, ref, text, value, category, grid, stage_due_ms, handle_due_ms, 0, 0, 0, photo_roles, NULL, NULL "
	  "FROM case_event "
	  "WHERE case_id ="
	  " (SELECT id FROM open_case WHERE state = 7) AND from_state = 0",
	  "every case was opened once", "again" },
	{ "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX closed_by_category ON closed_case"
	  " (points, id)' WHERE name = 'closed_by_category'",
	  "the file is sound", "closed_by_category" },
};

static const struct verify_check *check_named(const struct verify_report *r, const char *name)
{
	for (int i = 0; i < r->count; i++)
		if (strncmp(r->checks[i].name, name, strlen(name)) == 0)
			return &r->checks[i];
	fail_msg("no check is named %s", name);
	return NULL;
}

static void each_damage_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		const struct damage *d = &damages[i];
		struct kit k;
		struct verify_report report;
		const struct verify_check *c;

		kit_start(&k);
		kit_street(&k);
		store_close(k.store);
		k.store = NULL;
		kit_tamper(&k, d->sql);
		look(&k, &report);
		c = check_named(&report, d->check);
		if (c->broken == 0)
			fail_msg("not seen: %s", d->sql);
		if (!strstr(c->first, d->first))
			fail_msg("after %s: \"%s\" does not say \"%s\"", d->sql, c->first, d->first);
		assert_false(verify_holds(&report));
		kit_end(&k);
	}
}

static void note_progress(void *ctx, int64_t done, int64_t all)
{
	int64_t *last = ctx;

	assert_true(done >= *last && done <= all);
	*last = done;
}

static void progress_comes_to_the_end(void **state)
{
	struct kit *k = *state;
	struct verify_report report;
	char *cause = NULL;
	int64_t last = 0;

	assert_true(verify_database(k->path, note_progress, &last, &report, &cause));
	assert_int_equal(last, report.events + 2 * report.ledger_rows + report.audit_rows);
}

static void what_is_no_database_of_ours_is_told(void **state)
{
	struct kit *k = *state;
	struct verify_report report;
	char *cause = NULL;

	assert_false(verify_database("/nowhere/street.db", NULL, NULL, &report, &cause));
	assert_non_null(cause);
	assert_false(verify_holds(&report));
	free(cause);
	store_close(k->store);
	k->store = NULL;
	kit_tamper(k, "PRAGMA user_version = 99");
	cause = NULL;
	assert_false(verify_database(k->path, NULL, NULL, &report, &cause));
	assert_non_null(strstr(cause, "schema version 99"));
	free(cause);
}

#define WITH_STREET(f) cmocka_unit_test_setup_teardown(f, start, end)

/* By a map that knows the time of the reports; each of its grids is another grid's neighbour. */
static void a_grid_that_was_not_the_place_s(void **state)
{
	struct kit *k = *state;
	struct problems p = { 0 };
	struct policy *policy = policy_load("config/jurisdiction", &p);
	struct verify_report report = { 0 };
	char *cause = NULL;

	assert_non_null(policy);
	kit_tamper(k, "UPDATE open_case SET lat_e7 = 343350000, lon_e7 = 1086915000, grid = 610404004001001,"
	              " reported_grid = 0, camera = NULL");
	assert_true(verify_map(k->path, policy, NULL, NULL, &report, &cause));
	assert_int_equal(report.count, 1);
	assert_true(report.checks[0].looked_at > 0);
	assert_true(verify_holds(&report));
	kit_tamper(k, "UPDATE open_case SET grid = 610404004001002 WHERE id = (SELECT max(id) FROM open_case)");
	report = (struct verify_report){ 0 };
	assert_true(verify_map(k->path, policy, NULL, NULL, &report, &cause));
	assert_int_equal(report.checks[0].broken, 1);
	assert_non_null(strstr(report.checks[0].first, "was in grid 610404004001002, its place in 610404004001001"));
	policy_release(policy);
	problems_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STREET(a_sound_street_holds),         WITH_STREET(a_grid_that_was_not_the_place_s),
		cmocka_unit_test(an_empty_database_holds), cmocka_unit_test(each_damage_is_seen),
		WITH_STREET(progress_comes_to_the_end),    WITH_STREET(what_is_no_database_of_ours_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
