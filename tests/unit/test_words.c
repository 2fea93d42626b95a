/* The jurisdiction's own tables of words say the same as the workflow's, which it may not include. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "jurisdiction/words.h"
#include "workflow/case_number.h"
#include "workflow/domain.h"

static size_t count(const struct word *words)
{
	size_t n = 0;

	while (words[n].name)
		n++;
	return n;
}

static void test_kinds_agree(void **state)
{
	(void)state;
	assert_int_equal(count(words_kinds), REPORTER_KIND_COUNT - 1);
	for (const struct word *w = words_kinds; w->name; w++) {
		assert_int_equal(w->value, reporter_kind_from_name(w->name));
		assert_string_equal(w->name, reporter_kind_name((enum reporter_kind)w->value));
	}
}

static void test_roles_agree(void **state)
{
	(void)state;
	assert_int_equal(count(words_roles), ROLE_BITS);
	for (const struct word *w = words_roles; w->name; w++) {
		assert_int_equal(w->value, role_from_name(w->name));
		assert_string_equal(w->name, role_name((enum role)w->value));
	}
}

static void test_acts_with_reasons_are_acts(void **state)
{
	(void)state;
	for (const struct word *w = words_acts; w->name; w++)
		assert_int_not_equal(act_from_name(w->name), ACT_NONE);
}

static void test_categories_agree(void **state)
{
	static const char *const texts[] = { "E0110",  "C0101", "E9901", "E0100", "E0001", "e0110", "E011",
		                             "E01100", "",      "X0110", "E01-1", "C9999", " E0110" };
	char text[WORDS_CATEGORY_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		int32_t category = words_category(texts[i]);

		/* The files are stricter than the wire, so only what they take has to agree. */
		if (category) {
			assert_int_equal(category, category_from_text(texts[i]));
			words_category_text(category, text);
			assert_string_equal(text, texts[i]);
		}
	}
	assert_int_equal(words_category("E0110"), 10110);
	assert_int_equal(words_category("C9999"), 29999);
	assert_int_equal(words_category("E0100"), 0);
	assert_int_equal(words_category("E011x"), 0);
}

static void test_a_class_is_a_pattern(void **state)
{
	char text[WORDS_CATEGORY_SIZE];

	(void)state;
	assert_int_equal(words_category_pattern("E01"), 10100);
	assert_int_equal(words_category_pattern("C05"), 20500);
	assert_int_equal(words_category_pattern("E0110"), 10110);
	assert_int_equal(words_category_pattern("E00"), 0);
	assert_int_equal(words_category_pattern("E1"), 0);
	words_category_text(20500, text);
	assert_string_equal(text, "C05");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds_agree),
		cmocka_unit_test(test_roles_agree),
		cmocka_unit_test(test_acts_with_reasons_are_acts),
		cmocka_unit_test(test_categories_agree),
		cmocka_unit_test(test_a_class_is_a_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
