/* Tables for terminals and CSV. The command's files are no part of the library, so they come in whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../cli/table.c"

static const struct column columns[] = {
	{ "name", 0, 1, 0 },
	{ "count", 1, 0, 0 },
	{ "note", 0, 0, 1 },
};

static struct table *two_rows(void)
{
	struct table *t = table_new(columns, 3);

	table_cell(t, "暴露生活垃圾");
	table_cell_int(t, 7);
	table_cell(t, "a, \"b\"");
	table_cell(t, "road");
	table_cell_int(t, 1234567);
	table_cell_as(t, "late", TINT_RED, "1");
	return t;
}

/* What a table prints, on the heap. */
static char *printed(const struct table *t, size_t width, _Bool color, int *left_out)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	*left_out = table_print(t, to, width, color);
	fclose(to);
	return text;
}

static void test_columns_line_up_with_wide_characters(void **state)
{
	struct table *t = two_rows();
	int left_out;
	char *text = printed(t, 0, 0, &left_out);

	(void)state;
	assert_string_equal(text, "name            count  note\n"
	                          "暴露生活垃圾        7  a, \"b\"\n"
	                          "road          1234567  late\n");
	assert_int_equal(left_out, 0);
	free(text);
	table_free(t);
}

static void test_narrow_terminal_cuts_and_leaves_out(void **state)
{
	struct table *t = two_rows();
	int left_out;
	char *text = printed(t, 16, 0, &left_out);

	(void)state;
	assert_int_equal(left_out, 1);
	assert_null(strstr(text, "note"));
	assert_non_null(strstr(text, "…"));
	assert_non_null(strstr(text, "1234567"));
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(text_columns(line) <= 16);
	free(text);
	table_free(t);
}

static void test_cut_never_splits_a_character(void **state)
{
	(void)state;
	for (size_t most = 1; most < 14; most++) {
		char *cut = table_cut("积水没过脚踝a", most);

		assert_true(text_columns(cut) <= most);
		assert_true(text_is(TEXT_LINE, (const uint8_t *)cut, strlen(cut)));
		free(cut);
	}
	char *whole = table_cut("积水", 4);

	assert_string_equal(whole, "积水");
	free(whole);
}

static void test_colour_only_when_asked(void **state)
{
	struct table *t = two_rows();
	int left_out;
	char *plain = printed(t, 0, 0, &left_out), *tinted = printed(t, 0, 1, &left_out);

	(void)state;
	assert_null(strchr(plain, '\033'));
	assert_non_null(strstr(tinted, "\033[31mlate\033[0m"));
	free(plain);
	free(tinted);
	table_free(t);
}

static void test_csv_quotes_and_takes_raw_values(void **state)
{
	struct table *t = two_rows();
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	table_csv(t, to);
	fclose(to);
	assert_string_equal(text, "name,count,note\r\n暴露生活垃圾,7,\"a, \"\"b\"\"\"\r\nroad,1234567,1\r\n");
	free(text);
	table_free(t);
}

static void test_line_breaks_do_not_break_rows(void **state)
{
	struct table *t = table_new(columns, 3);
	int left_out;

	(void)state;
	table_cell(t, "one\ntwo");
	table_cell_int(t, 1);
	table_cell(t, "");

	char *text = printed(t, 0, 0, &left_out);

	assert_non_null(strstr(text, "one two"));
	free(text);
	table_free(t);
}

static void test_titles_of_two_lines_stand_on_their_cells(void **state)
{
	static const struct column two_lines[] = {
		{ "kind", 0, 1, 0 },
		{ "on time\n按期", 1, 0, 0 },
		{ "open", 1, 0, 0 },
		{ "note\n注", 0, 0, 1 },
	};
	struct table *t = table_new(two_lines, 4);
	int left_out;

	(void)state;
	table_cell(t, "resident");
	table_cell(t, "97.3%");
	table_cell_int(t, 3);
	table_cell(t, "x");

	char *text = printed(t, 0, 0, &left_out);

	assert_string_equal(text, "          on time        note\n"
	                          "kind         按期  open  注\n"
	                          "resident    97.3%     3  x\n");
	free(text);
	table_free(t);
}

static void test_no_line_ends_in_a_space(void **state)
{
	struct table *t = table_new(columns, 3);
	int left_out;

	(void)state;
	table_cell(t, "a long name");
	table_cell_int(t, 1);
	table_cell(t, "");
	table_cell(t, "b");
	table_cell(t, "");
	table_cell(t, "said  ");
	table_cell(t, "c  ");
	table_cell(t, "");
	table_cell(t, "");

	char *plain = printed(t, 0, 0, &left_out), *tinted = printed(t, 0, 1, &left_out);

	assert_string_equal(plain, "name         count  note\n"
	                           "a long name      1\n"
	                           "b                   said\n"
	                           "c\n");
	assert_null(strstr(tinted, " \n"));
	free(plain);
	free(tinted);
	table_free(t);
}

static void test_empty_columns_hide_when_asked(void **state)
{
	struct table *t = table_new(columns, 3);
	int left_out;

	(void)state;
	table_cell(t, "a");
	table_cell(t, TABLE_NOTHING);
	table_cell(t, "");
	table_cell(t, "b");
	table_cell(t, "");
	table_cell(t, "here");

	char *whole = printed(t, 0, 0, &left_out);

	table_hide_empty(t);

	char *hidden = printed(t, 0, 0, &left_out);

	assert_non_null(strstr(whole, "count"));
	assert_string_equal(hidden, "name  note\na\nb     here\n");
	/* What has nothing to say was not left out for want of room. */
	assert_int_equal(left_out, 0);
	free(whole);
	free(hidden);
	table_free(t);
}

static void test_a_leaving_column_gives_its_room_to_texts(void **state)
{
	static const struct column wide[] = { { "name", 0, 1, 0 }, { "aside", 0, 0, 1 } };
	struct table *t = table_new(wide, 2);
	int left_out;

	(void)state;
	table_cell(t, "thirty columns of a long name.");
	table_cell(t, "0123456789012345678");

	char *narrow = printed(t, 32, 0, &left_out);

	assert_int_equal(left_out, 1);
	assert_non_null(strstr(narrow, "thirty columns of a long name."));
	free(narrow);
	narrow = printed(t, 33, 0, &left_out);
	assert_int_equal(left_out, 0);
	assert_non_null(strstr(narrow, "thirty colu…  0123456789012345678"));
	free(narrow);
	table_free(t);
}

static void test_what_was_left_out_is_said(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	table_say_left_out(to, 0, "--csv has all", 0);
	table_say_left_out(to, 1, "--csv has all", 0);
	table_say_left_out(to, 2, "--csv has all", 0);
	fclose(to);
	assert_string_equal(text, "1 column does not fit; --csv has all\n"
	                          "2 columns do not fit; --csv has all\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_columns_line_up_with_wide_characters),
		cmocka_unit_test(test_narrow_terminal_cuts_and_leaves_out),
		cmocka_unit_test(test_cut_never_splits_a_character),
		cmocka_unit_test(test_colour_only_when_asked),
		cmocka_unit_test(test_csv_quotes_and_takes_raw_values),
		cmocka_unit_test(test_line_breaks_do_not_break_rows),
		cmocka_unit_test(test_titles_of_two_lines_stand_on_their_cells),
		cmocka_unit_test(test_no_line_ends_in_a_space),
		cmocka_unit_test(test_empty_columns_hide_when_asked),
		cmocka_unit_test(test_a_leaving_column_gives_its_room_to_texts),
		cmocka_unit_test(test_what_was_left_out_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
