#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"

#define MOMENT INT64_C(1795000000123)

static void test_layout(void **state)
{
	(void)state;
	struct uuid id = uuid_new(MOMENT);
	char text[UUID_TEXT_SIZE];

	assert_int_equal(uuid_time_ms(&id), MOMENT);
	assert_int_equal(id.bytes[6] >> 4, 7);
	assert_int_equal(id.bytes[8] >> 6, 2);
	uuid_text(&id, text);
	assert_int_equal(strlen(text), 36);
	assert_int_equal(text[14], '7');
	assert_non_null(strchr("89ab", text[19]));
}

static void test_known_text(void **state)
{
	(void)state;
	/* The example of RFC 9562, appendix A.6: Tuesday, 22 February 2022, 14:22:22 at UTC-05:00. */
	struct uuid id = { { 0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3, 0x98, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39,
		             0x8f } };
	char text[UUID_TEXT_SIZE];

	uuid_text(&id, text);
	assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
	assert_int_equal(uuid_time_ms(&id), INT64_C(1645557742000));
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static void test_all_differ(void **state)
{
	(void)state;
	enum { COUNT = 5000 };
	struct uuid *ids = calloc(COUNT, sizeof *ids);

	assert_non_null(ids);
	for (int i = 0; i < COUNT; i++)
		ids[i] = uuid_new(MOMENT);
	qsort(ids, COUNT, sizeof *ids, by_bytes);
	for (int i = 1; i < COUNT; i++)
		assert_memory_not_equal(&ids[i - 1], &ids[i], sizeof *ids);
	free(ids);
}

static void test_later_sorts_behind(void **state)
{
	(void)state;
	for (int64_t ms = 1; ms < INT64_C(1) << 47; ms *= 3) {
		struct uuid early = uuid_new(ms - 1), late = uuid_new(ms);

		assert_true(memcmp(&early, &late, sizeof early) < 0);
	}
}

static void test_names(void **state)
{
	(void)state;
	struct uuid a = uuid_from_name(MOMENT, "boston/101000295613");
	struct uuid b = uuid_from_name(MOMENT, "boston/101000295613");
	struct uuid other = uuid_from_name(MOMENT, "boston/101000295614");
	struct uuid later = uuid_from_name(MOMENT + 1, "boston/101000295613");
	struct uuid abc = uuid_from_name(0, "abc");
	char text[UUID_TEXT_SIZE];

	assert_memory_equal(&a, &b, sizeof a);
	assert_memory_not_equal(&a, &other, sizeof a);
	assert_memory_not_equal(&a, &later, sizeof a);
	assert_int_equal(uuid_time_ms(&later), MOMENT + 1);
	/* SHA-256("abc") begins ba7816bf8f01cfea4141; replays of other versions rely on these very bits. */
	uuid_text(&abc, text);
	assert_string_equal(text, "00000000-0000-7a78-96bf-8f01cfea4141");
}

static void test_times_outside_48_bits(void **state)
{
	(void)state;
	struct uuid early = uuid_new(-5), late = uuid_new(INT64_MAX);

	assert_int_equal(uuid_time_ms(&early), 0);
	assert_int_equal(uuid_time_ms(&late), (INT64_C(1) << 48) - 1);
	assert_int_equal(late.bytes[6] >> 4, 7);
}

static void test_other_versions_have_no_time(void **state)
{
	(void)state;
	for (int version = 0; version < 16; version++) {
		struct uuid id = uuid_new(MOMENT);

		id.bytes[6] = (uint8_t)(version << 4);
		assert_int_equal(uuid_time_ms(&id), version == 7 ? MOMENT : 0);
	}
	for (int variant = 0; variant < 4; variant++) {
		struct uuid id = uuid_new(MOMENT);

		id.bytes[8] = (uint8_t)(variant << 6);
		assert_int_equal(uuid_time_ms(&id), variant == 2 ? MOMENT : 0);
	}
}

static void test_zero(void **state)
{
	(void)state;
	struct uuid id = { { 0 } };
	char text[UUID_TEXT_SIZE];

	assert_true(uuid_is_zero(&id));
	uuid_text(&id, text);
	assert_string_equal(text, "00000000-0000-0000-0000-000000000000");
	id.bytes[15] = 1;
	assert_false(uuid_is_zero(&id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_known_text),
		cmocka_unit_test(test_all_differ),
		cmocka_unit_test(test_later_sorts_behind),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_times_outside_48_bits),
		cmocka_unit_test(test_other_versions_have_no_time),
		cmocka_unit_test(test_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
