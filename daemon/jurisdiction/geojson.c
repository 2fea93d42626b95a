/* geojson: the one place that reads JSON by jansson. What jansson parsed knows no lines any more; the line of a feature is
 * that of its wanted property, found in the text, when the text names it exactly once a feature. */
#include "jurisdiction/geojson.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

#define E7 1e7
#define KEY_SIZE 128

struct reading {
	const char *path;
	const struct geojson_wish *wish;
	struct problems *problems;
	struct geojson_feature *feature; /* the one under way */
	size_t points;
	_Bool good;
};

static void wrong(struct reading *r, const char *format, ...) PRINTF_LIKE(2, 3);

/* About the feature under way. */
static void wrong(struct reading *r, const char *format, ...)
{
	const struct geojson_feature *f = r->feature;
	char *text = NULL;
	va_list args;

	va_start(args, format);
	must(vasprintf(&text, format, args) >= 0);
	va_end(args);
	if (f->key)
		problems_add(r->problems, r->path, f->line, "feature %d (%s %s): %s", f->number, r->wish->key, f->key,
		             text);
	else
		problems_add(r->problems, r->path, f->line, "feature %d: %s", f->number, text);
	free(text);
	r->good = 0;
}

/* ---- coordinates ---- */

/* A GIS that writes latitude first gives itself away wherever longitudes go beyond 90. */
static _Bool read_point(struct reading *r, const json_t *pair, struct outline *out)
{
	double lon = json_number_value(json_array_get(pair, 0)), lat = json_number_value(json_array_get(pair, 1));

	if (json_array_size(pair) < 2 || !json_is_number(json_array_get(pair, 0)) ||
	    !json_is_number(json_array_get(pair, 1))) {
		wrong(r, "found a position that is no pair of numbers; expected [longitude, latitude]");
		return 0;
	}
	if (fabs(lat) > 90 || fabs(lon) > 180) {
		wrong(r, "found longitude %.7g and latitude %.7g; expected -180 to 180 and -90 to 90%s", lon, lat,
		      fabs(lon) <= 90 && fabs(lat) <= 180 ? " (they look swapped: GeoJSON writes the longitude first)"
		                                          : "");
		return 0;
	}
	if (++r->points > GEOJSON_POINTS_MOST) {
		wrong(r, "found more than %d positions in the file; expected fewer: simplify the map",
		      GEOJSON_POINTS_MOST);
		return 0;
	}
	outline_add(out, (int32_t)lround(lat * E7), (int32_t)lround(lon * E7));
	return 1;
}

static _Bool read_run(struct reading *r, const json_t *positions, _Bool outer, struct outline *out)
{
	size_t i;
	const json_t *pair;

	if (!json_is_array(positions)) {
		wrong(r, "found coordinates that are no list of positions; expected [[longitude, latitude], ...]");
		return 0;
	}
	outline_begin_run(out, outer);
	json_array_foreach(positions, i, pair)
	{
		if (!read_point(r, pair, out))
			return 0;
	}
	return 1;
}

static _Bool read_ring(struct reading *r, const json_t *positions, _Bool outer, struct outline *out)
{
	if (!read_run(r, positions, outer, out))
		return 0;
	const struct outline_run *run = &out->runs[out->run_count - 1];
	const struct outline_point *first = &out->points[run->first], *last = first + run->count - 1;

	if (run->count < 4) {
		wrong(r, "found a ring of %zu positions; expected at least 4, the last the same as the first",
		      run->count);
		return 0;
	}
	if (first->lat_e7 != last->lat_e7 || first->lon_e7 != last->lon_e7) {
		wrong(r,
		      "found a ring that begins at %.7f,%.7f and ends at %.7f,%.7f (latitude, longitude); expected it "
		      "closed: the last position the same as the first",
		      first->lat_e7 / E7, first->lon_e7 / E7, last->lat_e7 / E7, last->lon_e7 / E7);
		return 0;
	}
	return 1;
}

static _Bool read_polygon(struct reading *r, const json_t *rings, struct outline *out)
{
	size_t i;
	const json_t *ring;

	if (json_array_size(rings) == 0) {
		wrong(r, "found a polygon without rings; expected at least its outer ring");
		return 0;
	}
	json_array_foreach(rings, i, ring)
	{
		if (!read_ring(r, ring, i == 0, out))
			return 0;
	}
	return 1;
}

static _Bool read_line(struct reading *r, const json_t *positions, struct outline *out)
{
	if (!read_run(r, positions, 1, out))
		return 0;
	if (out->runs[out->run_count - 1].count >= 2)
		return 1;
	wrong(r, "found a line of fewer than 2 positions; expected at least 2");
	return 0;
}

/* ---- geometries ---- */

static const struct kind {
	const char *name;
	_Bool many, line;
} kinds[] = {
	{ "Polygon", 0, 0 },
	{ "MultiPolygon", 1, 0 },
	{ "LineString", 0, 1 },
	{ "MultiLineString", 1, 1 },
};

static const struct kind *find_kind(const struct reading *r, const char *name)
{
	for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0 && (!kinds[i].line || r->wish->lines))
			return &kinds[i];
	return NULL;
}

static _Bool read_many(struct reading *r, const struct kind *k, const json_t *parts, struct outline *out)
{
	_Bool (*const read_one)(struct reading *, const json_t *, struct outline *) = k->line ? read_line
	                                                                                      : read_polygon;
	size_t i;
	const json_t *part;

	if (!k->many)
		return read_one(r, parts, out);
	if (json_array_size(parts) == 0) {
		wrong(r, "found a %s without parts; expected at least one", k->name);
		return 0;
	}
	json_array_foreach(parts, i, part)
	{
		if (!read_one(r, part, out))
			return 0;
	}
	return 1;
}

static _Bool read_width(struct reading *r, const json_t *properties, struct outline *out)
{
	const json_t *width = json_object_get(properties, "width_m");
	double metres = json_number_value(width);

	if (metres >= 1 && metres <= GEOJSON_WIDTH_MOST) {
		out->width_m = metres;
		return 1;
	}
	wrong(r, "found a line without a property width_m from 1 to %d; expected its width in metres",
	      GEOJSON_WIDTH_MOST);
	return 0;
}

static _Bool read_geometry(struct reading *r, const json_t *feature)
{
	const json_t *geometry = json_object_get(feature, "geometry");
	const char *name = json_string_value(json_object_get(geometry, "type"));
	const struct kind *k = find_kind(r, name);
	struct outline *out = &r->feature->outline;

	if (!k) {
		wrong(r, "found %s%.40s%s as its geometry; expected Polygon or MultiPolygon%s", name ? "\"" : "",
		      name ? name : "nothing", name ? "\"" : "",
		      r->wish->lines ? ", LineString or MultiLineString with a property width_m" : "");
		return 0;
	}
	return (!k->line || read_width(r, json_object_get(feature, "properties"), out)) &&
	       read_many(r, k, json_object_get(geometry, "coordinates"), out);
}

/* ---- features ---- */

/* A text, or a whole number as some programs write codes; NULL when it is neither or no line of text. */
static char *text_of(const json_t *value)
{
	char number[KEY_SIZE];
	const char *text = json_string_value(value);

	if (json_is_integer(value))
		snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value) && fabs(json_real_value(value)) < 1e15 &&
	         trunc(json_real_value(value)) == json_real_value(value))
		snprintf(number, sizeof number, "%.0f", json_real_value(value));
	else if (!text || !*text || strlen(text) >= sizeof number ||
	         !text_is(TEXT_LINE, (const uint8_t *)text, strlen(text)))
		return NULL;
	return must_strdup(text ? text : number);
}

static _Bool read_properties(struct reading *r, const json_t *feature)
{
	const json_t *properties = json_object_get(feature, "properties");
	const char *type = json_string_value(json_object_get(feature, "type"));
	struct geojson_feature *f = r->feature;

	if (!type || strcmp(type, "Feature") != 0) {
		wrong(r, "found no \"type\": \"Feature\"; expected a Feature");
		return 0;
	}
	f->key = text_of(json_object_get(properties, r->wish->key));
	f->from = text_of(json_object_get(properties, "from"));
	f->name = text_of(json_object_get(properties, "name"));
	if (f->key)
		return 1;
	wrong(r, "found no property \"%s\"; expected %s", r->wish->key, r->wish->what);
	return 0;
}

static void feature_close(struct geojson_feature *f)
{
	free(f->key);
	free(f->from);
	free(f->name);
	outline_close(&f->outline);
	*f = (struct geojson_feature){ 0 };
}

static void read_features(struct reading *r, const json_t *list, const int *lines, struct geojson *out)
{
	size_t i;
	const json_t *feature;

	out->features = must_calloc(json_array_size(list) + 1, sizeof *out->features);
	json_array_foreach(list, i, feature)
	{
		r->feature = &out->features[out->count];
		r->feature->number = (int)i + 1;
		r->feature->line = lines ? lines[i] : 0;
		if (read_properties(r, feature) && read_geometry(r, feature))
			out->count++;
		else
			feature_close(r->feature);
	}
}

/* ---- the file ---- */

/* The line of each occurrence of "key": in the text; NULL unless there are exactly count. */
static int *find_lines(const char *text, const char *key, size_t count)
{
	int *lines = must_calloc(count + 1, sizeof *lines), line = 1;
	char wanted[KEY_SIZE];
	size_t found = 0;

	snprintf(wanted, sizeof wanted, "\"%s\"", key);
	for (const char *at = text, *hit; (hit = strstr(at, wanted)); at = hit + strlen(wanted)) {
		for (const char *c = at; c < hit; c++)
			line += *c == '\n';
		if (hit[strlen(wanted) + strspn(hit + strlen(wanted), " \t\r\n")] != ':')
			continue;
		if (found < count)
			lines[found] = line;
		found++;
	}
	if (found == count)
		return lines;
	free(lines);
	return NULL;
}

static char *read_whole(const char *path, size_t *size, const char **cause)
{
	FILE *from = fopen(path, "re");
	struct stat st;
	char *text = NULL;

	*cause = strerror(errno);
	if (!from)
		return NULL;
	*cause = "it is not a plain file of at most 64 MB";
	if (fstat(fileno(from), &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= GEOJSON_FILE_MOST) {
		text = must_calloc((size_t)st.st_size + 1, 1);
		*size = fread(text, 1, (size_t)st.st_size, from);
		/* strstr must not run over what follows a NUL; jansson refuses it anyway. */
		text[*size] = '\0';
	}
	fclose(from);
	return text;
}

/* false: told. */
static _Bool is_collection(const char *path, const json_t *root, struct problems *p)
{
	const char *type = json_string_value(json_object_get(root, "type"));
	const json_t *list = json_object_get(root, "features");

	if (!type || strcmp(type, "FeatureCollection") != 0 || !json_is_array(list)) {
		problems_add(p, path, 0,
		             "found no FeatureCollection; expected GeoJSON whose type is FeatureCollection");
		return 0;
	}
	if (json_array_size(list) > GEOJSON_FEATURES_MOST) {
		problems_add(p, path, 0, "found %zu features; expected at most %d", json_array_size(list),
		             GEOJSON_FEATURES_MOST);
		return 0;
	}
	return 1;
}

_Bool geojson_read(const char *path, const struct geojson_wish *wish, struct geojson *out, struct problems *p)
{
	struct reading r = { .path = path, .wish = wish, .problems = p };
	const char *cause;
	size_t size = 0;
	char *text = read_whole(path, &size, &cause);
	json_error_t error;

	if (!text) {
		problems_add(p, path, 0, "cannot be read: %s; expected a GeoJSON file", cause);
		return 0;
	}
	json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		problems_add(p, path, error.line > 0 ? error.line : 0,
		             "found no JSON at column %d: %s; expected a GeoJSON FeatureCollection in UTF-8",
		             error.column, error.text);
	if (root && is_collection(path, root, p)) {
		const json_t *list = json_object_get(root, "features");
		int *lines = find_lines(text, wish->key, json_array_size(list));

		r.good = 1;
		read_features(&r, list, lines, out);
		free(lines);
	}
	json_decref(root);
	free(text);
	return r.good;
}

void geojson_close(struct geojson *g)
{
	for (size_t i = 0; i < g->count; i++)
		feature_close(&g->features[i]);
	free(g->features);
	*g = (struct geojson){ 0 };
}
