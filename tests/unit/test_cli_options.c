/* Options of the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../../cli/options.c"

static const struct option_row rows[] = {
	{ "--text", OPTION_TEXT, "TEXT", "words", 0, 1 },
	{ "--count", OPTION_INT, "N", "a number", 0, 0 },
	{ "--until", OPTION_TIME, "TIME", "a time", 0, 0 },
	{ "--by", OPTION_SPAN, "SPAN", "a span", 0, 0 },
	{ "--at", OPTION_PLACE, "LAT,LON", "a place", 0, 0 },
	{ "--rating", OPTION_WORD, "satisfied|fairly|unsatisfied", "a word", 1, 0 },
	{ "--help", OPTION_FLAG, NULL, "help", 0, 0 },
	{ 0 },
};

struct parsed {
	struct options options;
	char why[OPTION_WHY_SIZE];
	_Bool good;
};

/* argv ends with NULL. */
static struct parsed parse(const char *const *argv)
{
	struct option_set set = { 0 };
	struct parsed p = { 0 };
	int argc = 0;

	while (argv[argc])
		argc++;
	option_set_add_all(&set, rows);
	p.good = options_parse(&set, argc, (char **)(uintptr_t)argv, &p.options, p.why);
	return p;
}

#define PARSE(...) parse((const char *[]){ __VA_ARGS__, NULL })

static void test_values_in_every_spelling(void **state)
{
	struct parsed p =
		PARSE("N1", "--count", "-3", "--by=90m", "--at", "-34.5,108.25", "more", "--rating=fairly", "-h");
	double lat, lon;

	(void)state;
	assert_true(p.good);
	assert_int_equal(options_int(&p.options, "--count", 0), -3);
	assert_int_equal(options_span(&p.options, "--by", 0), 90 * CLOCK_MINUTE_MS);
	assert_true(options_place(&p.options, "--at", &lat, &lon));
	assert_true(lat == -34.5 && lon == 108.25);
	assert_int_equal(options_word(&p.options, "--rating"), 1);
	assert_true(options_flag(&p.options, "--help"));
	assert_false(options_flag(&p.options, "--text"));
	assert_int_equal(p.options.word_count, 2);

	char *rest = options_rest(&p.options, 0);

	assert_string_equal(rest, "N1 more");
	free(rest);
	assert_null(options_rest(&p.options, 2));
}

static void test_numbers_and_what_follows_two_dashes_are_words(void **state)
{
	struct parsed p = PARSE("rider", "-5", "--", "--text", "-h");

	(void)state;
	assert_true(p.good);
	assert_int_equal(p.options.word_count, 4);
	assert_string_equal(p.options.words[1], "-5");
	assert_string_equal(p.options.words[2], "--text");
}

static void test_repeating_and_last_wins(void **state)
{
	struct parsed p = PARSE("--text", "a", "--text=b", "--count=1", "--count=2");
	const char *values[4];

	(void)state;
	assert_true(p.good);
	assert_int_equal(options_all(&p.options, "--text", values, 4), 2);
	assert_string_equal(values[0], "a");
	assert_int_equal(options_all(&p.options, "--text", values, 1), 1);
	assert_int_equal(options_int(&p.options, "--count", 0), 2);
}

static void refused(struct parsed p, const char *part)
{
	assert_false(p.good);
	if (!strstr(p.why, part))
		fail_msg("\"%s\" does not say \"%s\"", p.why, part);
}

static void test_mistakes_name_the_option_and_what_is_expected(void **state)
{
	(void)state;
	refused(PARSE("--nothing"), "--nothing");
	refused(PARSE("--count"), "needs a value");
	refused(PARSE("--count", "many"), "whole number");
	refused(PARSE("--by", "soon"), "span");
	refused(PARSE("--until", "tomorrow"), "2026-11-21");
	refused(PARSE("--at", "91,0"), "LAT,LON");
	refused(PARSE("--at", "34.5"), "LAT,LON");
	refused(PARSE("--at", "nan,1"), "LAT,LON");
	refused(PARSE("--rating", "fair"), "satisfied|fairly|unsatisfied");
	refused(PARSE("--rating", ""), "satisfied|fairly|unsatisfied");
	refused(PARSE("--text", "\033[2J"), "control characters");
	refused(PARSE("--text", "\xff"), "UTF-8");
	refused(PARSE("--help=yes"), "no value");
}

static void test_missing(void **state)
{
	struct option_set set = { 0 };
	struct parsed without = PARSE("word"), with = PARSE("--rating", "fairly");

	(void)state;
	option_set_add_all(&set, rows);
	assert_string_equal(options_missing(&set, &without.options)->name, "--rating");
	assert_null(options_missing(&set, &with.options));
}

static void test_too_many_words_and_options(void **state)
{
	const char *words[OPTION_WORDS_MOST + 2] = { 0 };

	(void)state;
	for (int i = 0; i <= OPTION_WORDS_MOST; i++)
		words[i] = "w";
	refused(parse(words), "words");
	for (int i = 0; i <= OPTION_WORDS_MOST; i++)
		words[i] = "--text=a";
	refused(parse(words), "options");
	for (int i = 0; i <= OPTION_WORDS_MOST; i++)
		words[i] = "-h";
	assert_true(parse(words).good);
}

static void test_times(void **state)
{
	const int64_t now = INT64_C(1795240800000); /* 2026-11-21 14:00 in Shanghai */
	int64_t ms;

	(void)state;
	setenv("TZ", "Asia/Shanghai", 1);
	tzset();
	assert_true(time_from_text("2026-11-21 14:00", 0, 1, &ms));
	assert_int_equal(ms, now);
	assert_true(time_from_text("2026-11-21", 0, 1, &ms));
	assert_int_equal(ms, now - 14 * CLOCK_HOUR_MS);
	assert_true(time_from_text("2026-11-21T06:00:00Z", 0, 1, &ms));
	assert_int_equal(ms, now);
	assert_true(time_from_text("2h", now, 1, &ms));
	assert_int_equal(ms, now + 2 * CLOCK_HOUR_MS);
	assert_true(time_from_text("7d", now, -1, &ms));
	assert_int_equal(ms, now - 7 * CLOCK_DAY_MS);
	assert_false(time_from_text("2026-13-01", 0, 1, &ms));
	assert_false(time_from_text("", 0, 1, &ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_in_every_spelling),
		cmocka_unit_test(test_numbers_and_what_follows_two_dashes_are_words),
		cmocka_unit_test(test_repeating_and_last_wins),
		cmocka_unit_test(test_mistakes_name_the_option_and_what_is_expected),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_too_many_words_and_options),
		cmocka_unit_test(test_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
