/* sheet: one CSV file read whole into a table of rows, by a description of its columns. Every mistake becomes a problem
 * with file and line, and reading goes on, so that one run shows them all. */
#ifndef JURISDICTION_SHEET_H
#define JURISDICTION_SHEET_H

#include <stddef.h>
#include <stdint.h>

#include "base/settings.h"
#include "jurisdiction/cell.h"
#include "jurisdiction/lookup.h"

#define SHEET_OPTIONAL SIZE_MAX /* as least: a folder may be without this file, which means no rows */
#define SHEET_ROWS_MOST 1000000
#define SHEET_KEY_SIZE 192 /* bytes of the longest key */

/* Rows in file order. A zeroed table is empty. */
struct table {
	void **rows;
	int *lines;
	_Bool *sound; /* false: a cell was wrong; the row is kept so that what refers to it is not blamed as well */
	size_t count, room;
	struct lookup by_key;
	_Bool partial; /* rows are missing that somebody may refer to: references into it cannot be judged */
};

struct sheet {
	const char *file;             /* "areas.csv" */
	const char *identity;         /* what may stand there once, for a problem's text: "area code" */
	const struct column *columns; /* ends in a NULL name */
	size_t row_size;
	/* Writes the row's key and returns its length. */
	size_t (*key)(const void *row, char out[SHEET_KEY_SIZE]);
	size_t least; /* rows that must be there */
};

/* Reads folder/file into an empty table. */
void sheet_read(const struct sheet *s, const char *folder, struct table *into, struct texts *keep, struct problems *p);
/* Safe twice. */
void table_close(struct table *t);
/* The i-th row, NULL past the end. */
void *table_at(const struct table *t, size_t i);

#endif
