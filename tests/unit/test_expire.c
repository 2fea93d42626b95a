/* What is personal leaves the archive, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sqlite3.h>

#include "store/expire.h"
#include "store/query_stats.h"
#include "store/verify.h"
#include "store_kit.h"

static void expire(struct kit *k, int64_t before_ms, struct expired *out)
{
	assert_int_equal(store_begin(k->store), STORE_OK);
	assert_int_equal(store_expire(k->store, before_ms, out), STORE_OK);
	assert_int_equal(store_commit(k->store), STORE_OK);
}

static void assert_holds(const struct kit *k)
{
	struct verify_report r;
	char *cause = NULL;

	if (!verify_database(k->path, NULL, NULL, &r, &cause))
		fail_msg("%s", cause);
	for (int i = 0; i < r.count; i++)
		if (r.checks[i].broken)
			fail_msg("%s: %s", r.checks[i].name, r.checks[i].first);
}

/* What was merged into an open case waits for it. */
#define DUE "SELECT id FROM closed_case WHERE merged_into NOT IN (SELECT id FROM open_case)"

/* Rows of the archive, its events and notices that hold the word anywhere. */
static int64_t rows_with(const struct kit *k, const char *word)
{
	char sql[1200];

	snprintf(sql, sizeof sql,
	         "SELECT (SELECT count(*) FROM closed_case WHERE id IN (" DUE
	         ") AND instr(coalesce(reporter,'') || coalesce(actor,'') ||"
	         " coalesce(description,'') || coalesce(address,'') || coalesce(beneficiary,'') ||"
	         " coalesce(contact_name,'') || coalesce(contact_phone,'') || coalesce(handled_by,''), '%s') > 0)"
	         " + (SELECT count(*) FROM case_event WHERE case_id IN (" DUE ") AND"
	         " instr(coalesce(actor,'') || coalesce(ref,'') || coalesce(text,''), '%s') > 0)"
	         " + (SELECT count(*) FROM notice WHERE case_id IN (" DUE ") AND"
	         " instr(addressee || text, '%s') > 0)"
	         " + (SELECT count(*) FROM case_evidence WHERE case_id IN (" DUE ") AND person = "
	         "'%s')",
	         word, word, word, word);
	return kit_number(k, sql);
}

static struct stats_row total(struct street *s, enum stats_by by)
{
	struct stats_answer answer = { 0 };

	assert_int_equal(query_stats(s->reader, by, 0, 0, 0, s->kit.now_ms, &s->mem, &answer), QUERY_OK);
	answer.total.key = NULL;
	return answer.total;
}

static void an_old_case_loses_its_person_and_keeps_its_figures(void **state)
{
	struct street *s = *state;
	struct expired gone;

	kit_street(&s->kit);
	struct stats_row before = total(s, STATS_ALL), after;
	int64_t accounts = kit_number(&s->kit, "SELECT count(*) FROM ledger WHERE person = 'meituan/1'");

	assert_true(rows_with(&s->kit, "meituan/1") > 3);
	assert_true(accounts > 0);
	expire(&s->kit, INT64_MAX, &gone);
	/* One waits for the open case that it was merged into. */
	assert_int_equal(gone.cases, kit_number(&s->kit, "SELECT count(*) - 1 FROM closed_case"));
	assert_int_equal(kit_number(&s->kit, "SELECT count(*) FROM closed_case WHERE erased = 0 AND merged_into IN"
	                                     " (SELECT id FROM open_case)"),
	                 1);
	assert_false(gone.more);
	assert_int_equal(rows_with(&s->kit, "meituan/1"), 0);
	assert_int_equal(kit_number(&s->kit, "SELECT count(*) FROM notice WHERE text <> ''"), 0);
	assert_int_equal(kit_number(&s->kit, "SELECT count(*) FROM ledger WHERE person = 'meituan/1'"), accounts);
	after = total(s, STATS_ALL);
	assert_memory_equal(&before, &after, sizeof before);
	assert_holds(&s->kit);
	/* Nothing is left to do, and a restart goes on from here. */
	expire(&s->kit, INT64_MAX, &gone);
	assert_int_equal(gone.cases + gone.notices, 0);
	kit_reopen(&s->kit);
	assert_holds(&s->kit);
}

static void what_is_younger_or_open_stays(void **state)
{
	struct street *s = *state;
	struct expired gone;
	int64_t with;

	kit_street(&s->kit);
	with = rows_with(&s->kit, "meituan/1");
	expire(&s->kit, kit_number(&s->kit, "SELECT min(ended_ms) FROM closed_case"), &gone);
	assert_int_equal(gone.cases, 0);
	assert_int_equal(rows_with(&s->kit, "meituan/1"), with);
	expire(&s->kit, INT64_MAX, &gone);
	assert_int_equal(kit_number(&s->kit, "SELECT count(*) FROM open_case WHERE reporter = 'erased'"), 0);
	assert_int_equal(kit_number(&s->kit, "SELECT count(*) FROM case_event WHERE actor = 'erased' AND case_id IN"
	                                     " (SELECT id FROM open_case)"),
	                 0);
}

static void words_keep_their_matter(void **state)
{
	struct street *s = *state;
	struct expired gone;
	const struct kit_report report = { .reporter = "meituan/9",
		                           .actor = "meituan",
		                           .channel = "tcp",
		                           .description = "rubbish at the gate, call 13812341234, meituan/9",
		                           .kind = REPORTER_FOOD_RIDER,
		                           .category = 10110,
		                           .grid = KIT_GRID };

	kit_whole_life(&s->kit, &report);
	expire(&s->kit, INT64_MAX, &gone);
	assert_int_equal(gone.cases, 1);
	assert_int_equal(kit_number(&s->kit, "SELECT count(*) FROM closed_case WHERE description ="
	                                     " 'rubbish at the gate, call 138****1234, *********'"),
	                 1);
	assert_int_equal(kit_number(&s->kit, "SELECT count(*) FROM closed_case WHERE reporter = 'erased'"), 1);
	assert_holds(&s->kit);
}

static void only_what_expires_may_be_taken_out(void **state)
{
	static const char *const forbidden[] = {
		"UPDATE case_event SET actor = 'x' WHERE case_id IN (SELECT id FROM open_case)",
		"UPDATE case_event SET text = 'x' WHERE case_id IN (SELECT id FROM closed_case)",
		"UPDATE closed_case SET erased = 1; UPDATE case_event SET at_ms = 1 WHERE id = 1",
		"DELETE FROM case_event",
	};
	struct street *s = *state;
	sqlite3 *db = NULL;

	kit_street(&s->kit);
	assert_int_equal(sqlite3_open(s->kit.path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
		if (sqlite3_exec(db, forbidden[i], NULL, NULL, NULL) != SQLITE_CONSTRAINT)
			fail_msg("let through: %s", forbidden[i]);
	sqlite3_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		KIT_STREET_TEST(an_old_case_loses_its_person_and_keeps_its_figures),
		KIT_STREET_TEST(what_is_younger_or_open_stays),
		KIT_STREET_TEST(words_keep_their_matter),
		KIT_STREET_TEST(only_what_expires_may_be_taken_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
