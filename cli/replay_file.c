#include "replay_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/csv.h"
#include "base/text.h"
#include "workflow/case_number.h"
#include "workflow/command.h"

#define PROGRESS_EVERY 1000 /* rows */

struct columns {
	int id, created, closed, due, category, subcategory, source, lat, lon, address, description, mark;
};

static const struct {
	const char *name;
	size_t offset;
	_Bool needed;
} column_rows[] = {
	{ "id", offsetof(struct columns, id), 1 },
	{ "created_at", offsetof(struct columns, created), 1 },
	{ "closed_at", offsetof(struct columns, closed), 0 },
	{ "due_at", offsetof(struct columns, due), 0 },
	{ "category", offsetof(struct columns, category), 1 },
	{ "subcategory", offsetof(struct columns, subcategory), 0 },
	{ "source", offsetof(struct columns, source), 0 },
	{ "lat", offsetof(struct columns, lat), 0 },
	{ "lon", offsetof(struct columns, lon), 0 },
	{ "address", offsetof(struct columns, address), 0 },
	{ "description", offsetof(struct columns, description), 0 },
	{ "duplicate_of_or_flag", offsetof(struct columns, mark), 0 },
};

static _Bool find_columns(const struct csv *csv, const char *path, struct columns *out, struct trouble *why)
{
	for (size_t i = 0; i < sizeof column_rows / sizeof column_rows[0]; i++) {
		int at = csv_column(csv, column_rows[i].name);

		if (at < 0 && column_rows[i].needed)
			return trouble_set(why, EXIT_USAGE, "%.200s has no column \"%s\"", path, column_rows[i].name);
		memcpy((char *)out + column_rows[i].offset, &at, sizeof at);
	}
	return 1;
}

/* A part of the source's words, in lower case, and what it says about the reporter. */
static const struct {
	const char *part;
	int kind;
} sources[] = {
	{ "call", REPORTER_HOTLINE },          { "phone", REPORTER_HOTLINE },
	{ "hotline", REPORTER_HOTLINE },       { "employee", REPORTER_GRID_WORKER },
	{ "internal", REPORTER_GRID_WORKER },  { "maximo", REPORTER_GRID_WORKER },
	{ "crew", REPORTER_GRID_WORKER },      { "meeting", REPORTER_MEETING },
	{ "contractor", REPORTER_CONTRACTOR },
};

int replay_reporter_kind(const char *source)
{
	char lower[64] = "";

	for (size_t i = 0; source[i] && i + 1 < sizeof lower; i++)
		lower[i] = (char)tolower((unsigned char)source[i]);
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
		if (strstr(lower, sources[i].part))
			return sources[i].kind;
	return REPORTER_RESIDENT;
}

/* A copy that every door accepts: at most `most` bytes, no control characters, bytes that are no UTF-8 replaced. */
static char *clean_copy(const char *text, size_t most)
{
	size_t length = text_cut(text, most);
	char *copy = must_calloc(1, length + 1);
	_Bool sound = text_is(TEXT_LINE, (const uint8_t *)text, length);

	memcpy(copy, text, length);
	for (size_t i = 0; !sound && i < length; i++) {
		unsigned char byte = (unsigned char)copy[i];

		if (byte < 0x20 || byte == 0x7f)
			copy[i] = ' ';
		else if (byte >= 0x80)
			copy[i] = '?';
	}
	return copy;
}

/* ---- the catalogue ---- */

static struct replay_kind *add_kind(struct replay_file *f, const char *category, const char *subcategory, int class,
                                    int subclass)
{
	if (f->kind_count == f->kind_room) {
		f->kind_room = f->kind_room ? f->kind_room * 2 : 64;
		f->kinds = must_realloc(f->kinds, f->kind_room * sizeof *f->kinds);
	}

	struct replay_kind *k = &f->kinds[f->kind_count++];

	*k = (struct replay_kind){ .category = must_strdup(category),
		                   .subcategory = must_strdup(subcategory),
		                   .class = class,
		                   .subclass = subclass,
		                   .limit_ms = REPLAY_LIMIT_DEFAULT_MS };
	return k;
}

/* The kind of these words, made when it is new. A class that is full takes the rest into its last code. */
static uint32_t find_kind(struct replay_file *f, const char *category, const char *subcategory)
{
	int class = 0, classes = 0, subclasses = 0, last = -1;

	for (size_t i = 0; i < f->kind_count; i++) {
		const struct replay_kind *k = &f->kinds[i];
		_Bool same = strcmp(k->category, category) == 0;

		if (same && strcmp(k->subcategory, subcategory) == 0)
			return (uint32_t)i;
		classes = k->class > classes ? k->class : classes;
		if (same)
			class = k->class;
	}
	if (!class)
		class = classes < REPLAY_CLASSES_MOST ? classes + 1 : REPLAY_CLASSES_MOST;
	for (size_t i = 0; i < f->kind_count; i++)
		if (f->kinds[i].class == class) {
			subclasses++;
			last = (int)i;
		}
	if (subclasses >= REPLAY_SUBCLASSES_MOST)
		return (uint32_t)last;
	add_kind(f, category, subcategory, class, subclasses + 1);
	return (uint32_t)f->kind_count - 1;
}

static void add_limit(struct replay_kind *k, int64_t ms)
{
	if (k->limit_count == k->limit_room) {
		k->limit_room = k->limit_room ? k->limit_room * 2 : 64;
		k->limits = must_realloc(k->limits, k->limit_room * sizeof *k->limits);
	}
	k->limits[k->limit_count++] = ms;
}

static int compare_spans(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Limits become their median; the gathered ones are no longer needed. */
static void settle_limits(struct replay_file *f)
{
	for (size_t i = 0; i < f->kind_count; i++) {
		struct replay_kind *k = &f->kinds[i];

		if (k->limit_count) {
			qsort(k->limits, k->limit_count, sizeof *k->limits, compare_spans);
			k->limit_ms = k->limits[k->limit_count / 2];
		}
		free(k->limits);
		k->limits = NULL;
		k->limit_count = k->limit_room = 0;
	}
}

void replay_kind_code(const struct replay_kind *k, char out[6])
{
	category_text(10000 + k->class * 100 + k->subclass, out);
}

/* ---- rows ---- */

static void widen(struct replay_file *f, double lat, double lon)
{
	if (f->placed++ == 0) {
		f->south = f->north = lat;
		f->west = f->east = lon;
	}
	f->south = lat < f->south ? lat : f->south;
	f->north = lat > f->north ? lat : f->north;
	f->west = lon < f->west ? lon : f->west;
	f->east = lon > f->east ? lon : f->east;
}

static void take_place(struct replay_file *f, const struct csv *csv, const struct columns *at, struct replay_row *row)
{
	row->placed = text_to_double(csv_field(csv, at->lat), &row->lat) &&
	              text_to_double(csv_field(csv, at->lon), &row->lon) && row->lat >= -90 && row->lat <= 90 &&
	              row->lon >= -180 && row->lon <= 180 &&
	              (row->lat != 0 || row->lon != 0); /* 0,0 is how some cities write "unknown" */
	if (row->placed)
		widen(f, row->lat, row->lon);
}

static _Bool broken(struct replay_file *f, const struct csv *csv, const char *what)
{
	if (f->broken++ == 0)
		snprintf(f->first_broken, sizeof f->first_broken, "line %d: %s", csv_line(csv), what);
	return 0;
}

static _Bool take_row(struct replay_file *f, const struct csv *csv, const struct columns *at)
{
	const char *closed = csv_field(csv, at->closed), *subcategory = csv_field(csv, at->subcategory);
	struct replay_row row = { 0 };
	int64_t due_ms;

	if (csv_field(csv, at->id)[0] == '\0')
		return broken(f, csv, "no id");
	if (!clock_parse(csv_field(csv, at->created), &row.created_ms) || row.created_ms <= 0)
		return broken(f, csv, "created_at is no time");
	if (closed[0] && !clock_parse(closed, &row.closed_ms))
		return broken(f, csv, "closed_at is no time");
	if (row.closed_ms && row.closed_ms < row.created_ms)
		row.closed_ms = row.created_ms;
	row.kind =
		find_kind(f, csv_field(csv, at->category), subcategory[0] ? subcategory : csv_field(csv, at->category));
	f->kinds[row.kind].rows++;
	if (clock_parse(csv_field(csv, at->due), &due_ms) && due_ms > row.created_ms)
		add_limit(&f->kinds[row.kind], due_ms - row.created_ms);
	take_place(f, csv, at, &row);
	row.reporter_kind = (uint8_t)replay_reporter_kind(csv_field(csv, at->source));
	row.id = clean_copy(csv_field(csv, at->id), COMMAND_ID_MOST);
	row.address = clean_copy(csv_field(csv, at->address), COMMAND_ADDRESS_MOST);
	row.description = clean_copy(csv_field(csv, at->description), COMMAND_DESCRIPTION_MOST);
	if (csv_field(csv, at->mark)[0])
		row.mark = clean_copy(csv_field(csv, at->mark), COMMAND_ID_MOST);
	f->closed += row.closed_ms != 0;
	if (f->count == f->room) {
		f->room = f->room ? f->room * 2 : 4096;
		f->rows = must_realloc(f->rows, f->room * sizeof *f->rows);
	}
	f->rows[f->count++] = row;
	return 1;
}

static void show_progress(const struct csv *csv, void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx)
{
	long done, size;

	if (!progress)
		return;
	csv_progress(csv, &done, &size);
	progress(ctx, done, size);
}

_Bool replay_file_read(const char *path, void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx,
                       struct replay_file *out, struct trouble *why)
{
	char *cause = NULL;
	struct csv *csv = csv_open(path, &cause);
	struct columns at;
	int got = 0;

	*out = (struct replay_file){ 0 };
	if (!csv) {
		trouble_set(why, EXIT_USAGE, "%s", cause ? cause : path);
		free(cause);
		return 0;
	}

	_Bool good = find_columns(csv, path, &at, why);

	while (good && out->count < REPLAY_ROWS_MOST && (got = csv_next(csv)) != 0) {
		if (got < 0)
			broken(out, csv, csv_error(csv));
		else
			(void)take_row(out, csv, &at);
		if (out->count % PROGRESS_EVERY == 0)
			show_progress(csv, progress, ctx);
	}
	csv_close(csv);
	settle_limits(out);
	if (good && out->count == 0)
		good = trouble_set(why, EXIT_USAGE, "%.200s has no row that can be replayed; %s", path,
		                   out->first_broken);
	if (!good)
		replay_file_close(out);
	return good;
}

void replay_file_close(struct replay_file *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->rows[i].id);
		free(f->rows[i].address);
		free(f->rows[i].mark);
		free(f->rows[i].description);
	}
	for (size_t i = 0; i < f->kind_count; i++) {
		free(f->kinds[i].category);
		free(f->kinds[i].subcategory);
		free(f->kinds[i].limits);
	}
	free(f->rows);
	free(f->kinds);
	*f = (struct replay_file){ 0 };
}
