/* One copy of every name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workflow/names.h"

static void test_one_copy(void **state)
{
	(void)state;
	struct names *n = names_new();
	char here[] = "worker-01", there[] = "worker-01";
	const char *one = names_intern(n, here);

	assert_ptr_equal(names_intern(n, there), one);
	assert_ptr_not_equal(one, here);
	here[0] = 'x';
	assert_string_equal(one, "worker-01");
	assert_ptr_not_equal(names_intern(n, "worker-0"), one);
	assert_ptr_not_equal(names_intern(n, "worker-012"), one);
	assert_null(names_intern(n, NULL));
	assert_string_equal(names_intern(n, ""), "");
	assert_string_equal(names_intern(n, "网格员"), "网格员");
	names_free(n);
	names_free(NULL);
}

/* The copies stay where they are while the set grows. */
static void test_many_stay_where_they_are(void **state)
{
	(void)state;
	enum { MANY = 20000 };
	static const char *kept[MANY];
	struct names *n = names_new();
	char name[32];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "resident-%d", i);
		kept[i] = names_intern(n, name);
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "resident-%d", i);
		assert_ptr_equal(names_intern(n, name), kept[i]);
		assert_string_equal(kept[i], name);
	}
	names_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_copy),
		cmocka_unit_test(test_many_stay_where_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
