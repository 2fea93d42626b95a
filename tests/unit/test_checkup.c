#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/checkup.h"
#include "store_kit.h"

static void a_checkup_sees_what_is_there(void **state)
{
	struct kit kit, *k = &kit;
	struct checkup c;
	char *path = NULL;

	(void)state;
	kit_start(k);
	kit_street(k);
	checkup_database(k->path, 5000, &c);
	assert_null(c.unreadable);
	assert_null(c.damage);
	assert_true(c.whole);
	assert_int_equal(c.schema, STORE_SCHEMA_VERSION);
	assert_int_equal(c.received, 10);
	assert_int_equal(c.holder, getpid());
	assert_true(c.last_ms > KIT_START_MS);
	assert_true(c.bytes > 0);
	assert_non_null(c.roster);
	checkup_close(&c);
	checkup_close(&c);
	checkup_database("/nowhere/street.db", 5000, &c);
	assert_non_null(c.unreadable);
	checkup_close(&c);
	/* Anybody's text is no database. */
	assert_true(asprintf(&path, "%s.lock", k->path) > 0);
	FILE *to = fopen(path, "wb");

	assert_non_null(to);
	fputs("this is a text and much longer than the sixteen bytes that SQLite looks at first", to);
	fclose(to);
	checkup_database(path, 5000, &c);
	assert_non_null(c.unreadable);
	checkup_close(&c);
	free(path);
	kit_end(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_checkup_sees_what_is_there) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
