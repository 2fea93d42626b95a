#include "jurisdiction/sheet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/must.h"
#include "base/text.h"

#define SHOWN_MOST 60 /* bytes of a wrong cell that a problem repeats */
#define EXPECTED_SIZE 400

/* One reading of one file. */
struct reading {
	const struct sheet *sheet;
	const char *path;
	struct csv *csv;
	int at[CSV_COLUMNS_MOST]; /* where each of the sheet's columns stands in the file */
	struct table *into;
	struct texts *keep;
	struct problems *problems;
};

/* ---- tables ---- */

void table_close(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->rows[i]);
	free(t->rows);
	free(t->lines);
	free(t->sound);
	lookup_close(&t->by_key);
	*t = (struct table){ 0 };
}

void *table_at(const struct table *t, size_t i)
{
	return i < t->count ? t->rows[i] : NULL;
}

static void make_room(struct table *t)
{
	if (t->count < t->room)
		return;
	t->room = t->room ? t->room * 2 : 64;
	t->rows = must_realloc(t->rows, t->room * sizeof *t->rows);
	t->lines = must_realloc(t->lines, t->room * sizeof *t->lines);
	t->sound = must_realloc(t->sound, t->room * sizeof *t->sound);
}

static void append(struct table *t, void *row, int line, _Bool sound)
{
	make_room(t);
	t->rows[t->count] = row;
	t->lines[t->count] = line;
	t->sound[t->count] = sound;
	t->count++;
}

static int line_of(const struct table *t, const void *row)
{
	size_t i = 0;

	while (i < t->count && t->rows[i] != row)
		i++;
	return i < t->count ? t->lines[i] : 0;
}

/* ---- the header ---- */

static const struct column *column_named(const struct sheet *s, const char *name)
{
	for (const struct column *c = s->columns; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static void list_columns(const struct sheet *s, char *out, size_t size)
{
	size_t used = 0;

	for (const struct column *c = s->columns; c->name && used < size; c++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "," : "", c->name);
}

/* A text that may be shown on a terminal: cut, and without what is no text. */
static void shown(const char *text, char out[SHOWN_MOST + 8])
{
	size_t length = text_cut(text, SHOWN_MOST);

	if (!text_is(TEXT_LINE, (const uint8_t *)text, strlen(text)))
		snprintf(out, SHOWN_MOST + 8, "bytes that are no line of text");
	else
		snprintf(out, SHOWN_MOST + 8, "\"%.*s\"%s", (int)length, text, text[length] ? "..." : "");
}

static _Bool find_columns(struct reading *r)
{
	const struct sheet *s = r->sheet;
	int line = csv_line(r->csv);
	char all[EXPECTED_SIZE], name[SHOWN_MOST + 8];
	_Bool good = 1;

	list_columns(s, all, sizeof all);
	for (int i = 0; i < csv_columns(r->csv); i++) {
		if (column_named(s, csv_name(r->csv, i)))
			continue;
		shown(csv_name(r->csv, i), name);
		problems_add(r->problems, r->path, line, "found an unknown column %s; expected %s", name, all);
		good = 0;
	}
	for (const struct column *c = s->columns; c->name; c++) {
		r->at[c - s->columns] = csv_column(r->csv, c->name);
		if (r->at[c - s->columns] >= 0 || c->optional)
			continue;
		problems_add(r->problems, r->path, line, "found no column \"%s\"; expected %s", c->name, all);
		good = 0;
	}
	return good;
}

/* ---- a row ---- */

static const char *text_at(const struct reading *r, const struct column *c)
{
	int at = r->at[c - r->sheet->columns];

	return at >= 0 ? csv_field(r->csv, at) : "";
}

static _Bool read_cell(const struct reading *r, const struct column *c, void *row)
{
	char found[SHOWN_MOST + 8], expected[EXPECTED_SIZE];

	const char *text = text_at(r, c);

	/* A missing column is one of empty cells, for a reader to which that means something. */
	if (r->at[c - r->sheet->columns] < 0) {
		(void)c->read(c, r->keep, text, (char *)row + c->offset);
		return 1;
	}
	if (c->none && strcmp(text, c->none) == 0)
		return 1;
	if (c->read(c, r->keep, text, (char *)row + c->offset))
		return 1;
	shown(text, found);
	cell_expected(c, expected, sizeof expected);
	problems_add(r->problems, r->path, csv_line(r->csv), "found %s %s; expected %s", c->name, found, expected);
	return 0;
}

/* The cells that make the key, as they stand in the file. */
static void shown_key(const struct reading *r, char *out, size_t size)
{
	char one[SHOWN_MOST + 8];
	size_t used = 0;

	*out = '\0';
	for (const struct column *c = r->sheet->columns; c->name && used < size; c++) {
		if (!c->key || (c->optional && *text_at(r, c) == '\0'))
			continue;
		shown(text_at(r, c), one);
		used += (size_t)snprintf(out + used, size - used, "%s%s", used ? " " : "", one);
	}
}

/* false: the same key came before, and the row was not taken. */
static _Bool take_row(const struct reading *r, void *row, _Bool sound)
{
	char key[SHEET_KEY_SIZE], found[EXPECTED_SIZE];
	size_t size = r->sheet->key(row, key);

	if (lookup_add(&r->into->by_key, key, size, row)) {
		append(r->into, row, csv_line(r->csv), sound);
		return 1;
	}
	/* Most likely one of the two should have been called otherwise. */
	r->into->partial = 1;
	shown_key(r, found, sizeof found);
	problems_add(r->problems, r->path, csv_line(r->csv), "found the %s %s again; expected it once, as in line %d",
	             r->sheet->identity, found, line_of(r->into, lookup_find(&r->into->by_key, key, size)));
	return 0;
}

static void read_row(const struct reading *r)
{
	void *row = must_calloc(1, r->sheet->row_size);
	_Bool sound = 1, has_key = 1;

	for (const struct column *c = r->sheet->columns; c->name; c++) {
		_Bool good = read_cell(r, c, row);

		sound &= good;
		has_key &= good || !c->key;
	}
	r->into->partial |= !has_key;
	if (!has_key || !take_row(r, row, sound))
		free(row);
}

static void read_rows(const struct reading *r)
{
	int got;

	while ((got = csv_next(r->csv)) != 0) {
		if (got < 0) {
			r->into->partial = 1;
			problems_add(r->problems, r->path, csv_line(r->csv),
			             "found a broken row: %s; expected CSV in UTF-8", csv_error(r->csv));
		} else if (r->into->count >= SHEET_ROWS_MOST) {
			problems_add(r->problems, r->path, csv_line(r->csv), "found more rows; expected at most %d",
			             SHEET_ROWS_MOST);
			return;
		} else {
			read_row(r);
		}
	}
	if (r->sheet->least != SHEET_OPTIONAL && r->into->count < r->sheet->least && !r->into->partial)
		problems_add(r->problems, r->path, 0, "found no rows; expected at least %zu", r->sheet->least);
}

/* The cause begins with the path, which the problem's line says already. */
static const char *without_path(const char *cause, const char *path)
{
	size_t length = strlen(path);

	return strncmp(cause, path, length) == 0 && strncmp(cause + length, ": ", 2) == 0 ? cause + length + 2 : cause;
}

void sheet_read(const struct sheet *s, const char *folder, struct table *into, struct texts *keep, struct problems *p)
{
	char *path = NULL, *cause = NULL;

	must(asprintf(&path, "%s/%s", folder, s->file) >= 0);

	struct reading r = { .sheet = s, .path = path, .into = into, .keep = keep, .problems = p };

	if (s->least == SHEET_OPTIONAL && access(path, F_OK) != 0 && errno == ENOENT) {
		free(path);
		return;
	}
	r.csv = csv_open(path, &cause);
	if (!r.csv) {
		problems_add(p, path, 0, "cannot be read: %s; expected a CSV file with a header row",
		             without_path(cause, path));
		free(cause);
		into->partial = 1;
	} else if (find_columns(&r)) {
		read_rows(&r);
	} else {
		into->partial = 1;
	}
	csv_close(r.csv);
	free(path);
}
