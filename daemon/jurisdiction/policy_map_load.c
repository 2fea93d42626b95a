/* Reads the map's files, joins each outline to the row it belongs to, and tells what is wrong with them. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "jurisdiction/geojson.h"
#include "jurisdiction/policy_parts.h"

#define GRIDS_FILE "grids.csv"
#define OUTLINES_FILE "grids.geojson"
#define OVERLAYS_FILE "overlays.csv"
#define OVERLAY_OUTLINES_FILE "overlays.geojson"
#define POINTS_FILE "default_points.csv"
#define RADIUS_MOST 1000
#define TEXT_SIZE 32

/* ---- the CSV files ---- */

#define NAME_EXPECTED "a name of at most 200 bytes"
#define DATE_EXPECTED "a date as yyyy-mm-dd, or nothing"
#define OVERLAY(f) offsetof(struct overlay, f)
static const struct column overlay_columns[] = {
	{ "overlay", cell_id, OVERLAY(id), .key = 1,
	  .expected = "an id of at most 64 letters, digits and - _ . / : @" },
	{ "name", cell_name, OVERLAY(name), .expected = NAME_EXPECTED },
	{ "kind", cell_id, OVERLAY(kind), .expected = "a word such as river, contract or compound" },
	{ "from", cell_date, OVERLAY(from_ms), .none = "", .expected = DATE_EXPECTED },
	{ "to", cell_date, OVERLAY(to_ms), .none = "", .expected = DATE_EXPECTED },
	{ .name = NULL },
};

#define POINT(f) offsetof(struct default_point, f)
static const struct column point_columns[] = {
	{ "name", cell_name, POINT(name), .key = 1, .expected = NAME_EXPECTED },
	{ "lat", cell_degrees, POINT(lat_e7), .least = -90, .most = 90,
	  .expected = "a latitude in degrees, -90 to 90" },
	{ "lon", cell_degrees, POINT(lon_e7), .least = -180, .most = 180,
	  .expected = "a longitude in degrees, -180 to 180" },
	{ "radius_m", cell_int, POINT(radius_m), .least = 1, .most = RADIUS_MOST },
	{ .name = NULL },
};

static size_t overlay_key(const void *row, char out[SHEET_KEY_SIZE])
{
	return (size_t)snprintf(out, SHEET_KEY_SIZE, "%s", ((const struct overlay *)row)->id);
}

static size_t point_key(const void *row, char out[SHEET_KEY_SIZE])
{
	const struct default_point *d = row;

	return (size_t)snprintf(out, SHEET_KEY_SIZE, "%" PRId32 " %" PRId32, d->lat_e7, d->lon_e7);
}

static const struct sheet overlay_sheet = { OVERLAYS_FILE,          "overlay",   overlay_columns,
	                                    sizeof(struct overlay), overlay_key, 0 };
static const struct sheet point_sheet = { POINTS_FILE, "point", point_columns, sizeof(struct default_point),
	                                  point_key,   0 };

static char *path_in(const char *folder, const char *file)
{
	char *path = NULL;

	must(asprintf(&path, "%s/%s", folder, file) >= 0);
	return path;
}

static void read_sheet(const struct sheet *s, const char *folder, struct table *into, struct policy *policy,
                       struct problems *p)
{
	char *path = path_in(folder, s->file);

	if (access(path, F_OK) == 0)
		sheet_read(s, folder, into, &policy->texts, p);
	free(path);
}

/* ---- versions of grids ---- */

/* By code, then the newest first. */
static int compare_versions(const void *left, const void *right)
{
	const struct grid *a = *(struct grid *const *)left, *b = *(struct grid *const *)right;

	if (a->code != b->code)
		return a->code < b->code ? -1 : 1;
	return (a->from_ms < b->from_ms) - (a->from_ms > b->from_ms);
}

void policy_map_index(struct policy *policy)
{
	size_t count = policy->grids.count;
	struct grid **sorted = must_calloc(count + 1, sizeof *sorted);

	for (size_t i = 0; i < count; i++) {
		sorted[i] = policy->grids.rows[i];
		sorted[i]->index = i;
	}
	qsort(sorted, count, sizeof *sorted, compare_versions);
	for (size_t i = 0; i < count; i++) {
		struct grid *next = i + 1 < count && sorted[i + 1]->code == sorted[i]->code ? sorted[i + 1] : NULL;

		sorted[i]->older = next;
		/* Of several versions the first one met is the newest. */
		(void)lookup_add(&policy->grid_codes, &sorted[i]->code, sizeof sorted[i]->code, sorted[i]);
	}
	free(sorted);
}

/* ---- outlines and their rows ---- */

/* Where each row of a table has its outline from. */
struct source {
	const struct outline *outline; /* NULL: none */
	const char *path;
	int line;
	_Bool dated; /* by a feature for this very version */
};

/* One of the two layers: the grids, or the overlays. */
struct layer {
	struct policy *policy;
	struct problems *problems;
	const struct table *rows;
	char *csv, *json;
	struct geojson features;
	struct outline *boxes; /* of rows, for those that have one */
	struct source *sources;
	/* What a row is called, for a problem's text. */
	void (*call)(const void *row, char out[TEXT_SIZE + CELL_ID_MOST]);
};

static void wrong(const struct layer *l, const struct source *s, const char *format, ...) PRINTF_LIKE(3, 4);

static void wrong(const struct layer *l, const struct source *s, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	must(vasprintf(&text, format, args) >= 0);
	va_end(args);
	problems_add(l->problems, s->path, s->line, "%s", text);
	free(text);
}

static void call_grid(const void *row, char out[TEXT_SIZE + CELL_ID_MOST])
{
	snprintf(out, TEXT_SIZE + CELL_ID_MOST, "grid %" PRId64, ((const struct grid *)row)->code);
}

static void call_overlay(const void *row, char out[TEXT_SIZE + CELL_ID_MOST])
{
	snprintf(out, TEXT_SIZE + CELL_ID_MOST, "overlay %s", ((const struct overlay *)row)->id);
}

/* false: the feature's "from" is no date, which was told. */
static _Bool read_from(const struct layer *l, const struct geojson_feature *f, int64_t *from_ms)
{
	*from_ms = 0;
	if (!f->from || cell_date(NULL, NULL, f->from, from_ms))
		return 1;
	problems_add(l->problems, l->json, f->line, "feature %d: found from \"%.40s\"; expected a date as yyyy-mm-dd",
	             f->number, f->from);
	return 0;
}

/* ---- which row a feature belongs to ---- */

static void give(const struct layer *l, size_t row, const struct geojson_feature *f)
{
	struct source *s = &l->sources[row];
	struct source here = { &f->outline, l->json, f->line, 0 };
	char name[TEXT_SIZE + CELL_ID_MOST];

	l->call(l->rows->rows[row], name);
	if (s->outline && s->path == l->csv)
		wrong(l, &here,
		      "feature %d: found an outline of %s; expected none, for it has a box in " GRIDS_FILE
		      " (leave south, west, north and east empty there)",
		      f->number, name);
	else if (s->outline)
		wrong(l, &here,
		      "feature %d: found another outline of %s; expected one (parts that lie apart make one "
		      "MultiPolygon)",
		      f->number, name);
	else
		*s = here;
}

static void unknown(const struct layer *l, const struct geojson_feature *f, const char *what, const char *file)
{
	if (!l->rows->partial)
		problems_add(l->problems, l->json, f->line, "feature %d: found %s %.80s%s%.40s; expected one from %s",
		             f->number, what, f->key, f->from ? " from " : "", f->from ? f->from : "", file);
}

static void match_overlays(const struct layer *l)
{
	for (size_t i = 0; i < l->features.count; i++) {
		const struct geojson_feature *f = &l->features.features[i];
		size_t row = 0;

		while (row < l->rows->count && strcmp(((struct overlay *)l->rows->rows[row])->id, f->key) != 0)
			row++;
		if (row < l->rows->count)
			give(l, row, f);
		else
			unknown(l, f, "overlay", OVERLAYS_FILE);
	}
}

/* A feature with "from" belongs to the version that begins then. */
static void match_dated(const struct layer *l, const struct geojson_feature *f)
{
	const struct grid *g = policy_grid(l->policy, cell_code(f->key, 15));
	int64_t from_ms;

	if (!read_from(l, f, &from_ms))
		return;
	while (g && g->from_ms != from_ms)
		g = g->older;
	if (!g) {
		unknown(l, f, "grid", GRIDS_FILE);
		return;
	}
	give(l, g->index, f);
	l->sources[g->index].dated = 1;
}

/* One without belongs to every version that has none of its own. */
static void match_undated(const struct layer *l, const struct geojson_feature *f)
{
	const struct grid *g = policy_grid(l->policy, cell_code(f->key, 15));

	if (!g)
		unknown(l, f, "grid", GRIDS_FILE);
	for (; g; g = g->older)
		if (!l->sources[g->index].dated)
			give(l, g->index, f);
}

static void match_grids(const struct layer *l)
{
	for (int dated = 1; dated >= 0; dated--)
		for (size_t i = 0; i < l->features.count; i++) {
			const struct geojson_feature *f = &l->features.features[i];

			if ((f->from != NULL) == (dated != 0))
				(dated ? match_dated : match_undated)(l, f);
		}
}

/* ---- boxes ---- */

static _Bool tries_a_box(const struct grid *g)
{
	return g->south_e7 != CELL_NO_SIDE || g->west_e7 != CELL_NO_SIDE || g->north_e7 != CELL_NO_SIDE ||
	       g->east_e7 != CELL_NO_SIDE;
}

static _Bool has_box(const struct grid *g)
{
	return g->south_e7 != CELL_NO_SIDE && g->west_e7 != CELL_NO_SIDE && g->north_e7 != CELL_NO_SIDE &&
	       g->east_e7 != CELL_NO_SIDE;
}

static void take_boxes(const struct layer *l)
{
	for (size_t i = 0; i < l->rows->count; i++) {
		const struct grid *g = l->rows->rows[i];

		if (!has_box(g) || g->south_e7 >= g->north_e7 || g->west_e7 >= g->east_e7)
			continue;
		outline_box(&l->boxes[i], g->south_e7, g->west_e7, g->north_e7, g->east_e7);
		l->sources[i] = (struct source){ &l->boxes[i], l->csv, l->rows->lines[i], 0 };
	}
}

/* ---- what is wrong with them together ---- */

static void tell_fault(void *ctx, const struct map_fault *f)
{
	const struct layer *l = ctx;
	const struct source *s = &l->sources[f->first];
	char first[TEXT_SIZE + CELL_ID_MOST], second[TEXT_SIZE + CELL_ID_MOST], since[CLOCK_TEXT_SIZE] = "";
	struct source file = { .path = l->json };

	l->call(l->rows->rows[f->first], first);
	l->call(l->rows->rows[f->second], second);
	if (f->kind == MAP_INVALID) {
		wrong(l, s,
		      "found an outline of %s that is none: %s at %.7f,%.7f (latitude, longitude); expected rings "
		      "that neither cross nor touch themselves",
		      first, f->reason, f->lat, f->lon);
	} else if (f->kind == MAP_OVERLAP) {
		wrong(l, s,
		      "found %s and %s both holding %.0f m2 around %.7f,%.7f (latitude, longitude); expected "
		      "borders that only touch (map_sliver_m and map_may_overlap in policy.conf)",
		      first, second, f->square_metres, f->lat, f->lon);
	} else {
		if (f->at_ms != INT64_MIN)
			clock_text(f->at_ms, since, sizeof since);
		wrong(l, &file,
		      "found a gap of %.0f m2 around %.7f,%.7f (latitude, longitude)%s%.10s; expected grids "
		      "without holes between them (map_sliver_m and map_may_gap in policy.conf)",
		      f->square_metres, f->lat, f->lon, *since ? " from " : "", since);
	}
}

/* NULL: something was wrong, and told. */
static struct map *make_map(struct layer *l, unsigned checks)
{
	struct map_shape *shapes = must_calloc(l->rows->count + 1, sizeof *shapes);
	size_t before = l->problems->count;

	for (size_t i = 0; i < l->rows->count; i++) {
		const struct grid *g = l->rows->rows[i];
		const struct overlay *o = l->rows->rows[i];
		_Bool grids = l->call == call_grid;

		shapes[i].outline = l->sources[i].outline;
		shapes[i].from_ms = grids ? g->from_ms : o->from_ms;
		shapes[i].to_ms = grids ? g->to_ms : o->to_ms;
	}
	struct map *m = map_new(shapes, l->rows->count);

	map_check(m, checks, (double)l->policy->rules.map_sliver_m, tell_fault, l);
	free(shapes);
	if (l->problems->count == before)
		map_build(m);
	return m;
}

static _Bool all_have_outlines(const struct layer *l, const char *where)
{
	_Bool all = 1;

	for (size_t i = 0; i < l->rows->count; i++) {
		char name[TEXT_SIZE + CELL_ID_MOST];
		struct source row = { .path = l->csv, .line = l->rows->lines[i] };

		if (l->sources[i].outline)
			continue;
		all = 0;
		l->call(l->rows->rows[i], name);
		/* A wrong cell or box was told. */
		if (l->rows->sound[i] && !(l->call == call_grid && tries_a_box(l->rows->rows[i])))
			wrong(l, &row, "found %s without an outline; expected %s", name, where);
	}
	return all;
}

static void open_layer(struct layer *l, const char *folder, const char *csv, const char *json)
{
	l->csv = path_in(folder, csv);
	l->json = path_in(folder, json);
	l->boxes = must_calloc(l->rows->count + 1, sizeof *l->boxes);
	l->sources = must_calloc(l->rows->count + 1, sizeof *l->sources);
}

static void close_layer(struct layer *l)
{
	for (size_t i = 0; i < l->rows->count; i++)
		outline_close(&l->boxes[i]);
	free(l->boxes);
	free(l->sources);
	geojson_close(&l->features);
	free(l->csv);
	free(l->json);
}

/* Whether the file is sound; one that is missing is, unless a row waits for it. */
static _Bool read_features(struct layer *l, const struct geojson_wish *wish)
{
	return access(l->json, F_OK) != 0 || geojson_read(l->json, wish, &l->features, l->problems);
}

static void load_grids(struct policy *policy, const char *folder, _Bool strictly, struct problems *p)
{
	static const struct geojson_wish wish = { "grid", "a grid code of 15 digits", 0 };
	struct layer l = { .policy = policy, .problems = p, .rows = &policy->grids, .call = call_grid };
	unsigned checks = (strictly && !policy->rules.map_may_overlap ? MAP_CHECK_OVERLAPS : 0) |
	                  (strictly && !policy->rules.map_may_gap ? MAP_CHECK_GAPS : 0);

	open_layer(&l, folder, GRIDS_FILE, OUTLINES_FILE);
	take_boxes(&l);
	if (read_features(&l, &wish)) {
		match_grids(&l);
		if (all_have_outlines(&l, "a feature in " OUTLINES_FILE " with this \"grid\", or a box in this row"))
			policy->map = make_map(&l, checks);
	}
	close_layer(&l);
}

static void load_overlays(struct policy *policy, const char *folder, struct problems *p)
{
	static const struct geojson_wish wish = { "overlay", "an overlay's id from " OVERLAYS_FILE, 1 };
	struct layer l = { .policy = policy, .problems = p, .rows = &policy->overlays, .call = call_overlay };

	open_layer(&l, folder, OVERLAYS_FILE, OVERLAY_OUTLINES_FILE);
	if (read_features(&l, &wish)) {
		match_overlays(&l);
		if (all_have_outlines(&l, "a feature in " OVERLAY_OUTLINES_FILE " with this \"overlay\""))
			policy->overlay_map = make_map(&l, 0);
	}
	close_layer(&l);
}

/* ---- dates ---- */

static void check_overlay_dates(const struct policy *policy, const char *folder, struct problems *p)
{
	char *path = path_in(folder, OVERLAYS_FILE);

	for (size_t i = 0; i < policy->overlays.count; i++) {
		const struct overlay *o = policy->overlays.rows[i];

		if (o->to_ms && o->from_ms >= o->to_ms)
			problems_add(p, path, policy->overlays.lines[i],
			             "found an overlay that ends before it begins; expected from before to");
	}
	free(path);
}

/* Versions of one code follow each other. */
static void check_versions(const struct policy *policy, const char *folder, struct problems *p)
{
	char *path = path_in(folder, GRIDS_FILE);

	for (size_t i = 0; i < policy->grids.count; i++) {
		const struct grid *g = policy->grids.rows[i], *older = g->older;
		int line = policy->grids.lines[i];

		if (g->to_ms && g->from_ms >= g->to_ms)
			problems_add(p, path, line, "found a grid that ends before it begins; expected from before to");
		if (older && (older->to_ms == 0 || older->to_ms > g->from_ms))
			problems_add(p, path, line,
			             "found a version of grid %" PRId64 " that begins while the one in line %d holds; "
			             "expected that one to end (to) by this one's from",
			             g->code, policy->grids.lines[older->index]);
	}
	free(path);
}

void policy_map_load(struct policy *policy, const char *folder, _Bool strictly, struct problems *p)
{
	read_sheet(&overlay_sheet, folder, &policy->overlays, policy, p);
	read_sheet(&point_sheet, folder, &policy->default_points, policy, p);
	check_overlay_dates(policy, folder, p);
	check_versions(policy, folder, p);
	load_grids(policy, folder, strictly, p);
	load_overlays(policy, folder, p);
}

void policy_map_close(struct policy *policy)
{
	map_free(policy->map);
	map_free(policy->overlay_map);
	lookup_close(&policy->grid_codes);
	table_close(&policy->overlays);
	table_close(&policy->default_points);
}
