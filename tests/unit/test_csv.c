#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/csv.h"

struct fixture {
	char folder[128], path[160];
	struct csv *csv;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const char *base = getenv("TMPDIR");

	if (!f)
		return -1;
	snprintf(f->folder, sizeof f->folder, "%.90s/csv-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->path, sizeof f->path, "%s/rows.csv", f->folder);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	csv_close(f->csv);
	unlink(f->path);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void write_plain(struct fixture *f, const char *bytes, size_t length)
{
	FILE *to = fopen(f->path, "w");

	assert_non_null(to);
	assert_int_equal(fwrite(bytes, 1, length, to), length);
	assert_int_equal(fclose(to), 0);
}

static void write_gzip(struct fixture *f, const char *bytes, size_t length)
{
	gzFile to = gzopen(f->path, "w");

	assert_non_null(to);
	assert_int_equal(gzwrite(to, bytes, (unsigned)length), length);
	assert_int_equal(gzclose(to), Z_OK);
}

static struct csv *reopen(struct fixture *f)
{
	char *cause = NULL;

	csv_close(f->csv);
	f->csv = csv_open(f->path, &cause);
	if (!f->csv)
		fail_msg("%s", cause);
	return f->csv;
}

static struct csv *with_text(struct fixture *f, const char *text)
{
	write_plain(f, text, strlen(text));
	return reopen(f);
}

/* The row that comes next must have just these fields. */
static void expect_row(struct csv *c, int line, const char *const *fields, int count)
{
	if (csv_next(c) != 1)
		fail_msg("no row in line %d: %s", line, csv_error(c));
	assert_int_equal(csv_line(c), line);
	for (int i = 0; i < count; i++)
		assert_string_equal(csv_field(c, i), fields[i]);
	assert_string_equal(csv_field(c, count), "");
}

#define ROW(c, line, ...)                                                                                              \
	expect_row(c, line, (const char *const[]){ __VA_ARGS__ },                                                      \
	           sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))

static void expect_broken(struct csv *c, int line, const char *why)
{
	assert_int_equal(csv_next(c), -1);
	assert_int_equal(csv_line(c), line);
	if (!strstr(csv_error(c), why))
		fail_msg("\"%s\" does not say \"%s\"", csv_error(c), why);
	/* Nothing of a broken row is given out. */
	assert_string_equal(csv_field(c, 0), "");
}

static void expect_end(struct csv *c)
{
	assert_int_equal(csv_next(c), 0);
	assert_int_equal(csv_next(c), 0);
	assert_string_equal(csv_field(c, 0), "");
}

static void test_plain_rows(void **state)
{
	struct csv *c = with_text(*state, "id,name,lat\n1,one,42.1\n2,,\n");

	assert_int_equal(csv_columns(c), 3);
	assert_string_equal(csv_name(c, 0), "id");
	assert_string_equal(csv_name(c, 2), "lat");
	assert_string_equal(csv_name(c, 3), "");
	assert_string_equal(csv_name(c, -1), "");
	assert_int_equal(csv_column(c, "name"), 1);
	assert_int_equal(csv_column(c, "Name"), -1);
	assert_int_equal(csv_column(c, "nam"), -1);
	assert_string_equal(csv_field(c, 0), "");
	ROW(c, 2, "1", "one", "42.1");
	assert_string_equal(csv_field(c, -1), "");
	assert_string_equal(csv_field(c, 1000), "");
	ROW(c, 3, "2", "", "");
	expect_end(c);
}

static void test_line_ends(void **state)
{
	struct csv *c = with_text(*state, "a,b\r\n1,2\r\n\"3\",\"4\"\r\n5,6\n7,8");

	assert_string_equal(csv_name(c, 1), "b");
	ROW(c, 2, "1", "2");
	ROW(c, 3, "3", "4");
	ROW(c, 4, "5", "6");
	ROW(c, 5, "7", "8");
	expect_end(c);
	/* A carriage return that ends no line belongs to its field. */
	c = with_text(*state, "a,b\n1\r2,3\r\r\n");
	ROW(c, 2, "1\r2", "3\r");
	expect_end(c);
}

static void test_quotes(void **state)
{
	struct csv *c = with_text(*state, "a,\"b,c\"\n\"x,y\",\"say \"\"no\"\"\"\n\"\",\"\"\"\"\n12\" pipe,\"z\"\n");

	assert_int_equal(csv_column(c, "b,c"), 1);
	ROW(c, 2, "x,y", "say \"no\"");
	ROW(c, 3, "", "\"");
	ROW(c, 4, "12\" pipe", "z");
	expect_end(c);
}

static void test_newlines_inside_quotes(void **state)
{
	struct csv *c = with_text(*state, "a,b\n\"one\ntwo\r\n\nfour\",2\n3,\"#\n# no comment\"\n5,6\n");

	ROW(c, 2, "one\ntwo\r\n\nfour", "2");
	ROW(c, 6, "3", "#\n# no comment");
	ROW(c, 8, "5", "6");
	expect_end(c);
}

static void test_mark_comments_and_blank_lines(void **state)
{
	struct csv *c = with_text(*state, "\xef\xbb\xbf# source\n\n\r\na,b\n# c,d\n1,#2\n\n\"\",\n#end");

	assert_int_equal(csv_columns(c), 2);
	assert_int_equal(csv_column(c, "a"), 0);
	ROW(c, 6, "1", "#2");
	ROW(c, 8, "", "");
	expect_end(c);
	c = with_text(*state, "\xef\xbb\xbf\"a\",b\n1,2\n");
	assert_int_equal(csv_column(c, "a"), 0);
	ROW(c, 2, "1", "2");
	/* An empty field in quotes is a row even when it is all there is. */
	c = with_text(*state, "a\n\"\"\n\nx\n");
	ROW(c, 2, "");
	ROW(c, 4, "x");
	expect_end(c);
}

static void test_column_counts(void **state)
{
	struct csv *c = with_text(*state, "a,b,c\n1\n1,2\n1,2,3\n1,2,3,4\n1,2,3,\n4,5,6\n");

	ROW(c, 2, "1", "", "");
	ROW(c, 3, "1", "2", "");
	ROW(c, 4, "1", "2", "3");
	expect_broken(c, 5, "4 fields; the header has 3");
	expect_broken(c, 6, "4 fields; the header has 3");
	ROW(c, 7, "4", "5", "6");
	expect_end(c);
}

static void test_broken_quotes(void **state)
{
	struct csv *c = with_text(*state, "a,b\n\"x\"y,2\n3,4\n\"x\" ,5\n6,7\n8,\"open\n9,10\n");

	expect_broken(c, 2, "follows a closing quote");
	ROW(c, 3, "3", "4");
	expect_broken(c, 4, "follows a closing quote");
	ROW(c, 5, "6", "7");
	expect_broken(c, 6, "ends inside quotes");
	expect_end(c);
}

static void test_nul_bytes(void **state)
{
	struct fixture *f = *state;
	static const char bytes[] = "a,b\n1\0,2\n3,4\n";

	write_plain(f, bytes, sizeof bytes - 1);

	struct csv *c = reopen(f);

	expect_broken(c, 2, "NUL");
	ROW(c, 3, "3", "4");
	expect_end(c);
}

/* A file of one long row between two short ones; gives its length. */
static size_t make_long(char *out, size_t bytes, _Bool quoted)
{
	char *at = out + sprintf(out, "a,b\n1,2\n%s", quoted ? "\"" : "");

	memset(at, 'x', bytes);
	at += bytes;
	at += sprintf(at, "%s,\n3,4\n", quoted ? "\"" : "");
	return (size_t)(at - out);
}

static void test_row_bound(void **state)
{
	struct fixture *f = *state;
	char *bytes = malloc(3 * CSV_ROW_MOST);

	assert_non_null(bytes);
	for (int quoted = 0; quoted < 2; quoted++) {
		/* The comma counts too. */
		for (size_t length = CSV_ROW_MOST - 3; length <= CSV_ROW_MOST + 3; length++) {
			write_plain(f, bytes, make_long(bytes, length, quoted));

			struct csv *c = reopen(f);

			ROW(c, 2, "1", "2");
			if (length < CSV_ROW_MOST) {
				assert_int_equal(csv_next(c), 1);
				assert_int_equal(strlen(csv_field(c, 0)), length);
			} else {
				expect_broken(c, 3, "longer than 65536 bytes");
			}
			ROW(c, 4, "3", "4");
			expect_end(c);
		}
	}
	free(bytes);
}

static void test_a_lost_quote_does_not_eat_the_file(void **state)
{
	struct fixture *f = *state;
	enum { ROWS = 20000 };
	char *bytes = malloc(ROWS * 16), *at = bytes;
	int read = 0, broken = 0, outcome;

	assert_non_null(bytes);
	at += sprintf(at, "a,b\n1,\"lost\n");
	for (int i = 0; i < ROWS; i++)
		at += sprintf(at, "%06d,x\n", i);
	write_plain(f, bytes, (size_t)(at - bytes));
	reopen(f);
	while ((outcome = csv_next(f->csv)) != 0) {
		read += outcome == 1;
		broken += outcome < 0;
	}
	assert_int_equal(broken, 1);
	assert_true(read > ROWS - CSV_ROW_MOST / 9 - 2 && read < ROWS);
	assert_string_equal(csv_field(f->csv, 0), "");
	free(bytes);
}

static void test_most_columns(void **state)
{
	struct fixture *f = *state;
	char text[CSV_COLUMNS_MOST * 16], *at = text, *cause = NULL;

	for (int i = 0; i < CSV_COLUMNS_MOST; i++)
		at += sprintf(at, "%sc%d", i ? "," : "", i);
	strcpy(at, "\n1,2\n");
	assert_int_equal(csv_columns(with_text(f, text)), CSV_COLUMNS_MOST);
	assert_int_equal(csv_column(f->csv, "c63"), 63);
	ROW(f->csv, 2, "1", "2");
	strcpy(at, ",more\n1,2\n");
	write_plain(f, text, strlen(text));
	assert_null(csv_open(f->path, &cause));
	assert_non_null(strstr(cause, "65 fields; at most 64"));
	free(cause);
	/* A row may have far more commas than there is room to note fields. */
	strcpy(at, "\n");
	write_plain(f, text, strlen(text));

	FILE *to = fopen(f->path, "a");

	for (int i = 0; i < 5000; i++)
		putc(',', to);
	fputs("\nx\n", to);
	fclose(to);
	reopen(f);
	expect_broken(f->csv, 2, "5001 fields");
	ROW(f->csv, 3, "x");
}

static void expect_no_open(struct fixture *f, const char *path, const char *why)
{
	char *cause = NULL;

	(void)f;
	assert_null(csv_open(path, &cause));
	assert_non_null(cause);
	if (!strstr(cause, why) || !strstr(cause, path))
		fail_msg("\"%s\" does not say \"%s\"", cause, why);
	free(cause);
}

static void test_cannot_open(void **state)
{
	struct fixture *f = *state;

	expect_no_open(f, f->path, "No such file");
	expect_no_open(f, f->folder, "Is a directory");
	write_plain(f, "", 0);
	expect_no_open(f, f->path, "empty");
	write_plain(f, "# only\n\n", 8);
	expect_no_open(f, f->path, "empty");
	write_plain(f, "\xef\xbb\xbf", 3);
	expect_no_open(f, f->path, "empty");
	write_plain(f, "a,b,a\n", 6);
	expect_no_open(f, f->path, "\"a\" is there twice");
	write_plain(f, "a,\"b\n", 5);
	expect_no_open(f, f->path, "inside quotes");
	csv_close(NULL);
}

static void test_gzip(void **state)
{
	struct fixture *f = *state;
	const char *text = "\xef\xbb\xbf"
			   "a,b\n1,\"x\ny\"\n#2,z\n";

	write_gzip(f, text, strlen(text));

	struct csv *c = reopen(f);

	assert_int_equal(csv_column(c, "a"), 0);
	ROW(c, 2, "1", "x\ny");
	/* Comments are for files written by hand. */
	ROW(c, 4, "#2", "z");
	expect_end(c);
}

enum { MANY = 30000 };

/* Rows that do not compress away, so that a cut falls between them. */
static size_t make_many(char *out)
{
	unsigned random = 7;
	char *at = out + sprintf(out, "number,noise\n");

	for (int i = 0; i < MANY; i++) {
		random = random * 1103515245 + 12345;
		at += sprintf(at, "%d,\"%08x\"\n", i, random);
	}
	return (size_t)(at - out);
}

static long file_size(const char *path)
{
	FILE *file = fopen(path, "r");
	long size;

	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	fclose(file);
	return size;
}

/* Every row given out is whole and in turn; gives how many there were, and how many were broken. */
static int count_many(struct csv *c, int *broken)
{
	int read = 0, outcome;

	*broken = 0;
	while ((outcome = csv_next(c)) != 0) {
		if (outcome < 0) {
			++*broken;
			assert_true(*broken < 3);
			continue;
		}
		assert_int_equal(atoi(csv_field(c, 0)), read);
		assert_int_equal(strlen(csv_field(c, 1)), 8);
		read++;
	}
	return read;
}

static void test_cut_gzip(void **state)
{
	struct fixture *f = *state;
	char *bytes = malloc(MANY * 24);
	int broken;

	assert_non_null(bytes);
	write_gzip(f, bytes, make_many(bytes));
	assert_int_equal(count_many(reopen(f), &broken), MANY);
	assert_int_equal(broken, 0);

	/* In the data, before the checksum, inside it, and short of its last byte. */
	long size = file_size(f->path);
	const long cuts[] = { size / 2, size - 100, size - 8, size - 4, size - 1 };

	for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
		write_gzip(f, bytes, make_many(bytes));
		assert_int_equal(truncate(f->path, cuts[i]), 0);

		int read = count_many(reopen(f), &broken);

		assert_int_equal(broken, 1);
		assert_in_range(read, i == 0 ? 10000 : MANY - 200, i < 2 ? MANY - 1 : MANY);
	}
	free(bytes);
}

static void test_cut_gzip_says_so(void **state)
{
	struct fixture *f = *state;
	const char *text = "a,b\n1,2\n3,4\n";

	write_gzip(f, text, strlen(text));
	assert_int_equal(truncate(f->path, file_size(f->path) - 8), 0);

	struct csv *c = reopen(f);

	ROW(c, 2, "1", "2");
	ROW(c, 3, "3", "4");
	expect_broken(c, 4, "ends early");
	expect_end(c);
	/* Only a head is left: there is no header row to read. */
	write_gzip(f, text, strlen(text));
	assert_int_equal(truncate(f->path, 11), 0);
	expect_no_open(f, f->path, "ends early");
}

static void test_damaged_gzip(void **state)
{
	struct fixture *f = *state;
	char *bytes = malloc(MANY * 24);
	int broken;

	assert_non_null(bytes);
	write_gzip(f, bytes, make_many(bytes));

	/* A wrong checksum at the end. */
	FILE *file = fopen(f->path, "r+");

	assert_non_null(file);
	fseek(file, -8, SEEK_END);
	fputs("\1\2\3\4", file);
	fclose(file);

	int read = count_many(reopen(f), &broken);

	assert_int_equal(broken, 1);
	assert_in_range(read, MANY / 2, MANY);
	free(bytes);
}

static void test_progress(void **state)
{
	struct fixture *f = *state;
	char *bytes = malloc(MANY * 24);
	long done, size, last = 0;

	assert_non_null(bytes);
	write_gzip(f, bytes, make_many(bytes));
	reopen(f);
	while (csv_next(f->csv) == 1) {
		csv_progress(f->csv, &done, &size);
		assert_true(done >= last && done <= size);
		last = done;
	}
	csv_progress(f->csv, &done, &size);
	assert_int_equal(size, file_size(f->path));
	assert_int_equal(done, size);
	free(bytes);
}

/* Every file of up to six bytes out of those that matter: whatever comes, reading ends and stays in bounds. */
static void test_every_small_file(void **state)
{
	struct fixture *f = *state;
	static const char alphabet[] = ",\"\r\n#x";

	for (int number = 0; number < 6 * 6 * 6 * 6 * 6; number++) {
		char text[16] = "a,b\n", *cause = NULL;
		int rest = number, rows = 0;

		for (int i = 4; i < 9; i++, rest /= 6)
			text[i] = alphabet[rest % 6];
		write_plain(f, text + (number % 2) * 4, strlen(text) - (size_t)(number % 2) * 4);

		struct csv *c = csv_open(f->path, &cause);

		free(cause);
		while (c && csv_next(c) != 0)
			assert_true(++rows < 10);
		csv_close(c);
	}
}

#define WITH_FILE(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FILE(test_plain_rows),
		WITH_FILE(test_line_ends),
		WITH_FILE(test_quotes),
		WITH_FILE(test_newlines_inside_quotes),
		WITH_FILE(test_mark_comments_and_blank_lines),
		WITH_FILE(test_column_counts),
		WITH_FILE(test_broken_quotes),
		WITH_FILE(test_nul_bytes),
		WITH_FILE(test_row_bound),
		WITH_FILE(test_a_lost_quote_does_not_eat_the_file),
		WITH_FILE(test_most_columns),
		WITH_FILE(test_cannot_open),
		WITH_FILE(test_gzip),
		WITH_FILE(test_cut_gzip),
		WITH_FILE(test_cut_gzip_says_so),
		WITH_FILE(test_damaged_gzip),
		WITH_FILE(test_progress),
		WITH_FILE(test_every_small_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
