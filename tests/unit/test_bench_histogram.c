/* The load generator's histogram: percentiles within the promised error, and the correction for stalls. The module
 * belongs to the generator, not to the daemon's library, so its source is taken in here. */
#include "../../bench/histogram.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#define MS INT64_C(1000000)

static void assert_near(int64_t value, int64_t wanted)
{
	assert_true(value >= wanted);
	assert_true((double)value <= (double)wanted * (1.0 + 1.0 / (1 << HISTOGRAM_SUB_BITS)) + 1.0);
}

static void test_empty(void **state)
{
	struct histogram h;

	(void)state;
	histogram_clear(&h);
	assert_int_equal(histogram_at(&h, 0.5), 0);
	assert_int_equal(histogram_at(&h, 1.0), 0);
	histogram_add_many(&h, 7, 0);
	assert_int_equal(h.total, 0);
	assert_int_equal(h.max_ns, 0);
}

/* Every value lies in its bucket, and the bucket before it ends just below: no gap, no overlap. */
static void test_buckets_are_seamless(void **state)
{
	(void)state;
	for (size_t i = 1; i < HISTOGRAM_BUCKETS; i++) {
		int64_t edge = bucket_edge(i);
		assert_true(edge > bucket_edge(i - 1));
		assert_int_equal(bucket_of(edge), i);
		assert_int_equal(bucket_of(bucket_edge(i - 1) + 1), i);
	}
	assert_int_equal(bucket_edge(HISTOGRAM_BUCKETS - 1), (INT64_C(1) << HISTOGRAM_TOP_BITS) - 1);
}

static void test_extremes(void **state)
{
	struct histogram h;

	(void)state;
	histogram_clear(&h);
	histogram_add(&h, -5);
	assert_int_equal(histogram_at(&h, 1.0), 0);
	histogram_add(&h, INT64_MAX);
	assert_int_equal(h.count[HISTOGRAM_BUCKETS - 1], 1);
	assert_int_equal(h.max_ns, INT64_MAX);
}

static void test_percentiles(void **state)
{
	struct histogram h;

	(void)state;
	histogram_clear(&h);
	for (int64_t us = 1; us <= 100000; us++)
		histogram_add(&h, us * 1000);
	assert_near(histogram_at(&h, 0.5), 50 * MS);
	assert_near(histogram_at(&h, 0.99), 99 * MS);
	assert_near(histogram_at(&h, 0.999), 99900000);
	assert_int_equal(histogram_at(&h, 1.0), 100 * MS);
	assert_near(histogram_at(&h, 0.0), 1000);
}

static void test_small_sample_rounds_up(void **state)
{
	struct histogram h;

	(void)state;
	histogram_clear(&h);
	histogram_add_many(&h, 10, 99);
	histogram_add(&h, 60);
	assert_int_equal(histogram_at(&h, 0.99), 10);
	assert_int_equal(histogram_at(&h, 0.991), 60);
}

/* 999 answers of 1 ms, then one stall of a second: an even stream would have met the stall a thousand times. */
static void test_correction_shows_a_stall(void **state)
{
	static struct histogram seen, corrected;

	(void)state;
	histogram_clear(&seen);
	histogram_add_many(&seen, MS, 999);
	histogram_add(&seen, 1000 * MS);
	assert_near(histogram_at(&seen, 0.99), MS);
	histogram_correct(&seen, MS, &corrected);
	assert_in_range(corrected.total, 999 + 999, 999 + 1001);
	assert_in_range(histogram_at(&corrected, 0.75), 480 * MS, 520 * MS);
	assert_in_range(histogram_at(&corrected, 0.99), 960 * MS, 1000 * MS);
	assert_int_equal(corrected.max_ns, 1000 * MS);
}

static void test_correction_leaves_the_even_alone(void **state)
{
	static struct histogram seen, corrected;

	(void)state;
	histogram_clear(&seen);
	histogram_add_many(&seen, 3 * MS, 500);
	histogram_correct(&seen, 3 * MS, &corrected);
	assert_int_equal(corrected.total, 500);
	histogram_correct(&seen, 0, &corrected);
	assert_int_equal(corrected.total, 500);
	histogram_correct(&seen, MS, &corrected);
	assert_int_equal(corrected.total, 1500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_buckets_are_seamless),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_small_sample_rounds_up),
		cmocka_unit_test(test_correction_shows_a_stall),
		cmocka_unit_test(test_correction_leaves_the_even_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
