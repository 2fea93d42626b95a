#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/refusal.h"
#include "base/text.h"

static void test_fills_and_is_false(void **state)
{
	(void)state;
	struct refusal why = { .retry_after_ms = 5 };

	assert_false(refuse(&why, REFUSAL_WRONG_STATE, "close-needs-evidence", "Case %d has no photo.", 7));
	assert_int_equal(why.code, REFUSAL_WRONG_STATE);
	assert_string_equal(why.rule, "close-needs-evidence");
	assert_string_equal(why.sentence, "Case 7 has no photo.");
	assert_int_equal(why.retry_after_ms, 0);
}

/* Every alignment of three-byte characters against the bound. */
static void test_cuts_at_a_character(void **state)
{
	(void)state;
	char longer[1024];

	for (int shift = 0; shift < 3; shift++) {
		struct refusal why;
		size_t at = (size_t)shift;

		memset(longer, 'a', at);
		for (; at + 3 < sizeof longer; at += 3)
			memcpy(longer + at, "\xe7\xbd\x91", 3);
		longer[at] = '\0';
		assert_false(refuse(&why, REFUSAL_INVALID, "r", "%s", longer));

		size_t length = strlen(why.sentence);

		assert_true(length < REFUSAL_SENTENCE_MAX);
		assert_true(length > REFUSAL_SENTENCE_MAX - 4);
		assert_true(text_is(TEXT_LINE, (const uint8_t *)why.sentence, length));
		assert_memory_equal(why.sentence, longer, length);
	}
}

static void test_exact_fit(void **state)
{
	(void)state;
	struct refusal why;
	char exact[REFUSAL_SENTENCE_MAX];

	memset(exact, 'x', sizeof exact - 1);
	exact[sizeof exact - 1] = '\0';
	refuse(&why, REFUSAL_INVALID, "r", "%s", exact);
	assert_string_equal(why.sentence, exact);
}

static void test_every_code_has_a_name(void **state)
{
	(void)state;
	for (int code = 0; code < REFUSAL_CODE_COUNT; code++) {
		const char *name = refusal_code_name((enum refusal_code)code);

		assert_non_null(name);
		assert_string_not_equal(name, "unknown");
		assert_true(text_is(TEXT_ID, (const uint8_t *)name, strlen(name)));
		for (int other = 0; other < code; other++)
			assert_string_not_equal(name, refusal_code_name((enum refusal_code)other));
	}
	assert_string_equal(refusal_code_name(REFUSAL_WRONG_STATE), "wrong-state");
	assert_string_equal(refusal_code_name(REFUSAL_INTERNAL), "internal");
}

static void test_strange_codes(void **state)
{
	(void)state;
	assert_string_equal(refusal_code_name((enum refusal_code)REFUSAL_CODE_COUNT), "unknown");
	assert_string_equal(refusal_code_name((enum refusal_code) - 1), "unknown");
	assert_string_equal(refusal_code_name((enum refusal_code)INT32_MAX), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fills_and_is_false), cmocka_unit_test(test_cuts_at_a_character),
		cmocka_unit_test(test_exact_fit),          cmocka_unit_test(test_every_code_has_a_name),
		cmocka_unit_test(test_strange_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
