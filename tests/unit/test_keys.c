#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store/writer.h"
#include "store_kit.h"

static const struct kit_report plain = { .reporter = "resident-1", .keyed = 1 };

/* A key is in memory as long as it is new, and found on disk from the first quiet moment on. */
static void a_key_is_found_when_it_has_settled(void **state)
{
	struct kit *k = *state;
	struct key_fact found, want;
	struct uuid other = uuid_new(KIT_START_MS);

	kit_report(k, &plain);
	want = k->facts.key;
	assert_int_equal(kit_write(k), STORE_OK);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM new_key"), 1);
	kit_recover(k);
	assert_int_equal(casebook_key(k->book, &want.key)->case_id, want.case_id);
	assert_int_equal(store_checkpoint(k->store, 1), STORE_OK);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM new_key"), 0);
	assert_false(store_find_key(k->store, &other, &found));
	kit_reopen(k);
	assert_true(store_find_key(k->store, &want.key, &found));
	assert_memory_equal(found.hash, want.hash, sizeof found.hash);
	assert_int_equal(found.case_id, want.case_id);
	assert_int_equal(found.due_ms, want.due_ms);
	assert_int_equal(casebook_key(k->book, &want.key)->case_id, want.case_id);
	assert_true(casebook_keys_complete_for(k->book, &other));
}

/* An answer needs no row of its own only when its event says every part of it; each part alone makes the difference. */
static void an_answer_that_differs_in_anything_has_its_own_row(void **state)
{
	static const struct fact last = {
		.id = 9, .case_id = 7, .act = ACT_SIGN, .to = STATE_HANDLING, .category = 10110, .stage_due_ms = 5
	};
	static const struct key_fact same = { .case_id = 7, .category = 10110, .state = STATE_HANDLING, .due_ms = 5 };
	struct key_fact other[7];
	struct fact submit = last, handling = last;
	struct key_fact hint = same;

	(void)state;
	for (size_t i = 0; i < 7; i++)
		other[i] = same;
	other[0].case_id = 8;
	other[1].category = 10113;
	other[2].state = STATE_FILED;
	other[3].due_ms = 6;
	other[4].merged_into = 3;
	other[5].balance = 2;
	other[6].maybe_same_as = 4;
	assert_true(keys_told_by(&same, &last));
	for (size_t i = 0; i < 7; i++)
		assert_false(keys_told_by(&other[i], &last));
	handling.stage_due_ms = 0;
	handling.handle_due_ms = 5;
	assert_true(keys_told_by(&same, &handling));
	submit.act = ACT_SUBMIT;
	submit.value = hint.maybe_same_as = 4;
	assert_false(keys_told_by(&hint, &submit));
	hint.maybe_same_category = 10110;
	assert_true(keys_told_by(&hint, &submit));
}

/* A disk that is full when nobody waits loses nothing: the keys settle when there is room. */
static void keys_wait_while_the_disk_is_full(void **state)
{
	struct kit *k = *state;

	k->vfs = kit_vfs();
	kit_reopen(k);
	kit_report(k, &plain);
	assert_int_equal(kit_write(k), STORE_OK);
	kit_vfs_fail(KIT_FAULT_FULL, 0);
	assert_int_equal(store_checkpoint(k->store, 1), STORE_FULL);
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM new_key"), 1);
	assert_int_equal(store_checkpoint(k->store, 1), STORE_OK);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM new_key"), 0);
}

/* "Perhaps the same" is in the report's own event, so it needs no row of its own. */
static void a_hint_comes_back_from_the_event(void **state)
{
	struct kit *k = *state;
	const struct key_fact *found;
	struct key_fact want;

	kit_report(k, &plain);
	k->facts.events[0].value = k->facts.key.maybe_same_as = 12345;
	k->facts.key.maybe_same_category = k->facts.key.category;
	want = k->facts.key;
	assert_int_equal(kit_write(k), STORE_OK);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM settled_key"), 0);
	kit_recover(k);
	found = casebook_key(k->book, &want.key);
	assert_int_equal(found->maybe_same_as, 12345);
	assert_int_equal(found->maybe_same_category, want.category);
	assert_int_equal(found->state, want.state);
}

/* However long a storm lasts, memory always holds the keys that are still new, and no key is ever lost. A third of them
 * stand beside: their answers have no event of their own. */
static void a_storm_settles_its_keys_as_it_goes(void **state)
{
	struct kit *k = *state;
	const int many = KEYS_NEW_MOST + 5000;
	int *came = calloc((size_t)many + 1, sizeof *came); /* when an event's key came, counted in keys */
	int events = 0;

	for (int i = 0; i < many; i++) {
		struct key_fact *key = &k->facts.key;

		kit_nothing(k);
		k->facts.has_key = 1;
		*key = (struct key_fact){ .key = uuid_new(KIT_START_MS + i), .case_id = 7, .state = STATE_FILED };
		if (i % 3 > 0) {
			*facts_event(&k->facts) = (struct fact){ .id = ++events, .case_id = 7, .to = STATE_FILED };
			came[events] = i;
		}
		if (i % 500 == 0)
			assert_int_equal(store_begin(k->store), STORE_OK);
		assert_int_equal(store_write(k->store, &k->facts), STORE_OK);
		if (i % 500 == 499 || i == many - 1)
			assert_int_equal(store_commit(k->store), STORE_OK);
	}
	assert_true(many - came[kit_number(k, "SELECT min(id) FROM new_key")] <= KEYS_NEW_MOST + 500);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM request_key"), many);
	while (kit_number(k, "SELECT count(*) FROM new_key") > 0)
		assert_int_equal(store_checkpoint(k->store, 1), STORE_OK);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM settled_key"), many);
	free(came);
}

/* What an event does not say cannot stand in it: such an answer is where it can be found at once. */
static void an_answer_that_says_more_settles_at_once(void **state)
{
	struct kit *k = *state;
	struct key_fact found, want;

	kit_report(k, &plain);
	k->facts.key.merged_into = 12345;
	k->facts.key.merged_into_category = 10110;
	want = k->facts.key;
	assert_int_equal(kit_write(k), STORE_OK);
	assert_int_equal(kit_number(k, "SELECT count(*) FROM new_key"), 0);
	assert_true(store_find_key(k->store, &want.key, &found));
	assert_int_equal(found.merged_into, 12345);
	assert_int_equal(found.state, want.state);
}

static void the_same_key_twice_is_an_alarm(void **state)
{
	struct kit *k = *state;
	struct kit_report again = plain;

	kit_report(k, &plain);
	again.key = k->facts.key.key;
	assert_int_equal(kit_write(k), STORE_OK);
	kit_report(k, &again);
	assert_int_equal(kit_write(k), STORE_OK);
	assert_int_equal(store_checkpoint(k->store, 1), STORE_UNKNOWN);
}

/* A commit whose fate is unknown leaves memory ahead of the file: its end must not say that keys were settled which are
 * not there, or those that come later under the same events would never be found. */
static void an_unknown_end_settles_nothing(void **state)
{
	struct kit *k = *state;
	struct key_fact want, found;

	k->vfs = kit_vfs();
	kit_reopen(k);
	for (int i = 0; i < 3; i++) {
		kit_report(k, &plain);
		casebook_apply(k->book, &k->facts);
		assert_int_equal(store_begin(k->store), STORE_OK);
		assert_int_equal(store_write(k->store, &k->facts), STORE_OK);
		if (i == 2)
			kit_vfs_fail(KIT_FAULT_SYNC, 0);
		assert_int_equal(store_commit(k->store), i < 2 ? STORE_OK : STORE_UNKNOWN);
	}
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	kit_reopen(k);
	assert_true(kit_number(k, "SELECT value FROM meta WHERE name = 'keys_settled'") <=
	            kit_number(k, "SELECT max(id) FROM case_event"));
	kit_report(k, &plain);
	want = k->facts.key;
	assert_int_equal(kit_write(k), STORE_OK);
	assert_int_equal(store_checkpoint(k->store, 1), STORE_OK);
	assert_true(store_find_key(k->store, &want.key, &found));
}

/* What cannot be read is not "not there": the store says that it knows no more. */
static void a_key_that_cannot_be_read_is_no_new_one(void **state)
{
	struct kit *k = *state;
	struct key_fact found;
	struct uuid other = uuid_new(KIT_START_MS);

	k->vfs = kit_vfs();
	kit_reopen(k);
	assert_int_equal(store_state(k->store), STORE_OK);
	assert_false(store_find_key(k->store, &other, &found));
	assert_int_equal(store_state(k->store), STORE_OK);
	kit_tamper(
		k,
		"UPDATE meta SET value = value + 1 WHERE name = 'last_ms'"); /* now what is in memory has to be read again */
	kit_vfs_fail(KIT_FAULT_READ, 0);
	assert_false(store_find_key(k->store, &other, &found));
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	assert_int_equal(store_state(k->store), STORE_UNKNOWN);
	assert_int_equal(store_begin(k->store), STORE_UNKNOWN);
}

#define WITH_KIT(f) cmocka_unit_test_setup_teardown(f, kit_test_start, kit_test_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_KIT(a_key_is_found_when_it_has_settled),
		WITH_KIT(a_hint_comes_back_from_the_event),
		WITH_KIT(a_storm_settles_its_keys_as_it_goes),
		WITH_KIT(an_answer_that_says_more_settles_at_once),
		WITH_KIT(the_same_key_twice_is_an_alarm),
		WITH_KIT(an_unknown_end_settles_nothing),
		WITH_KIT(a_key_that_cannot_be_read_is_no_new_one),
		WITH_KIT(keys_wait_while_the_disk_is_full),
		cmocka_unit_test(an_answer_that_differs_in_anything_has_its_own_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
