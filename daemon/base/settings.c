#include "base/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/limit.h"
#include "base/text.h"

#define LINE_MOST 4096 /* bytes of one line of a file */
#define TEXT_MOST 1024 /* bytes of a text whose row names no bound */
#define SHOWN_MOST 60  /* bytes of a wrong value that a problem repeats */
#define PROBLEM_SIZE 512

/* ---- one type after the other: how it is read, printed, and what a problem says was expected ---- */

struct kind {
	_Bool (*parse)(const struct setting *row, void *field, const char *value);
	void (*print)(const struct setting *row, const void *field, FILE *to);
	void (*expect)(const struct setting *row, char *out, size_t size);
};

struct suffix {
	const char *name;
	int64_t factor;
};

/* Largest first: printing takes the first that divides. */
static const struct suffix span_suffixes[] = {
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 },
};
static const struct suffix size_suffixes[] = {
	{ "g", 1 << 30 }, { "m", 1 << 20 }, { "k", 1 << 10 }, { "", 1 }, { NULL, 0 },
};

static const struct suffix *fitting_suffix(const struct suffix *among, int64_t value)
{
	while (value % among->factor != 0)
		among++;
	return among;
}

static void format_scaled(const struct suffix *among, int64_t value, char *out, size_t size)
{
	/* Zero is divided by every unit; "0s" reads better than "0d". */
	const struct suffix *suffix = fitting_suffix(among, value);

	if (value == 0)
		suffix = among == span_suffixes ? &span_suffixes[3] : &size_suffixes[3];
	snprintf(out, size, "%" PRId64 "%s", value / suffix->factor, suffix->name);
}

static _Bool is_within(const struct setting *row, int64_t value)
{
	return value >= row->least && value <= row->most;
}

static _Bool parse_int(const struct setting *row, void *field, const char *value)
{
	return text_to_int(value, row->least, row->most, field);
}

static void print_int(const struct setting *row, const void *field, FILE *to)
{
	(void)row;
	fprintf(to, "%" PRId64, *(const int64_t *)field);
}

static void expect_int(const struct setting *row, char *out, size_t size)
{
	snprintf(out, size, "a whole number from %" PRId64 " to %" PRId64, row->least, row->most);
}

static _Bool parse_span(const struct setting *row, void *field, const char *value)
{
	int64_t ms;

	if (!text_to_span(value, &ms) || !is_within(row, ms))
		return 0;
	*(int64_t *)field = ms;
	return 1;
}

static void print_span(const struct setting *row, const void *field, FILE *to)
{
	char text[32];

	(void)row;
	format_scaled(span_suffixes, *(const int64_t *)field, text, sizeof text);
	fputs(text, to);
}

static void expect_span(const struct setting *row, char *out, size_t size)
{
	char least[32], most[32];

	format_scaled(span_suffixes, row->least, least, sizeof least);
	format_scaled(span_suffixes, row->most, most, sizeof most);
	snprintf(out, size, "a span of time such as 90s, 15m, 4h or 7d, from %s to %s", least, most);
}

static _Bool parse_limit(const struct setting *row, void *field, const char *value)
{
	struct limit limit;

	if (!limit_parse(value, &limit) || !is_within(row, limit.amount))
		return 0;
	*(struct limit *)field = limit;
	return 1;
}

static void print_limit(const struct setting *row, const void *field, FILE *to)
{
	char text[LIMIT_TEXT_SIZE];

	(void)row;
	limit_text(*(const struct limit *)field, text);
	fputs(text, to);
}

static void expect_limit(const struct setting *row, char *out, size_t size)
{
	char least[LIMIT_TEXT_SIZE], most[LIMIT_TEXT_SIZE];

	limit_text((struct limit){ row->least, LIMIT_CLOCK }, least);
	limit_text((struct limit){ row->most, LIMIT_CLOCK }, most);
	snprintf(out, size, "a span of time such as 90s, 15m, 4h or 7d, or 2uh, 1nd, 4wh or 2wd, from %s to %s", least,
	         most);
}

static _Bool parse_size(const struct setting *row, void *field, const char *value)
{
	char *end;

	if (*value < '0' || *value > '9')
		return 0;
	errno = 0;

	long long number = strtoll(value, &end, 10);
	const struct suffix *suffix = size_suffixes;

	while (suffix->name && strcmp(suffix->name, end) != 0)
		suffix++;
	if (errno != 0 || !suffix->name || number > INT64_MAX / suffix->factor ||
	    !is_within(row, number * suffix->factor))
		return 0;
	*(int64_t *)field = number * suffix->factor;
	return 1;
}

static void print_size(const struct setting *row, const void *field, FILE *to)
{
	char text[32];

	(void)row;
	format_scaled(size_suffixes, *(const int64_t *)field, text, sizeof text);
	fputs(text, to);
}

static void expect_size(const struct setting *row, char *out, size_t size)
{
	char least[32], most[32];

	format_scaled(size_suffixes, row->least, least, sizeof least);
	format_scaled(size_suffixes, row->most, most, sizeof most);
	snprintf(out, size, "a size in bytes such as 500, 32k, 4m or 1g, from %s to %s", least, most);
}

static _Bool parse_bool(const struct setting *row, void *field, const char *value)
{
	_Bool yes = strcmp(value, "yes") == 0;

	(void)row;
	if (!yes && strcmp(value, "no") != 0)
		return 0;
	*(_Bool *)field = yes;
	return 1;
}

static void print_bool(const struct setting *row, const void *field, FILE *to)
{
	(void)row;
	fputs(*(const _Bool *)field ? "yes" : "no", to);
}

static void expect_bool(const struct setting *row, char *out, size_t size)
{
	(void)row;
	snprintf(out, size, "yes or no");
}

static size_t text_bound(const struct setting *row)
{
	return row->most > 0 ? (size_t)row->most : TEXT_MOST;
}

static _Bool parse_text(const struct setting *row, void *field, const char *value)
{
	size_t length = strlen(value);
	char **text = field;

	if (length > text_bound(row) || (int64_t)length < row->least ||
	    !text_is(TEXT_LINE, (const uint8_t *)value, length))
		return 0;
	free(*text);
	*text = must_strdup(value);
	return 1;
}

static void print_text(const struct setting *row, const void *field, FILE *to)
{
	const char *text = *(char *const *)field;

	(void)row;
	fputs(text ? text : "", to);
}

static void expect_text(const struct setting *row, char *out, size_t size)
{
	snprintf(out, size, "a text of %" PRId64 " to %zu bytes without control characters",
	         row->least > 0 ? row->least : 0, text_bound(row));
}

/* The words of "system|replay" one by one: *word is where the next begins; 0 at the end. */
static size_t next_word(const char **word)
{
	*word += **word == '|';
	return strcspn(*word, "|");
}

static _Bool parse_word(const struct setting *row, void *field, const char *value)
{
	int index = 0;
	size_t length;

	for (const char *word = row->more; (length = next_word(&word)) > 0; word += length, index++) {
		if (strlen(value) == length && memcmp(value, word, length) == 0) {
			*(int *)field = index;
			return 1;
		}
	}
	return 0;
}

static void print_word(const struct setting *row, const void *field, FILE *to)
{
	int index = 0;
	size_t length;

	for (const char *word = row->more; (length = next_word(&word)) > 0; word += length)
		if (index++ == *(const int *)field)
			fprintf(to, "%.*s", (int)length, word);
}

static void expect_word(const struct setting *row, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "one of"), length;

	for (const char *word = row->more; (length = next_word(&word)) > 0 && used < size; word += length)
		used += (size_t)snprintf(out + used, size - used, " %.*s", (int)length, word);
}

static _Bool parse_own(const struct setting *row, void *field, const char *value)
{
	const struct setting_own *own = row->more;

	return own->parse(value, field);
}

static void print_own(const struct setting *row, const void *field, FILE *to)
{
	const struct setting_own *own = row->more;

	own->print(field, to);
}

static void expect_own(const struct setting *row, char *out, size_t size)
{
	const struct setting_own *own = row->more;

	snprintf(out, size, "%s", own->expected);
}

static const struct kind kinds[] = {
	[SETTING_INT] = { parse_int, print_int, expect_int },
	[SETTING_SPAN] = { parse_span, print_span, expect_span },
	[SETTING_LIMIT] = { parse_limit, print_limit, expect_limit },
	[SETTING_SIZE] = { parse_size, print_size, expect_size },
	[SETTING_BOOL] = { parse_bool, print_bool, expect_bool },
	[SETTING_TEXT] = { parse_text, print_text, expect_text },
	[SETTING_WORD] = { parse_word, print_word, expect_word },
	[SETTING_OWN] = { parse_own, print_own, expect_own },
};

void settings_expected(const struct setting *row, char *out, size_t size)
{
	kinds[row->type].expect(row, out, size);
}

static void *field_of(const struct setting *row, void *target)
{
	return (char *)target + row->offset;
}

void settings_defaults(const struct setting *rows, void *target)
{
	for (const struct setting *row = rows; row->key; row++) {
		void *field = field_of(row, target);

		/* A fresh target may hold anything, and a text's parser frees what was there. */
		if (row->type == SETTING_TEXT)
			*(char **)field = NULL;
		must(kinds[row->type].parse(row, field, row->fallback ? row->fallback : ""));
	}
}

/* ---- reading ---- */

/* Where a line came from, and which keys came before it. */
struct source {
	const struct setting *rows;
	void *target;
	const char *file;
	int line;
	int *seen; /* line of the first mention by row, 0 for none; NULL: doubling is allowed */
	struct problems *problems;
	_Bool failed; /* a full list of problems no longer grows, so its length cannot tell */
};

static void complain(struct source *s, const char *format, ...) PRINTF_LIKE(2, 3);

static void complain(struct source *s, const char *format, ...)
{
	char text[PROBLEM_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	problems_add(s->problems, s->file, s->line, "%s", text);
	s->failed = 1;
}

static char *trim(char *text)
{
	static const char blanks[] = " \t\r\n";

	text += strspn(text, blanks);
	for (size_t n = strlen(text); n > 0 && strchr(blanks, text[n - 1]); n--)
		text[n - 1] = '\0';
	return text;
}

static const struct setting *find_row(const struct setting *rows, const char *key)
{
	for (const struct setting *row = rows; row->key; row++)
		if (strcmp(row->key, key) == 0)
			return row;
	return NULL;
}

/* Whether the key may be set here: known, and not set before in this file. */
static const struct setting *admit_key(struct source *s, const char *key)
{
	const struct setting *row = find_row(s->rows, key);

	if (!row) {
		complain(s, "unknown key \"%.*s\"; expected one of the documented keys", (int)text_cut(key, SHOWN_MOST),
		         key);
		return NULL;
	}
	if (!s->seen)
		return row;

	int *first = &s->seen[row - s->rows];

	if (*first) {
		complain(s, "key \"%s\" is given again; expected it once, as in line %d", key, *first);
		return NULL;
	}
	*first = s->line;
	return row;
}

static void read_pair(struct source *s, char *pair)
{
	char expected[SETTING_EXPECTED_SIZE];
	char *equals = strchr(pair, '=');

	if (!equals || equals == pair) {
		complain(s, "found \"%.*s\"; expected key = value", (int)text_cut(pair, SHOWN_MOST), pair);
		return;
	}
	*equals = '\0';

	const char *key = trim(pair), *value = trim(equals + 1);
	const struct setting *row = admit_key(s, key);

	if (!row || kinds[row->type].parse(row, field_of(row, s->target), value))
		return;
	settings_expected(row, expected, sizeof expected);
	complain(s, "%s is \"%.*s\"%s; expected %s", key, (int)text_cut(value, SHOWN_MOST), value,
	         strlen(value) > SHOWN_MOST ? "..." : "", expected);
}

static _Bool is_readable(struct source *s, const char *line, size_t length)
{
	if (length > LINE_MOST) {
		complain(s, "a line of %zu bytes; expected at most %d", length, LINE_MOST);
		return 0;
	}
	/* Such bytes are not repeated, for a problem ends up on a terminal. */
	if (!text_is(TEXT_PROSE, (const uint8_t *)line, length)) {
		complain(s, "a control character or bytes that are not UTF-8; expected key = value in UTF-8");
		return 0;
	}
	return 1;
}

/* length bytes at line, with a terminator behind them. */
static void read_line(struct source *s, char *line, size_t length)
{
	if (!is_readable(s, line, length))
		return;

	char *pair = trim(line);

	if (*pair != '#' && *pair != '\0')
		read_pair(s, pair);
}

/* One line without its end; bytes beyond the buffer are counted but not kept. false at the file's end. */
static _Bool fetch_line(FILE *from, char line[LINE_MOST + 2], size_t *length)
{
	int c, last = EOF;

	for (*length = 0; (c = getc_unlocked(from)) != EOF && c != '\n'; ++*length) {
		last = c;
		if (*length <= LINE_MOST)
			line[*length] = (char)c;
	}
	if (c == EOF && *length == 0)
		return 0;
	*length -= last == '\r';
	line[*length <= LINE_MOST ? *length : LINE_MOST] = '\0';
	return 1;
}

static void read_lines(struct source *s, FILE *from)
{
	static const char mark[] = "\xef\xbb\xbf";
	char line[LINE_MOST + 2];
	size_t length;

	while (fetch_line(from, line, &length)) {
		/* Editors of one system put a byte-order mark before the first line. */
		size_t skip = s->line == 0 && length >= 3 && memcmp(line, mark, 3) == 0 ? 3 : 0;

		s->line++;
		read_line(s, line + skip, length - skip);
	}
	if (!ferror(from))
		return;
	s->line = 0;
	complain(s, "cannot be read: %s; expected a text file", strerror(errno));
}

static size_t count_rows(const struct setting *rows)
{
	size_t count = 0;

	while (rows[count].key)
		count++;
	return count;
}

_Bool settings_read(const struct setting *rows, void *target, const char *path, struct problems *p)
{
	struct source s = { .rows = rows, .target = target, .file = path, .problems = p };
	FILE *from = fopen(path, "re");

	if (!from) {
		complain(&s, "cannot be opened: %s; expected a readable file", strerror(errno));
		return 0;
	}
	s.seen = must_calloc(count_rows(rows), sizeof *s.seen);
	read_lines(&s, from);
	free(s.seen);
	fclose(from);
	return !s.failed;
}

_Bool settings_assign(const struct setting *rows, void *target, const char *assignment, const char *origin,
                      struct problems *p)
{
	struct source s = { .rows = rows, .target = target, .file = origin, .problems = p };
	char *line = must_strdup(assignment);

	if (is_readable(&s, line, strlen(line)))
		read_pair(&s, trim(line));
	free(line);
	return !s.failed;
}

void settings_print(const struct setting *rows, const void *target, FILE *to)
{
	for (const struct setting *row = rows; row->key; row++) {
		fprintf(to, "# %s\n%s = ", row->help ? row->help : row->key, row->key);
		kinds[row->type].print(row, (const char *)target + row->offset, to);
		fputs("\n\n", to);
	}
}

void settings_close(const struct setting *rows, void *target)
{
	for (const struct setting *row = rows; row->key; row++) {
		if (row->type != SETTING_TEXT)
			continue;

		char **text = field_of(row, target);

		free(*text);
		*text = NULL;
	}
}

/* The value as it would be written, on the heap: two that are written alike are the same, whatever lies between fields. */
static char *written(const struct setting *row, const void *target)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	must(to != NULL);
	kinds[row->type].print(row, (const char *)target + row->offset, to);
	must(ferror(to) == 0);
	/* glibc's fclose says that all is well when it had no memory left for the text. */
	must(fclose(to) == 0 && text != NULL);
	return text;
}

_Bool settings_same(const struct setting *row, const void *a, const void *b)
{
	char *left = written(row, a), *right = written(row, b);
	_Bool same = strcmp(left, right) == 0;

	free(left);
	free(right);
	return same;
}
