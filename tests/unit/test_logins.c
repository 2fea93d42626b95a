/* What of logins the audit is told: the first at once, the rest counted, never more than the table holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "intake/logins.h"

struct told {
	enum audited what;
	char subject[80];
	int64_t count;
};

static struct told told[4 * LOGINS_PLACES];
static size_t rows;
static int64_t sum;

static void record(void *ctx, enum audited what, const char *subject, const char *channel, int64_t count)
{
	(void)ctx;
	assert_string_equal(channel, "tcp");
	assert_true(rows < sizeof told / sizeof *told);
	told[rows].what = what;
	told[rows].count = count;
	(void)snprintf(told[rows].subject, sizeof told[rows].subject, "%s", subject ? subject : "-");
	rows++;
	sum += count ? count : 1;
}

static struct logins *begin(void)
{
	rows = 0;
	sum = 0;
	return logins_new(record, NULL);
}

static void note(struct logins *l, enum audited what, const char *who, int64_t now_ms)
{
	logins_note(l, what, who, "tcp", now_ms);
}

static void expect_row(size_t i, enum audited what, const char *subject, int64_t count)
{
	assert_true(i < rows);
	assert_int_equal(told[i].what, what);
	assert_string_equal(told[i].subject, subject);
	assert_int_equal(told[i].count, count);
}

static void test_the_first_at_once_the_rest_counted(void **state)
{
	struct logins *l = begin();

	(void)state;
	for (int i = 0; i < 5; i++)
		note(l, AUDITED_LOGIN, "worker-01", i);
	note(l, AUDITED_LOGIN_REFUSED, "worker-01", 5);
	assert_int_equal(rows, 2);
	expect_row(0, AUDITED_LOGIN, "worker-01", 0);
	expect_row(1, AUDITED_LOGIN_REFUSED, "worker-01", 0);
	logins_tick(l, LOGINS_SPAN_MS - 1);
	assert_int_equal(rows, 2);
	logins_tick(l, LOGINS_SPAN_MS);
	assert_int_equal(rows, 3);
	expect_row(2, AUDITED_LOGIN, "worker-01", 4);
	note(l, AUDITED_LOGIN, "worker-01", LOGINS_SPAN_MS + 1);
	expect_row(3, AUDITED_LOGIN, "worker-01", 0);
	logins_flush(l);
	logins_flush(l);
	assert_int_equal(rows, 4);
	logins_free(l);
}

/* Without a tick between, the next one closes the span before. */
static void test_a_span_ends_by_the_next(void **state)
{
	struct logins *l = begin();

	(void)state;
	note(l, AUDITED_LOGIN, "a", 0);
	note(l, AUDITED_LOGIN, "a", 1);
	note(l, AUDITED_LOGIN, "a", LOGINS_SPAN_MS + 5);
	assert_int_equal(rows, 3);
	expect_row(1, AUDITED_LOGIN, "a", 1);
	expect_row(2, AUDITED_LOGIN, "a", 0);
	logins_free(l);
}

static void test_a_flood_is_a_row_and_a_number(void **state)
{
	struct logins *l = begin();

	(void)state;
	for (int i = 0; i < 100000; i++)
		note(l, AUDITED_LOGIN_REFUSED, NULL, 0);
	assert_int_equal(rows, 1);
	expect_row(0, AUDITED_LOGIN_REFUSED, "-", 0);
	logins_flush(l);
	expect_row(1, AUDITED_LOGIN_REFUSED, "-", 99999);
	logins_free(l);
}

/* More identities than places: none is lost, and the rows stay few. */
static void test_a_full_table_counts_all_the_same(void **state)
{
	struct logins *l = begin();
	char who[32];

	(void)state;
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 20000; i++) {
			(void)snprintf(who, sizeof who, "person-%d", i);
			note(l, AUDITED_LOGIN, who, round);
		}
	assert_true(rows <= LOGINS_PLACES + 1);
	logins_flush(l);
	assert_int_equal(sum, 60000);
	assert_true(rows <= 2 * LOGINS_PLACES + 2);
	logins_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_at_once_the_rest_counted),
		cmocka_unit_test(test_a_span_ends_by_the_next),
		cmocka_unit_test(test_a_flood_is_a_row_and_a_number),
		cmocka_unit_test(test_a_full_table_counts_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
