/* csv: rows of RFC 4180 files, plain or gzip, by column name. */
#ifndef BASE_CSV_H
#define BASE_CSV_H

#include <stddef.h>

#include "base/must.h"

struct csv;

#define CSV_COLUMNS_MOST 64
#define CSV_ROW_MOST 65536 /* bytes */

/* Opens path (plain or gzip, told by content) and reads the header row; a UTF-8 byte-order mark is passed over.
 * NULL with *cause (static or in the csv's care; heap, free it) when it cannot be read. */
struct csv *csv_open(const char *path, char **cause) MUST_USE;
void csv_close(struct csv *c); /* NULL is fine */
/* The column's index, or -1. */
int csv_column(const struct csv *c, const char *name);
/* The header: how many columns, and their names. */
int csv_columns(const struct csv *c);
const char *csv_name(const struct csv *c, int column);
/* 1: a row is there; 0: the end; -1: a broken row (csv_error says why), reading may go on. Lines starting with '#' are
 * passed over when the file is not gzip. */
int csv_next(struct csv *c) MUST_USE;
/* The field of the present row, "" when the row is short or column is -1. Valid until the next csv_next. */
const char *csv_field(const struct csv *c, int column);
int csv_line(const struct csv *c); /* of the present row, the first line being 1 */
const char *csv_error(const struct csv *c);
/* Compressed bytes consumed and the file's size, for progress bars. */
void csv_progress(const struct csv *c, long *done, long *size);

#endif
