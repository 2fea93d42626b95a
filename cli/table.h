/* table: rows of text in aligned columns for a terminal, or as CSV. Knows how wide CJK characters are. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "base/must.h"

enum tint { TINT_NONE, TINT_GREEN, TINT_YELLOW, TINT_RED, TINT_DIM, TINT_BOLD };

struct column {
	const char *title; /* may have two lines in a table that is no CSV: "on time\n按期" */
	_Bool right;       /* numbers */
	_Bool shrinks;     /* may be cut with "…" when the terminal is narrow */
	int leave_out;     /* above 0: may be left out of a narrow terminal, the highest first */
};

struct table;

#define TABLE_COLUMNS_MOST 32
#define TABLE_NOTHING "–" /* a cell that says there is nothing to say */

/* columns must outlive the table. */
struct table *table_new(const struct column *columns, size_t count) MUST_USE;
void table_free(struct table *t); /* NULL is fine */
/* The next cell, row by row; the text is copied. */
void table_cell(struct table *t, const char *text);
/* As table_cell, with a tint for terminals and another text for CSV (NULL: the same). */
void table_cell_as(struct table *t, const char *shown, enum tint tint, const char *csv);
void table_cell_int(struct table *t, long long value);
/* From now on a column whose every cell is "" or TABLE_NOTHING is not printed; a CSV has it all the same. */
void table_hide_empty(struct table *t);
size_t table_rows(const struct table *t);

/* width 0: as wide as it needs. Returns how many columns were left out for want of room. No line ends in a space. */
int table_print(const struct table *t, FILE *to, size_t width, _Bool color);
/* Says so and where to find them, when there are any. */
void table_say_left_out(FILE *to, int left_out, const char *where, _Bool color);
void table_csv(const struct table *t, FILE *to);

/* text cut to at most `most` columns, the last one being "…" when something was cut, on the heap. */
char *table_cut(const char *text, size_t most) MUST_USE;
const char *tint_on(enum tint t, _Bool color); /* "" without colour */
const char *tint_off(enum tint t, _Bool color);

#endif
