#include "table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define GAP 2       /* spaces between columns */
#define NARROWEST 6 /* a column is not cut further */

struct cell {
	char *shown, *csv;
	enum tint tint;
};

struct table {
	const struct column *columns;
	size_t column_count;
	struct cell *cells;
	size_t count, room;
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

static void measure(const struct table *t, size_t *widths)
{
	for (size_t c = 0; c < t->column_count; c++)
		widths[c] = text_columns(t->columns[c].title);
	for (size_t i = 0; i < t->count; i++) {
		size_t width = text_columns(t->cells[i].shown);

		if (width > widths[i % t->column_count])
			widths[i % t->column_count] = width;
	}
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

static int widest_shrinking(const struct table *t, const size_t *widths)
{
	int found = -1;

	for (size_t c = 0; c < t->column_count; c++)
		if (t->columns[c].shrinks && widths[c] > (found < 0 ? NARROWEST : widths[found]))
			found = (int)c;
	return found;
}

/* Long texts give way first, down to a legible width; then columns leave. */
static int fit(const struct table *t, size_t *widths, size_t width)
{
	int left_out = 0, column;

	while (width && total_width(t, widths) > width) {
		column = widest_shrinking(t, widths);
		if (column >= 0 && widths[column] > 16) {
			widths[column]--;
		} else if ((column = least_needed(t, widths)) >= 0) {
			widths[column] = 0;
			left_out++;
		} else if ((column = widest_shrinking(t, widths)) >= 0) {
			widths[column]--;
		} else {
			break;
		}
	}
	return left_out;
}

static void print_cell(FILE *to, const char *text, size_t width, _Bool right, _Bool last, enum tint tint, _Bool color)
{
	char *cut = table_cut(text, width);
	size_t columns = text_columns(cut);
	int padding = columns < width ? (int)(width - columns) : 0;

	fprintf(to, "%*s%s%s%s%*s", right ? padding : 0, "", tint_on(tint, color), cut, tint_off(tint, color),
	        right || last ? 0 : padding, "");
	if (!last)
		fprintf(to, "%*s", GAP, "");
	free(cut);
}

int table_print(const struct table *t, FILE *to, size_t width, _Bool color)
{
	size_t widths[TABLE_COLUMNS_MOST];
	size_t last = 0;

	measure(t, widths);

	int left_out = fit(t, widths, width);

	for (size_t c = 0; c < t->column_count; c++)
		last = widths[c] ? c : last;
	for (size_t c = 0; c <= last; c++)
		if (widths[c])
			print_cell(to, t->columns[c].title, widths[c], t->columns[c].right, c == last, TINT_BOLD,
			           color);
	putc('\n', to);
	for (size_t i = 0; i < t->count; i++) {
		size_t c = i % t->column_count;

		if (widths[c])
			print_cell(to, t->cells[i].shown, widths[c], t->columns[c].right, c == last, t->cells[i].tint,
			           color);
		if (c + 1 == t->column_count)
			putc('\n', to);
	}
	return left_out;
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
