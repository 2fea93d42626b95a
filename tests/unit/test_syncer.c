/* syncer: what was given is answered in order and only when it is on disk; a failed sync answers nobody. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/syncer.h"
#include "store_kit.h"

static const struct kit_report plain = { .reporter = "resident-1", .keyed = 1 };

struct desk {
	struct kit kit;
	struct syncer *syncer;
	_Atomic int done, failed;
	_Atomic int64_t last_event; /* of the newest edition; they only rise */
	_Atomic size_t answered;
};

static void lot_done(void *ctx, struct lot *lot)
{
	struct desk *d = ctx;

	assert_true(lot->edition.last_event > d->last_event);
	d->last_event = lot->edition.last_event;
	d->answered += lot->count;
	for (size_t i = 0; i < lot->count; i++)
		command_free(lot->commands[i]);
	edition_clear(&lot->edition);
	d->done++;
}

static void sync_failed(void *ctx)
{
	((struct desk *)ctx)->failed++;
}

static int start(void **state)
{
	struct desk *d = calloc(1, sizeof *d);
	const struct syncer_hooks hooks = { .done = lot_done, .failed = sync_failed, .ctx = d };

	kit_vfs_fail(KIT_FAULT_NONE, 0);
	kit_start(&d->kit);
	d->kit.vfs = kit_vfs();
	kit_reopen(&d->kit);
	d->syncer = syncer_new(d->kit.store, 8, &hooks);
	assert_non_null(d->syncer);
	*state = d;
	return 0;
}

static int end(void **state)
{
	struct desk *d = *state;

	syncer_free(d->syncer);
	kit_end(&d->kit);
	free(d);
	return 0;
}

/* A case, written and committed to the log as the writer does it. */
static enum store_result commit_one(struct desk *d, struct lot *lot)
{
	enum store_result result;

	kit_report(&d->kit, &plain);
	casebook_apply(d->kit.book, &d->kit.facts);
	assert_int_equal(store_begin(d->kit.store), STORE_OK);
	assert_int_equal(store_write(d->kit.store, &d->kit.facts), STORE_OK);
	edition_note(&lot->edition, &d->kit.facts);
	syncer_announce(d->syncer);
	result = store_commit_to_log(d->kit.store);
	return result;
}

static void what_is_given_is_answered_in_order(void **state)
{
	struct desk *d = *state;

	for (int i = 0; i < 50; i++) {
		struct lot *lot = syncer_lot(d->syncer);

		assert_int_equal(commit_one(d, lot), STORE_OK);
		syncer_give(d->syncer, lot);
	}
	assert_true(syncer_wait(d->syncer));
	assert_int_equal(d->done, 50);
	assert_int_equal(d->failed, 0);
	assert_int_equal(kit_number(&d->kit, "SELECT count(*) FROM open_case"), 50);
}

static void *stand_at_the_fence(void *arg)
{
	struct desk *d = arg;

	syncer_fence(d->syncer);
	return (void *)(uintptr_t)d->done;
}

/* Whoever comes to the fence when a commit can be seen leaves it only when that commit was answered. */
static void a_reader_waits_for_the_disk(void **state)
{
	struct desk *d = *state;

	for (int i = 0; i < 20; i++) {
		struct lot *lot = syncer_lot(d->syncer);
		pthread_t reader;
		void *seen;

		assert_int_equal(commit_one(d, lot), STORE_OK);
		assert_int_equal(pthread_create(&reader, NULL, stand_at_the_fence, d), 0);
		syncer_give(d->syncer, lot);
		assert_int_equal(pthread_join(reader, &seen), 0);
		assert_true((uintptr_t)seen >= (uintptr_t)i + 1);
	}
}

static void a_failed_sync_answers_nobody(void **state)
{
	struct desk *d = *state;

	for (int i = 0; i < 3; i++) {
		struct lot *lot = syncer_lot(d->syncer);

		if (i < 2)
			assert_int_equal(commit_one(d, lot), STORE_OK);
		else
			syncer_announce(d->syncer); /* was on its way when the sync failed */
		if (i == 1)
			kit_vfs_fail(KIT_FAULT_SYNC, 0);
		lot->commands[lot->count++] = command_new(COMMAND_SUBMIT, 0);
		syncer_give(d->syncer, lot);
		assert_int_equal(syncer_wait(d->syncer), i == 0);
	}
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	assert_int_equal(store_begin(d->kit.store), STORE_UNKNOWN);
	assert_int_equal(d->answered, 1);
	assert_int_equal(d->failed, 1);
	syncer_fence(d->syncer);
}

static void what_never_came_to_be_holds_nobody_up(void **state)
{
	struct desk *d = *state;
	struct lot *lot = syncer_lot(d->syncer);

	kit_vfs_fail(KIT_FAULT_FULL, 0);
	assert_int_equal(commit_one(d, lot), STORE_FULL);
	kit_vfs_fail(KIT_FAULT_NONE, 0);
	store_rollback(d->kit.store);
	syncer_withdraw(d->syncer);
	edition_clear(&lot->edition);
	syncer_return(d->syncer, lot);
	syncer_fence(d->syncer);
	assert_true(syncer_wait(d->syncer));
	assert_int_equal(d->done, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_given_is_answered_in_order),
		TEST(a_reader_waits_for_the_disk),
		TEST(a_failed_sync_answers_nobody),
		TEST(what_never_came_to_be_holds_nobody_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
