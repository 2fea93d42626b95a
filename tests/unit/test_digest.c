#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

static int setup(void **state)
{
	*state = digester_new();
	return 0;
}

static int teardown(void **state)
{
	digester_free(*state);
	return 0;
}

static void check_hex(struct digester *d, const char *hex)
{
	uint8_t hash[DIGEST_SIZE];
	char text[DIGEST_TEXT_SIZE];

	digest_end(d, hash);
	digest_text(hash, text);
	assert_string_equal(text, hex);
}

/* The vectors of FIPS 180-4. */
static void test_known_answers(void **state)
{
	struct digester *d = *state;

	digest_begin(d);
	check_hex(d, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_begin(d);
	digest_add(d, "abc", 3);
	check_hex(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_begin(d);
	for (int i = 0; i < 1000; i++) {
		char many[1000];

		memset(many, 'a', sizeof many);
		digest_add(d, many, sizeof many);
	}
	check_hex(d, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_parts_make_the_whole(void **state)
{
	struct digester *d = *state;

	digest_begin(d);
	digest_add(d, "a", 1);
	digest_add(d, "", 0);
	digest_add(d, NULL, 0);
	digest_add(d, "bc", 2);
	check_hex(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_begin_forgets(void **state)
{
	struct digester *d = *state;

	digest_begin(d);
	digest_add(d, "left over", 9);
	digest_begin(d);
	digest_add(d, "abc", 3);
	check_hex(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void of_texts(struct digester *d, const char *a, const char *b, uint8_t out[DIGEST_SIZE])
{
	digest_begin(d);
	digest_add_text(d, a);
	digest_add_text(d, b);
	digest_end(d, out);
}

static void test_field_bounds_count(void **state)
{
	static const char *const pairs[][2] = {
		{ "ab", "c" },   { "a", "bc" },  { "abc", "" }, { "", "abc" }, { "abc", NULL },
		{ NULL, "abc" }, { NULL, NULL }, { "", NULL },  { NULL, "" },  { "", "" },
	};
	enum { PAIRS = sizeof pairs / sizeof pairs[0] };
	uint8_t out[PAIRS][DIGEST_SIZE], again[DIGEST_SIZE];

	for (int i = 0; i < PAIRS; i++) {
		of_texts(*state, pairs[i][0], pairs[i][1], out[i]);
		of_texts(*state, pairs[i][0], pairs[i][1], again);
		assert_memory_equal(out[i], again, DIGEST_SIZE);
		for (int other = 0; other < i; other++)
			assert_memory_not_equal(out[i], out[other], DIGEST_SIZE);
	}
}

static void test_numbers(void **state)
{
	static const int64_t numbers[] = { 0, 1, -1, 256, INT64_MIN, INT64_MAX, INT64_C(1) << 32 };
	enum { NUMBERS = sizeof numbers / sizeof numbers[0] };
	uint8_t out[NUMBERS][DIGEST_SIZE], text[DIGEST_SIZE];

	for (int i = 0; i < NUMBERS; i++) {
		digest_begin(*state);
		digest_add_int(*state, numbers[i]);
		digest_end(*state, out[i]);
		for (int other = 0; other < i; other++)
			assert_memory_not_equal(out[i], out[other], DIGEST_SIZE);
	}
	/* Neither an absent nor an empty text is a nought. */
	digest_begin(*state);
	digest_add_text(*state, NULL);
	digest_end(*state, text);
	assert_memory_not_equal(text, out[0], DIGEST_SIZE);
	digest_begin(*state);
	digest_add_text(*state, "");
	digest_end(*state, text);
	assert_memory_not_equal(text, out[0], DIGEST_SIZE);
}

static void test_matches(void **state)
{
	struct digester *d = *state;
	const char *hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	const char *upper = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
	char wrong[DIGEST_TEXT_SIZE];

	assert_true(digest_matches(d, "abc", 3, hex));
	assert_true(digest_matches(d, "abc", 3, upper));
	assert_false(digest_matches(d, "abd", 3, hex));
	assert_false(digest_matches(d, "abc", 2, hex));
	assert_false(digest_matches(d, "", 0, hex));
	assert_false(digest_matches(d, "abc", 3, ""));
	assert_false(digest_matches(d, "abc", 3, NULL));
	assert_false(digest_matches(d, "abc", 3, hex + 1));
	for (size_t i = 0; i < DIGEST_TEXT_SIZE - 1; i++) {
		strcpy(wrong, hex);
		wrong[i] = wrong[i] == '0' ? '1' : '0';
		assert_false(digest_matches(d, "abc", 3, wrong));
	}
}

static void test_free_nothing(void **state)
{
	(void)state;
	digester_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_known_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parts_make_the_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_begin_forgets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_field_bounds_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_matches, setup, teardown),
		cmocka_unit_test(test_free_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
