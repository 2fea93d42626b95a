#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

struct output {
	char *text;
	size_t length;
	struct json json;
};

static int setup(void **state)
{
	struct output *o = calloc(1, sizeof *o);

	if (!o)
		return -1;
	json_init(&o->json, open_memstream(&o->text, &o->length));
	*state = o;
	return 0;
}

static int teardown(void **state)
{
	struct output *o = *state;

	fclose(o->json.to);
	free(o->text);
	free(o);
	return 0;
}

static void check(struct output *o, const char *expected)
{
	fflush(o->json.to);
	assert_string_equal(o->text, expected);
}

static void test_object(void **state)
{
	struct output *o = *state;
	struct json *j = &o->json;

	json_open(j, NULL, '{');
	json_int(j, "received", 12);
	json_text(j, "zone", "a");
	json_bool(j, "ok", 1);
	json_bool(j, "late", 0);
	json_text(j, "none", NULL);
	json_real(j, "lat", 42.2715);
	json_close(j, '}');
	check(o, "{\"received\":12,\"zone\":\"a\",\"ok\":true,\"late\":false,\"none\":null,\"lat\":42.2715}");
}

static void test_nesting(void **state)
{
	struct output *o = *state;
	struct json *j = &o->json;

	json_open(j, NULL, '[');
	json_open(j, NULL, '{');
	json_close(j, '}');
	json_open(j, NULL, '{');
	json_open(j, "a", '[');
	json_int(j, NULL, 1);
	json_int(j, NULL, -2);
	json_close(j, ']');
	json_open(j, "b", '[');
	json_close(j, ']');
	json_close(j, '}');
	json_text(j, NULL, "end");
	json_close(j, ']');
	check(o, "[{},{\"a\":[1,-2],\"b\":[]},\"end\"]");
}

static void test_deep(void **state)
{
	struct output *o = *state;

	for (int i = 0; i < 15; i++)
		json_open(&o->json, NULL, '[');
	for (int i = 0; i < 15; i++)
		json_close(&o->json, ']');
	check(o, "[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]");
}

static void test_escapes(void **state)
{
	struct output *o = *state;

	json_open(&o->json, NULL, '{');
	json_text(&o->json, "q\"", "a\"b\\c/\b\f\n\r\t\x01\x1f\x7f");
	json_close(&o->json, '}');
	check(o, "{\"q\\\"\":\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"}");
}

static void test_other_scripts_pass(void **state)
{
	struct output *o = *state;

	json_text(&o->json, NULL, "na\xc3\xafve \xe7\xbd\x91 \xf0\x9f\x9a\xb2");
	check(o, "\"na\xc3\xafve \xe7\xbd\x91 \xf0\x9f\x9a\xb2\"");
}

static void test_broken_bytes_are_replaced(void **state)
{
	struct output *o = *state;

	/* Alone, cut off at the end, overlong, and a surrogate. */
	json_text(&o->json, NULL, "a\xffz\x80\xc0\xaf\xed\xa0\x80\xe7\xbd");
	check(o, "\"a\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
	         "\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void test_numbers(void **state)
{
	struct output *o = *state;
	struct json *j = &o->json;

	json_open(j, NULL, '[');
	json_int(j, NULL, INT64_MIN);
	json_int(j, NULL, INT64_MAX);
	json_real(j, NULL, 0.1);
	json_real(j, NULL, -71.0772);
	json_real(j, NULL, 3);
	json_real(j, NULL, 1e300);
	json_real(j, NULL, 0.1 + 0.2);
	json_real(j, NULL, NAN);
	json_real(j, NULL, INFINITY);
	json_real(j, NULL, -INFINITY);
	json_close(j, ']');
	check(o, "[-9223372036854775808,9223372036854775807,0.1,-71.0772,3,1e+300,0.30000000000000004,null,null,null]");
}

static void test_reals_read_back(void **state)
{
	static const double reals[] = { DBL_MAX, DBL_MIN, -DBL_TRUE_MIN, M_PI, 1.0 / 3, 123456789.123456789, -0.0 };

	for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++) {
		struct output *o = NULL;

		assert_int_equal(setup((void **)&o), 0);
		json_real(&o->json, NULL, reals[i]);
		fflush(o->json.to);
		assert_true(strtod(o->text, NULL) == reals[i]);
		teardown((void **)&o);
	}
	(void)state;
}

#define WITH_OUTPUT(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_OUTPUT(test_object),
		WITH_OUTPUT(test_nesting),
		WITH_OUTPUT(test_deep),
		WITH_OUTPUT(test_escapes),
		WITH_OUTPUT(test_other_scripts_pass),
		WITH_OUTPUT(test_broken_bytes_are_replaced),
		WITH_OUTPUT(test_numbers),
		cmocka_unit_test(test_reals_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
