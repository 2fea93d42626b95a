#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static _Bool is(enum text_kind kind, const char *text)
{
	return text_is(kind, (const uint8_t *)text, strlen(text));
}

/* Whether bytes are well formed, asked of a heap copy of just that size so that reading beyond it is caught. */
static _Bool is_formed(const uint8_t *bytes, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, bytes, length);

	_Bool answer = text_is(TEXT_PROSE, copy, length);

	free(copy);
	return answer;
}

static void test_well_formed(void **state)
{
	(void)state;
	static const char *const good[] = {
		"",
		"plain",
		"na\xc3\xafve",
		"\xe7\xbd\x91\xe6\xa0\xbc",
		"\xf0\x9f\x9a\xb2",
		"\xc2\xa0",
		"\xdf\xbf",
		"\xe0\xa0\x80",
		"\xed\x9f\xbf",
		"\xee\x80\x80",
		"\xef\xbf\xbf",
		"\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf",
	};

	for (size_t i = 0; i < COUNT(good); i++)
		if (!is(TEXT_LINE, good[i]))
			fail_msg("well-formed text %zu was refused", i);
	assert_true(text_is(TEXT_LINE, NULL, 0));
}

struct bytes {
	const char *why;
	uint8_t bytes[8];
	size_t length;
};

static const struct bytes malformed[] = {
	{ "a lone continuation", { 0x80 }, 1 },
	{ "a lone continuation in text", { 'a', 0xbf, 'b' }, 3 },
	{ "an overlong slash", { 0xc0, 0xaf }, 2 },
	{ "an overlong NUL", { 0xc0, 0x80 }, 2 },
	{ "an overlong DEL", { 0xc1, 0xbf }, 2 },
	{ "an overlong of three", { 0xe0, 0x9f, 0xbf }, 3 },
	{ "an overlong slash of three", { 0xe0, 0x80, 0xaf }, 3 },
	{ "an overlong of four", { 0xf0, 0x8f, 0xbf, 0xbf }, 4 },
	{ "the first surrogate", { 0xed, 0xa0, 0x80 }, 3 },
	{ "the last surrogate", { 0xed, 0xbf, 0xbf }, 3 },
	{ "a pair of surrogates", { 0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80 }, 6 },
	{ "beyond Unicode", { 0xf4, 0x90, 0x80, 0x80 }, 4 },
	{ "far beyond Unicode", { 0xf7, 0xbf, 0xbf, 0xbf }, 4 },
	{ "five bytes", { 0xf8, 0x88, 0x80, 0x80, 0x80 }, 5 },
	{ "0xff", { 0xff }, 1 },
	{ "0xfe", { 0xfe, 0xfe }, 2 },
	{ "two cut to one", { 0xc3 }, 1 },
	{ "three cut to two", { 'a', 0xe7, 0xbd }, 3 },
	{ "four cut to three", { 0xf0, 0x9f, 0x9a }, 3 },
	{ "a lead where a continuation belongs", { 0xe7, 0xbd, 'a' }, 3 },
	{ "two leads", { 0xc3, 0xc3 }, 2 },
	{ "NUL", { 'a', 0, 'b' }, 3 },
	{ "only NUL", { 0 }, 1 },
};

static void test_malformed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(malformed); i++) {
		if (is_formed(malformed[i].bytes, malformed[i].length))
			fail_msg("%s was taken", malformed[i].why);
		assert_false(text_is(TEXT_LINE, malformed[i].bytes, malformed[i].length));
		assert_false(text_is(TEXT_ID, malformed[i].bytes, malformed[i].length));
	}
}

static size_t encode(uint32_t c, uint8_t out[4])
{
	if (c < 0x80)
		return out[0] = (uint8_t)c, 1;
	if (c < 0x800)
		return out[0] = (uint8_t)(0xc0 | c >> 6), out[1] = (uint8_t)(0x80 | (c & 63)), 2;
	if (c < 0x10000)
		return out[0] = (uint8_t)(0xe0 | c >> 12), out[1] = (uint8_t)(0x80 | (c >> 6 & 63)),
		       out[2] = (uint8_t)(0x80 | (c & 63)), 3;
	out[0] = (uint8_t)(0xf0 | c >> 18);
	out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
	out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
	out[3] = (uint8_t)(0x80 | (c & 63));
	return 4;
}

static void test_every_character(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		uint8_t bytes[4];
		size_t length = encode(c, bytes);
		_Bool surrogate = c >= 0xd800 && c <= 0xdfff;
		_Bool control = c < 0x20 || (c >= 0x7f && c <= 0x9f);
		_Bool separator = c == 0x2028 || c == 0x2029;

		if (text_is(TEXT_LINE, bytes, length) != (!surrogate && !control && !separator))
			fail_msg("U+%04X as a line", c);
		if (text_is(TEXT_PROSE, bytes, length) != ((!surrogate && !control) || c == '\n' || c == '\t'))
			fail_msg("U+%04X as prose", c);
	}
}

static void test_kinds(void **state)
{
	(void)state;
	assert_true(is(TEXT_PROSE, "one\n\ttwo"));
	assert_false(is(TEXT_LINE, "one\ntwo"));
	assert_false(is(TEXT_LINE, "one\ttwo"));
	assert_false(is(TEXT_PROSE, "one\r\ntwo"));
	assert_false(is(TEXT_PROSE, "\x1b[2J"));
	assert_true(is(TEXT_ID, "Camera-7_a.b/c:d@e"));
	assert_false(is(TEXT_ID, "a b"));
	assert_false(is(TEXT_ID, "a,b"));
	assert_false(is(TEXT_ID, "na\xc3\xafve"));
	assert_false(is(TEXT_ID, "a\"b"));
}

static void test_columns(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t columns;
	} rows[] = {
		{ "", 0 },
		{ "abc", 3 },
		{ "na\xc3\xafve", 5 },
		{ "\xe7\xbd\x91\xe6\xa0\xbc", 4 }, /* CJK, the main block */
		{ "\xe3\x90\x80", 2 },             /* extension A */
		{ "\xf0\xa0\x80\x80", 2 },         /* extension B */
		{ "\xe3\x80\x82", 2 },             /* ideographic full stop */
		{ "\xe3\x80\x80", 2 },             /* ideographic space */
		{ "\xe3\x81\x82\xe3\x82\xa2", 4 }, /* hiragana, katakana */
		{ "\xed\x95\x9c", 2 },             /* hangul */
		{ "\xef\xbc\xa1\xef\xbc\x81", 4 }, /* full-width A and ! */
		{ "\xef\xbd\xb1", 1 },             /* half-width katakana */
		{ "\xef\xbf\xa5", 2 },             /* full-width yen */
		{ "\xef\xa4\x80", 2 },             /* compatibility ideograph */
		{ "\xf0\x9f\x9a\xb2", 2 },         /* bicycle */
		{ "e\xcc\x81", 1 },                /* e and a combining accent */
		{ "\xe2\x80\x8b", 0 },             /* zero-width space */
		{ "\xe2\x80\x94", 1 },             /* em dash */
		{ "\xe8\xa5\xbf\xe9\x97\xa8 A1", 7 },
		{ "\xff\xc3", 2 }, /* two bytes that are no text */
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (text_columns(rows[i].text) != rows[i].columns)
			fail_msg("row %zu has %zu columns, not %zu", i, text_columns(rows[i].text), rows[i].columns);
}

static void test_cut(void **state)
{
	(void)state;
	const char *text = "a\xc3\xa9\xe7\xbd\x91\xf0\x9f\x9a\xb2z"; /* of 1, 2, 3, 4 and 1 bytes */
	static const size_t kept[] = { 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11, 11 };

	for (size_t most = 0; most < COUNT(kept); most++)
		assert_int_equal(text_cut(text, most), kept[most]);
	assert_int_equal(text_cut(text, SIZE_MAX), 11);
	assert_int_equal(text_cut("", 5), 0);
	/* No text at all: something is kept, and nothing before the start is read. */
	assert_int_equal(text_cut("\x80\x80\x80\x80\x80\x80", 5), 5);
	assert_int_equal(text_cut("\x80\x80", 1), 1);
}

static void test_to_int(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		" 1",
		"1 ",
		"+1",
		"-",
		"--1",
		"1a",
		"0x10",
		"1.0",
		"1e3",
		"9223372036854775808",
		"-9223372036854775809",
		"\n1",
	};
	int64_t out = 42;

	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(text_to_int(bad[i], INT64_MIN, INT64_MAX, &out));
	assert_false(text_to_int(NULL, 0, 1, &out));
	assert_false(text_to_int("11", 0, 10, &out));
	assert_false(text_to_int("-1", 0, 10, &out));
	assert_int_equal(out, 42);
	assert_true(text_to_int("10", 0, 10, &out));
	assert_int_equal(out, 10);
	assert_true(text_to_int("010", 0, 10, &out));
	assert_int_equal(out, 10);
	assert_true(text_to_int("-9223372036854775808", INT64_MIN, INT64_MAX, &out));
	assert_true(out == INT64_MIN);
	assert_true(text_to_int("9223372036854775807", INT64_MIN, INT64_MAX, &out));
	assert_true(out == INT64_MAX);
}

static void test_to_double(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",      " 1",    "1 ",     "+1",  "nan",   "inf", "-inf", "infinity",
		"0x1p3", "1e999", "-1e999", "1,5", "1.5.5", "e",   ".",    "-",
	};
	double out = 42;

	for (size_t i = 0; i < COUNT(bad); i++)
		if (text_to_double(bad[i], &out))
			fail_msg("\"%s\" was taken for a number", bad[i]);
	assert_false(text_to_double(NULL, &out));
	assert_true(out == 42);
	assert_true(text_to_double("-71.0772", &out));
	assert_true(out == -71.0772);
	assert_true(text_to_double("1e+3", &out));
	assert_true(out == 1000);
	assert_true(text_to_double(".5", &out));
	assert_true(out == 0.5);
}

static void test_to_span(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "1500ms", 1500 }, { "90s", 90000 },    { "15m", 900000 },
		{ "4h", 14400000 }, { "7d", 604800000 }, { "0s", 0 },
	};
	static const char *const bad[] = {
		"",
		"s",
		"90",
		"90 s",
		" 90s",
		"90S",
		"-1s",
		"+1s",
		"1w",
		"1.5h",
		"1h30m",
		"9223372036854775808ms",
		"9223372036854775807s",
		"106751991168d",
	};
	int64_t out = 42;

	for (size_t i = 0; i < COUNT(bad); i++)
		if (text_to_span(bad[i], &out))
			fail_msg("\"%s\" was taken for a span", bad[i]);
	assert_false(text_to_span(NULL, &out));
	assert_int_equal(out, 42);
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(text_to_span(good[i].text, &out));
		assert_int_equal(out, good[i].ms);
	}
	assert_true(text_to_span("106751991167d", &out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_well_formed),     cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_every_character), cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_columns),         cmocka_unit_test(test_cut),
		cmocka_unit_test(test_to_int),          cmocka_unit_test(test_to_double),
		cmocka_unit_test(test_to_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
