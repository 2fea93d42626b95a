#include "base/csv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define CHUNK_SIZE 65536
#define ERROR_SIZE 256
#define END_OF_FILE (-1)

/* What a row came to. */
enum outcome { ROW_END, ROW_READ, ROW_BLANK, ROW_BROKEN };

struct row {
	char *bytes; /* CSV_ROW_MOST and a terminator; the fields one behind the other, each terminated */
	size_t length;
	size_t starts[CSV_COLUMNS_MOST];
	int count; /* of fields, those beyond CSV_COLUMNS_MOST included */
	_Bool has_quotes, has_nul;
};

struct csv {
	gzFile file;
	long size;
	unsigned char chunk[CHUNK_SIZE];
	int chunk_length, chunk_at;
	_Bool is_plain;
	_Bool is_over;      /* no more bytes will come */
	const char *damage; /* why they ended too early; NULL once told */
	int line, next_line;
	struct row row;
	char *header_bytes;
	const char *names[CSV_COLUMNS_MOST];
	int columns;
	char error[ERROR_SIZE];
};

/* ---- bytes ---- */

static const char *describe(int number)
{
	const char *text = strerrordesc_np(number);

	return text ? text : "it cannot be read";
}

/* A gzip file that was cut off reads as one that ended; only gzerror tells them apart. */
static const char *find_damage(gzFile file)
{
	int problem = Z_OK;

	gzerror(file, &problem);
	switch (problem) {
	case Z_OK:
	case Z_STREAM_END:
		return NULL;
	case Z_BUF_ERROR:
		return "the compressed data ends early; the file is not whole";
	case Z_ERRNO:
		return describe(errno);
	default:
		return "the compressed data is damaged";
	}
}

static void fill(struct csv *c)
{
	if (c->is_over)
		return;
	c->chunk_at = 0;
	c->chunk_length = gzread(c->file, c->chunk, CHUNK_SIZE);
	if (c->chunk_length > 0)
		return;
	c->chunk_length = 0;
	c->is_over = 1;
	c->damage = find_damage(c->file);
}

static int peek(struct csv *c)
{
	if (c->chunk_at == c->chunk_length)
		fill(c);
	return c->chunk_at < c->chunk_length ? c->chunk[c->chunk_at] : END_OF_FILE;
}

static int take(struct csv *c)
{
	int byte = peek(c);

	if (byte == END_OF_FILE)
		return byte;
	c->chunk_at++;
	c->next_line += byte == '\n';
	return byte;
}

static void skip_line(struct csv *c)
{
	int byte;

	do
		byte = take(c);
	while (byte != '\n' && byte != END_OF_FILE);
}

/* ---- a row ---- */

static enum outcome broken(struct csv *c, const char *format, ...) PRINTF_LIKE(2, 3);

static enum outcome broken(struct csv *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->error, sizeof c->error, format, args);
	va_end(args);
	return ROW_BROKEN;
}

static _Bool put(struct row *row, int byte)
{
	if (row->length >= CSV_ROW_MOST)
		return 0;
	row->has_nul |= byte == '\0';
	row->bytes[row->length++] = (char)byte;
	return 1;
}

static void begin_field(struct row *row)
{
	if (row->count < CSV_COLUMNS_MOST)
		row->starts[row->count] = row->length;
	row->count++;
}

/* How one field ended. */
enum field_end { FIELD_COMMA, FIELD_LAST, FIELD_TOO_LONG, FIELD_OPEN, FIELD_AFTER_QUOTE };

/* The end of a line: "\n" or "\r\n". A carriage return before anything else belongs to the field. */
static _Bool take_line_end(struct csv *c, int byte)
{
	if (byte == '\r' && peek(c) == '\n')
		byte = take(c);
	return byte == '\n' || byte == END_OF_FILE;
}

/* A quote inside an unquoted field stands for itself, as in `12" pipe`. */
static enum field_end read_plain(struct csv *c)
{
	for (;;) {
		int byte = take(c);

		if (byte == ',')
			return FIELD_COMMA;
		if (take_line_end(c, byte))
			return FIELD_LAST;
		if (!put(&c->row, byte))
			return FIELD_TOO_LONG;
	}
}

static enum field_end read_quoted(struct csv *c)
{
	for (;;) {
		int byte = take(c);

		if (byte == END_OF_FILE)
			return FIELD_OPEN;
		if (byte == '"') {
			if (peek(c) != '"')
				break;
			take(c);
		}
		if (!put(&c->row, byte))
			return FIELD_TOO_LONG;
	}

	int byte = take(c);

	if (byte == ',')
		return FIELD_COMMA;
	return take_line_end(c, byte) ? FIELD_LAST : FIELD_AFTER_QUOTE;
}

static enum field_end read_field(struct csv *c)
{
	begin_field(&c->row);
	if (peek(c) != '"')
		return read_plain(c);
	c->row.has_quotes = 1;
	take(c);
	return read_quoted(c);
}

/* Reading goes on behind the next line end, even inside quotes: a lost quote must not eat the rest of the
 * file. */
static enum outcome give_up(struct csv *c, enum field_end end)
{
	skip_line(c);
	if (end == FIELD_TOO_LONG)
		return broken(c, "the row is longer than %d bytes; is a quote missing?", CSV_ROW_MOST);
	if (end == FIELD_OPEN)
		return broken(c, "the file ends inside quotes");
	return broken(c, "something other than a comma follows a closing quote");
}

/* The terminator stands where the comma was, so it counts like one; only the last may lie behind the
 * bound. */
static enum field_end end_field(struct row *row, enum field_end end)
{
	_Bool nul_before = row->has_nul;

	if (end == FIELD_COMMA && !put(row, '\0'))
		return FIELD_TOO_LONG;
	if (end == FIELD_LAST)
		row->bytes[row->length] = '\0';
	row->has_nul = nul_before;
	return end;
}

static enum outcome read_fields(struct csv *c)
{
	struct row *row = &c->row;
	enum field_end end;

	do
		end = end_field(row, read_field(c));
	while (end == FIELD_COMMA);
	if (end != FIELD_LAST)
		return give_up(c, end);
	if (row->count == 1 && row->length == 0 && !row->has_quotes)
		return ROW_BLANK;
	if (row->has_nul)
		return broken(c, "the row has a NUL byte; is this a text file?");
	if (row->count > CSV_COLUMNS_MOST)
		return broken(c, "the row has %d fields; at most %d are read", row->count, CSV_COLUMNS_MOST);
	if (c->columns > 0 && row->count > c->columns)
		return broken(c, "the row has %d fields; the header has %d", row->count, c->columns);
	return ROW_READ;
}

static enum outcome read_row(struct csv *c)
{
	enum outcome outcome = ROW_END;

	c->line = c->next_line;
	c->row = (struct row){ .bytes = c->row.bytes };
	if (peek(c) == '#' && c->is_plain) {
		skip_line(c);
		return ROW_BLANK;
	}
	if (peek(c) != END_OF_FILE)
		outcome = read_fields(c);
	/* What stands before the break may be half a row, so it is not given out as a whole one. */
	if (c->damage) {
		outcome = broken(c, "%s", c->damage);
		c->damage = NULL;
	}
	if (outcome != ROW_READ)
		c->row.count = 0;
	return outcome;
}

static enum outcome read_filled_row(struct csv *c)
{
	enum outcome outcome;

	c->error[0] = '\0';
	do
		outcome = read_row(c);
	while (outcome == ROW_BLANK);
	return outcome;
}

/* ---- opening ---- */

static void begin(struct csv *c)
{
	static const char mark[] = "\xef\xbb\xbf";

	fill(c);
	c->is_plain = gzdirect(c->file) == 1;
	if (c->chunk_length >= 3 && memcmp(c->chunk, mark, 3) == 0)
		c->chunk_at = 3;
}

/* The header's bytes are kept; the rows behind it get their own. */
static _Bool keep_header(struct csv *c)
{
	c->header_bytes = c->row.bytes;
	c->row.bytes = must_calloc(CSV_ROW_MOST + 1, 1);
	for (int i = 0; i < c->row.count; i++) {
		const char *name = c->header_bytes + c->row.starts[i];

		if (*name && csv_column(c, name) >= 0) {
			broken(c, "column \"%.60s\" is there twice", name);
			return 0;
		}
		c->names[c->columns++] = name;
	}
	c->row.count = 0;
	return 1;
}

static _Bool read_header(struct csv *c)
{
	enum outcome outcome;

	begin(c);
	outcome = read_filled_row(c);
	if (outcome == ROW_END)
		broken(c, "the file is empty; expected a header row");
	return outcome == ROW_READ && keep_header(c);
}

static char *explain(const char *path, const char *why)
{
	char *cause = NULL;

	must(asprintf(&cause, "%s: %s", path, why) >= 0);
	return cause;
}

struct csv *csv_open(const char *path, char **cause)
{
	struct stat about;
	gzFile file = gzopen(path, "re");

	if (!file) {
		*cause = explain(path, describe(errno));
		return NULL;
	}

	struct csv *c = must_calloc(1, sizeof *c);

	c->file = file;
	c->size = stat(path, &about) == 0 ? (long)about.st_size : 0;
	c->next_line = 1;
	c->row.bytes = must_calloc(CSV_ROW_MOST + 1, 1);
	gzbuffer(file, CHUNK_SIZE);
	if (read_header(c))
		return c;
	*cause = explain(path, c->error);
	csv_close(c);
	return NULL;
}

void csv_close(struct csv *c)
{
	if (!c)
		return;
	gzclose_r(c->file);
	free(c->header_bytes);
	free(c->row.bytes);
	free(c);
}

/* ---- what a caller sees ---- */

int csv_column(const struct csv *c, const char *name)
{
	for (int i = 0; i < c->columns; i++)
		if (strcmp(c->names[i], name) == 0)
			return i;
	return -1;
}

int csv_columns(const struct csv *c)
{
	return c->columns;
}

const char *csv_name(const struct csv *c, int column)
{
	return column >= 0 && column < c->columns ? c->names[column] : "";
}

int csv_next(struct csv *c)
{
	enum outcome outcome = read_filled_row(c);

	return outcome == ROW_READ ? 1 : outcome == ROW_END ? 0 : -1;
}

const char *csv_field(const struct csv *c, int column)
{
	return column >= 0 && column < c->row.count ? c->row.bytes + c->row.starts[column] : "";
}

int csv_line(const struct csv *c)
{
	return c->line;
}

const char *csv_error(const struct csv *c)
{
	return c->error;
}

void csv_progress(const struct csv *c, long *done, long *size)
{
	long at = (long)gzoffset(c->file);

	*done = at > 0 ? at : 0;
	*size = c->size;
}
