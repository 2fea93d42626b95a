#include "table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define GAP 2       /* spaces between columns */
#define LEGIBLE 12  /* as narrow as a text becomes before a column leaves */
#define NARROWEST 6 /* a column is not cut further */
#define TITLE_SIZE 64

struct cell {
	char *shown, *csv;
	enum tint tint;
};

struct table {
	const struct column *columns;
	size_t column_count;
	struct cell *cells;
	size_t count, room;
	_Bool hides_empty;
};

struct table *table_new(const struct column *columns, size_t count)
{
	struct table *t = must_calloc(1, sizeof *t);

	must(count > 0 && count <= TABLE_COLUMNS_MOST);
	t->columns = columns;
	t->column_count = count;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++) {
		free(t->cells[i].shown);
		free(t->cells[i].csv);
	}
	free(t->cells);
	free(t);
}

void table_cell_as(struct table *t, const char *shown, enum tint tint, const char *csv)
{
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 64;
		t->cells = must_realloc(t->cells, t->room * sizeof *t->cells);
	}

	struct cell *cell = &t->cells[t->count++];

	*cell = (struct cell){ must_strdup(shown), must_strdup(csv), tint };
	/* A line break inside a cell would break the row. */
	for (char *at = cell->shown; *at; at++)
		if (*at == '\n' || *at == '\t')
			*at = ' ';
}

void table_cell(struct table *t, const char *text)
{
	table_cell_as(t, text, TINT_NONE, NULL);
}

void table_cell_int(struct table *t, long long value)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", value);
	table_cell(t, text);
}

void table_hide_empty(struct table *t)
{
	t->hides_empty = 1;
}

size_t table_rows(const struct table *t)
{
	return t->count / t->column_count;
}

static const char *const tints[] = {
	[TINT_NONE] = "",        [TINT_GREEN] = "\033[32m", [TINT_YELLOW] = "\033[33m",
	[TINT_RED] = "\033[31m", [TINT_DIM] = "\033[2m",    [TINT_BOLD] = "\033[1m",
};

const char *tint_on(enum tint t, _Bool color)
{
	return color ? tints[t] : "";
}

const char *tint_off(enum tint t, _Bool color)
{
	return color && t != TINT_NONE ? "\033[0m" : "";
}

/* Bytes of the UTF-8 character that begins here. */
static size_t character_bytes(const char *text)
{
	size_t bytes = 1;

	while (((uint8_t)text[bytes] & 0xc0) == 0x80)
		bytes++;
	return bytes;
}

char *table_cut(const char *text, size_t most)
{
	size_t used = 0, at = 0;
	char one[16];

	if (text_columns(text) <= most || most == 0)
		return must_strdup(most == 0 ? "" : text);
	for (;;) {
		size_t bytes = character_bytes(text + at);

		snprintf(one, sizeof one, "%.*s", (int)bytes, text + at);
		used += text_columns(one);
		if (used > most - 1)
			break;
		at += bytes;
	}

	size_t size = at + sizeof "…";
	char *cut = must_calloc(1, size);

	snprintf(cut, size, "%.*s…", (int)at, text);
	return cut;
}

/* A title's second line, which is its only one when it has no line break: titles stand right above their cells. */
static const char *title_below(const char *title)
{
	const char *end = strchr(title, '\n');

	return end ? end + 1 : title;
}

/* A title's first line; "" when it has but one. */
static const char *title_above(const char *title, char out[TITLE_SIZE])
{
	const char *end = strchr(title, '\n');

	snprintf(out, TITLE_SIZE, "%.*s", end ? (int)(end - title) : 0, title);
	return out;
}

static size_t title_width(const char *title)
{
	char above[TITLE_SIZE];
	size_t upper = text_columns(title_above(title, above)), lower = text_columns(title_below(title));

	return upper > lower ? upper : lower;
}

static _Bool says_something(const struct table *t, size_t column)
{
	for (size_t i = column; i < t->count; i += t->column_count)
		if (t->cells[i].shown[0] != '\0' && strcmp(t->cells[i].shown, TABLE_NOTHING) != 0)
			return 1;
	return 0;
}

static void measure(const struct table *t, size_t *widths)
{
	for (size_t c = 0; c < t->column_count; c++)
		widths[c] = title_width(t->columns[c].title);
	for (size_t i = 0; i < t->count; i++) {
		size_t width = text_columns(t->cells[i].shown);

		if (width > widths[i % t->column_count])
			widths[i % t->column_count] = width;
	}
	for (size_t c = 0; t->hides_empty && c < t->column_count; c++)
		if (!says_something(t, c))
			widths[c] = 0;
}

static size_t total_width(const struct table *t, const size_t *widths)
{
	size_t total = 0;

	for (size_t c = 0; c < t->column_count; c++)
		total += widths[c] ? widths[c] + GAP : 0;
	return total > GAP ? total - GAP : 0;
}

/* The column to leave out next, or -1. A width of 0 marks a column that is left out. */
static int least_needed(const struct table *t, const size_t *widths)
{
	int found = -1;

	for (size_t c = 0; c < t->column_count; c++)
		if (widths[c] && t->columns[c].leave_out > (found < 0 ? 0 : t->columns[found].leave_out))
			found = (int)c;
	return found;
}

static int widest_shrinking(const struct table *t, const size_t *widths, size_t narrowest)
{
	int found = -1;

	for (size_t c = 0; c < t->column_count; c++)
		if (t->columns[c].shrinks && widths[c] > (found < 0 ? narrowest : widths[found]))
			found = (int)c;
	return found;
}

static _Bool shrink(const struct table *t, size_t *widths, size_t width, size_t narrowest)
{
	int column;

	while (total_width(t, widths) > width) {
		if ((column = widest_shrinking(t, widths, narrowest)) < 0)
			return 0;
		widths[column]--;
	}
	return 1;
}

/* Long texts give way first, down to a legible width; then columns leave, and the texts get the room they left. */
static int fit(const struct table *t, size_t *widths, size_t width)
{
	size_t natural[TABLE_COLUMNS_MOST];
	int left_out = 0, column;

	memcpy(natural, widths, t->column_count * sizeof *widths);
	while (width && !shrink(t, widths, width, LEGIBLE)) {
		column = least_needed(t, natural);
		if (column < 0) {
			(void)shrink(t, widths, width, NARROWEST);
			break;
		}
		natural[column] = 0;
		left_out++;
		memcpy(widths, natural, t->column_count * sizeof *widths);
	}
	return left_out;
}

/* A line being printed. Spaces wait until something follows them, so no line ends in any. */
struct line {
	FILE *to;
	size_t spaces;
	_Bool color;
};

static void put_text(struct line *l, const char *text, enum tint tint)
{
	if (text[0] == '\0')
		return;
	fprintf(l->to, "%*s%s%s%s", (int)l->spaces, "", tint_on(tint, l->color), text, tint_off(tint, l->color));
	l->spaces = 0;
}

static void put_cell(struct line *l, const char *text, size_t width, _Bool right, enum tint tint)
{
	char *cut = table_cut(text, width);
	size_t length = strlen(cut);

	while (length && cut[length - 1] == ' ')
		cut[--length] = '\0';

	size_t columns = text_columns(cut);
	size_t padding = columns < width ? width - columns : 0;

	l->spaces += right ? padding : 0;
	put_text(l, cut, tint);
	l->spaces += (right ? 0 : padding) + GAP;
	free(cut);
}

static void end_line(struct line *l)
{
	putc('\n', l->to);
	l->spaces = 0;
}

static void print_titles(const struct table *t, struct line *l, const size_t *widths)
{
	char above[TITLE_SIZE];
	_Bool two = 0;

	for (size_t c = 0; c < t->column_count; c++)
		two |= widths[c] && strchr(t->columns[c].title, '\n');
	for (size_t c = 0; two && c < t->column_count; c++)
		if (widths[c])
			put_cell(l, title_above(t->columns[c].title, above), widths[c], t->columns[c].right, TINT_BOLD);
	if (two)
		end_line(l);
	for (size_t c = 0; c < t->column_count; c++)
		if (widths[c])
			put_cell(l, title_below(t->columns[c].title), widths[c], t->columns[c].right, TINT_BOLD);
	end_line(l);
}

int table_print(const struct table *t, FILE *to, size_t width, _Bool color)
{
	size_t widths[TABLE_COLUMNS_MOST];
	struct line line = { to, 0, color };

	measure(t, widths);

	int left_out = fit(t, widths, width);

	print_titles(t, &line, widths);
	for (size_t i = 0; i < t->count; i++) {
		size_t c = i % t->column_count;

		if (widths[c])
			put_cell(&line, t->cells[i].shown, widths[c], t->columns[c].right, t->cells[i].tint);
		if (c + 1 == t->column_count)
			end_line(&line);
	}
	return left_out;
}

void table_say_left_out(FILE *to, int left_out, const char *where, _Bool color)
{
	if (left_out)
		fprintf(to, "%s%d %s not fit; %s%s\n", tint_on(TINT_DIM, color), left_out,
		        left_out == 1 ? "column does" : "columns do", where, tint_off(TINT_DIM, color));
}

static void csv_put(FILE *to, const char *text, _Bool last)
{
	if (text[strcspn(text, ",\"\r\n")] == '\0') {
		fputs(text, to);
	} else {
		putc('"', to);
		for (; *text; text++) {
			if (*text == '"')
				putc('"', to);
			putc(*text, to);
		}
		putc('"', to);
	}
	fputs(last ? "\r\n" : ",", to);
}

void table_csv(const struct table *t, FILE *to)
{
	for (size_t c = 0; c < t->column_count; c++)
		csv_put(to, t->columns[c].title, c + 1 == t->column_count);
	for (size_t i = 0; i < t->count; i++) {
		const struct cell *cell = &t->cells[i];

		csv_put(to, cell->csv ? cell->csv : cell->shown, i % t->column_count + 1 == t->column_count);
	}
}
