#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"

#define DAY INT64_C(86400000)

struct target {
	int64_t port, wait, room;
	_Bool open;
	char *name;
	int source;
};

static const struct setting rows[] = {
	{ "port", SETTING_INT, offsetof(struct target, port), 1, 65535, "7311", NULL, "Where to listen." },
	{ "wait", SETTING_SPAN, offsetof(struct target, wait), 1000, 7 * DAY, "90s", NULL, "How long to wait." },
	{ "room", SETTING_SIZE, offsetof(struct target, room), 1024, INT64_C(1) << 32, "32k", NULL,
	  "How much to keep." },
	{ "open", SETTING_BOOL, offsetof(struct target, open), 0, 0, "no", NULL, "Whether anyone may come in." },
	{ "name", SETTING_TEXT, offsetof(struct target, name), 0, 20, "", NULL, "What it is called." },
	{ "source", SETTING_WORD, offsetof(struct target, source), 0, 0, "replay", "system|replay|none",
	  "Whose time." },
	{ NULL, 0, 0, 0, 0, NULL, NULL, NULL },
};

struct fixture {
	char folder[128], path[160];
	struct target target;
	struct problems problems;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const char *base = getenv("TMPDIR");

	if (!f)
		return -1;
	snprintf(f->folder, sizeof f->folder, "%.90s/settings-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->path, sizeof f->path, "%s/test.conf", f->folder);
	settings_defaults(rows, &f->target);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	settings_close(rows, &f->target);
	settings_close(rows, &f->target);
	problems_close(&f->problems);
	problems_close(&f->problems);
	unlink(f->path);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void write_bytes(struct fixture *f, const char *bytes, size_t length)
{
	FILE *to = fopen(f->path, "w");

	assert_non_null(to);
	assert_int_equal(fwrite(bytes, 1, length, to), length);
	assert_int_equal(fclose(to), 0);
}

static _Bool read_text(struct fixture *f, const char *text)
{
	write_bytes(f, text, strlen(text));
	return settings_read(rows, &f->target, f->path, &f->problems);
}

static void test_defaults(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->target.port, 7311);
	assert_int_equal(f->target.wait, 90000);
	assert_int_equal(f->target.room, 32768);
	assert_false(f->target.open);
	assert_string_equal(f->target.name, "");
	assert_int_equal(f->target.source, 1);
}

static void test_a_whole_file(void **state)
{
	struct fixture *f = *state;

	assert_true(read_text(f,
	                      "\xef\xbb\xbf# first line\n\n  port=80\r\nwait = 4h\n\t# more\nroom\t=\t1g\nopen = yes\n"
	                      "name = Grid 7 = \xe8\xa5\xbf\xe9\x97\xa8  \nsource = none"));
	assert_int_equal(f->problems.count, 0);
	assert_int_equal(f->target.port, 80);
	assert_int_equal(f->target.wait, 4 * 3600000);
	assert_int_equal(f->target.room, INT64_C(1) << 30);
	assert_true(f->target.open);
	assert_string_equal(f->target.name, "Grid 7 = \xe8\xa5\xbf\xe9\x97\xa8");
	assert_int_equal(f->target.source, 2);
}

static void test_what_is_not_named_stays(void **state)
{
	struct fixture *f = *state;

	assert_true(read_text(f, "port = 1\n"));
	assert_true(read_text(f, "wait = 1s\n"));
	assert_int_equal(f->target.port, 1);
	assert_int_equal(f->target.wait, 1000);
	assert_int_equal(f->target.room, 32768);
	assert_true(read_text(f, ""));
}

static void test_texts_are_replaced(void **state)
{
	struct fixture *f = *state;

	assert_true(read_text(f, "name = one\n"));
	assert_true(read_text(f, "name = two\n"));
	assert_string_equal(f->target.name, "two");
	assert_true(read_text(f, "name =\n"));
	assert_string_equal(f->target.name, "");
}

struct mistake {
	const char *file;
	int line;
	const char *found, *expected;
};

static const struct mistake mistakes[] = {
	{ "port 80\n", 1, "\"port 80\"", "expected key = value" },
	{ "\n\n= 80\n", 3, "\"= 80\"", "expected key = value" },
	{ "# c\nprot = 80\n", 2, "unknown key \"prot\"", "expected one of the documented keys" },
	{ "Port = 80\n", 1, "unknown key \"Port\"", "expected one of" },
	{ "port = 1\nopen = no\nport = 2\n", 3, "key \"port\" is given again", "as in line 1" },
	{ "port = \n", 1, "port is \"\"", "a whole number from 1 to 65535" },
	{ "port = 0\n", 1, "port is \"0\"", "a whole number from 1 to 65535" },
	{ "port = 65536\n", 1, "port is \"65536\"", "from 1 to 65535" },
	{ "port = 80 # web\n", 1, "port is \"80 # web\"", "a whole number" },
	{ "port = 99999999999999999999\n", 1, "port is \"9999", "a whole number" },
	{ "port = eighty\n", 1, "port is \"eighty\"", "a whole number" },
	{ "wait = 90\n", 1, "wait is \"90\"", "such as 90s, 15m, 4h or 7d, from 1s to 7d" },
	{ "wait = 8d\n", 1, "wait is \"8d\"", "from 1s to 7d" },
	{ "wait = 999ms\n", 1, "wait is \"999ms\"", "from 1s to 7d" },
	{ "wait = -5s\n", 1, "wait is \"-5s\"", "from 1s to 7d" },
	{ "room = 1023\n", 1, "room is \"1023\"", "from 1k to 4g" },
	{ "room = 5g\n", 1, "room is \"5g\"", "from 1k to 4g" },
	{ "room = 4M\n", 1, "room is \"4M\"", "32k, 4m or 1g" },
	{ "room = k\n", 1, "room is \"k\"", "32k, 4m or 1g" },
	{ "room = 9223372036854775807g\n", 1, "room is \"922", "from 1k to 4g" },
	{ "open = true\n", 1, "open is \"true\"", "yes or no" },
	{ "open = Yes\n", 1, "open is \"Yes\"", "yes or no" },
	{ "name = 123456789012345678901\n", 1, "name is \"123456789012345678901\"", "0 to 20 bytes" },
	{ "name = a\tb\n", 1, "name is", "without control characters" },
	{ "source = sys\n", 1, "source is \"sys\"", "one of system replay none" },
	{ "source = systemd\n", 1, "source is \"systemd\"", "one of system replay none" },
	{ "source = system|replay\n", 1, "source is \"system|replay\"", "one of system replay none" },
	{ "source =\n", 1, "source is \"\"", "one of system replay none" },
	{ "name = \x1b[2J\n", 1, "a control character", "expected key = value in UTF-8" },
	{ "open = yes\nname = caf\xe9\n", 2, "bytes that are not UTF-8", "expected key = value in UTF-8" },
};

static void test_every_mistake_is_told(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		char where[256];

		assert_false(read_text(f, mistakes[i].file));
		assert_int_equal(f->problems.count, 1);
		snprintf(where, sizeof where, "%s:%d: ", f->path, mistakes[i].line);

		const char *said = f->problems.lines[0];

		if (strncmp(said, where, strlen(where)) != 0 || !strstr(said, mistakes[i].found) ||
		    !strstr(said, mistakes[i].expected))
			fail_msg("mistake %zu was told as: %s", i, said);
		problems_close(&f->problems);
	}
}

static void test_all_mistakes_of_a_file_in_order(void **state)
{
	struct fixture *f = *state;

	assert_false(read_text(f, "port = x\nname = good\nopen = maybe\nfoo\n"));
	assert_int_equal(f->problems.count, 3);
	assert_non_null(strstr(f->problems.lines[0], "test.conf:1: "));
	assert_non_null(strstr(f->problems.lines[1], "test.conf:3: "));
	assert_non_null(strstr(f->problems.lines[2], "test.conf:4: "));
	assert_int_equal(f->target.port, 7311);
	assert_string_equal(f->target.name, "good");
}

static void test_long_values_are_shown_cut(void **state)
{
	struct fixture *f = *state;
	char line[400] = "port = ";

	memset(line + 7, 'x', 300);
	assert_false(read_text(f, line));
	assert_non_null(strstr(f->problems.lines[0], "xxx\"...; expected a whole number"));
	assert_true(strlen(f->problems.lines[0]) < 300);
}

static void test_overlong_lines(void **state)
{
	struct fixture *f = *state;
	static char file[20000];

	memset(file, '#', 10000);
	strcpy(file + 10000, "\nport = 81\n");
	assert_false(read_text(f, file));
	assert_int_equal(f->problems.count, 1);
	assert_non_null(strstr(f->problems.lines[0], "test.conf:1: a line of 10000 bytes; expected at most 4096"));
	assert_int_equal(f->target.port, 81);
	/* Just fitting is fine. */
	problems_close(&f->problems);
	file[4096] = '\0';
	assert_true(read_text(f, file));
	strcpy(file + 4096, "\r\nport = 82\r\n");
	assert_true(read_text(f, file));
	assert_int_equal(f->target.port, 82);
}

static void test_nul_bytes(void **state)
{
	struct fixture *f = *state;
	static const char bytes[] = "port = 80\0xyz\nopen = yes\n";

	write_bytes(f, bytes, sizeof bytes - 1);
	assert_false(settings_read(rows, &f->target, f->path, &f->problems));
	assert_int_equal(f->problems.count, 1);
	assert_non_null(strstr(f->problems.lines[0], "test.conf:1: a control character"));
	assert_int_equal(f->target.port, 7311);
	assert_true(f->target.open);
}

static void test_no_file(void **state)
{
	struct fixture *f = *state;

	assert_false(settings_read(rows, &f->target, f->path, &f->problems));
	assert_int_equal(f->problems.count, 1);
	assert_non_null(strstr(f->problems.lines[0], "test.conf: cannot be opened: No such file"));
	assert_false(settings_read(rows, &f->target, f->folder, &f->problems));
	assert_int_equal(f->problems.count, 2);
	assert_non_null(strstr(f->problems.lines[1], "cannot be read: Is a directory"));
}

static void test_assign(void **state)
{
	struct fixture *f = *state;
	static const char *const wrong[] = { "port", "", "=5", "# port=5", "port=x", "prot=5", "name=a\nb" };

	assert_true(settings_assign(rows, &f->target, "port=81", "command line", &f->problems));
	assert_true(settings_assign(rows, &f->target, "port = 82", "command line", &f->problems));
	assert_int_equal(f->target.port, 82);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_false(settings_assign(rows, &f->target, wrong[i], "command line", &f->problems));
		assert_int_equal(f->problems.count, i + 1);
		assert_ptr_equal(strstr(f->problems.lines[i], "command line: "), f->problems.lines[i]);
	}
	assert_int_equal(f->target.port, 82);
}

static void test_many_problems_are_counted(void **state)
{
	struct fixture *f = *state;
	struct problems *p = &f->problems;

	for (int i = 1; i <= PROBLEMS_MOST; i++)
		problems_add(p, "f", i, "bad %d", i);
	assert_int_equal(p->count, PROBLEMS_MOST);
	assert_string_equal(p->lines[PROBLEMS_MOST - 1], "f:200: bad 200");
	problems_add(p, "f", 201, "bad");
	assert_int_equal(p->count, PROBLEMS_MOST + 1);
	assert_string_equal(p->lines[PROBLEMS_MOST], "and 1 further problems");
	for (int i = 0; i < 41; i++)
		problems_add(p, "f", 0, "bad");
	assert_int_equal(p->count, PROBLEMS_MOST + 1);
	assert_string_equal(p->lines[PROBLEMS_MOST], "and 42 further problems");
	/* A list that no longer grows must not turn a bad file into a good one, nor a good one into a bad. */
	assert_false(read_text(f, "port = x\n"));
	assert_true(read_text(f, "port = 5\n"));
}

static void test_problems_print(void **state)
{
	struct fixture *f = *state;
	char *out = NULL;
	size_t length;
	FILE *to = open_memstream(&out, &length);

	problems_add(&f->problems, "a.conf", 3, "found %s; expected %s", "x", "y");
	problems_add(&f->problems, "a.conf", 0, "whole file");
	problems_warn(&f->problems, "b.csv", 7, "ends in %d days", 9);
	problems_print(&f->problems, to);
	fclose(to);
	assert_string_equal(out, "a.conf:3: found x; expected y\na.conf: whole file\n"
	                         "b.csv:7: warning: ends in 9 days\n");
	assert_int_equal(f->problems.count, 2); /* a warning stops nothing */
	free(out);
}

static char *printed(const struct target *target)
{
	char *out = NULL;
	size_t length;
	FILE *to = open_memstream(&out, &length);

	settings_print(rows, target, to);
	fclose(to);
	return out;
}

/* What is printed is a file that reads back to the same. */
static void test_print_reads_back(void **state)
{
	struct fixture *f = *state;
	static const char *const files[] = {
		"",
		"port = 1\nwait = 1500ms\nroom = 1025\nopen = yes\nname = Grid 7\nsource = system\n",
		"wait = 7d\nroom = 4g\nsource = none\n",
		"wait = 61s\nroom = 3m\n",
	};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct target again;

		assert_true(read_text(f, files[i]));

		char *first = printed(&f->target);

		write_bytes(f, first, strlen(first));
		settings_defaults(rows, &again);
		assert_true(settings_read(rows, &again, f->path, &f->problems));

		char *second = printed(&again);

		assert_string_equal(first, second);
		assert_int_equal(again.wait, f->target.wait);
		assert_int_equal(again.room, f->target.room);
		assert_int_equal(again.source, f->target.source);
		settings_close(rows, &again);
		free(first);
		free(second);
	}
}

static void test_print(void **state)
{
	struct fixture *f = *state;
	char *out = printed(&f->target);

	assert_string_equal(out, "# Where to listen.\nport = 7311\n\n# How long to wait.\nwait = 90s\n\n"
	                         "# How much to keep.\nroom = 32k\n\n# Whether anyone may come in.\nopen = no\n\n"
	                         "# What it is called.\nname = \n\n# Whose time.\nsource = replay\n\n");
	free(out);
}

#define WITH_FILE(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILE(test_defaults),
		WITH_FILE(test_a_whole_file),
		WITH_FILE(test_what_is_not_named_stays),
		WITH_FILE(test_texts_are_replaced),
		WITH_FILE(test_every_mistake_is_told),
		WITH_FILE(test_all_mistakes_of_a_file_in_order),
		WITH_FILE(test_long_values_are_shown_cut),
		WITH_FILE(test_overlong_lines),
		WITH_FILE(test_nul_bytes),
		WITH_FILE(test_no_file),
		WITH_FILE(test_assign),
		WITH_FILE(test_many_problems_are_counted),
		WITH_FILE(test_problems_print),
		WITH_FILE(test_print_reads_back),
		WITH_FILE(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
