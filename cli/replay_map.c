#include "replay_map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jurisdiction/geojson.h"
#include "jurisdiction/map.h"

#define GRIDS_MOST 999 /* sequence numbers of a community */
#define SLIVER_M 1.0
#define E7 1e7

static FILE *open_in(const char *folder, const char *name, const char *mode, struct trouble *why)
{
	char path[4096];

	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
		trouble_set(why, EXIT_USAGE, "the folder's name is too long");
		return NULL;
	}
	FILE *to = fopen(path, mode);

	if (!to)
		trouble_set(why, EXIT_USAGE, "cannot write %.300s: %s", path, strerror(errno));
	return to;
}

static _Bool close_written(FILE *to, struct trouble *why)
{
	_Bool good = !ferror(to);

	good = fclose(to) == 0 && good;
	return good || trouble_set(why, EXIT_USAGE, "cannot write the map's files: %s", strerror(errno));
}

/* ---- grids.csv ---- */

static _Bool write_rows(const struct geojson *g, const char *folder, const char *community, struct trouble *why)
{
	FILE *to = open_in(folder, "grids.csv", "we", why);

	if (!to)
		return 0;
	fputs("grid,name,community\n", to);
	for (size_t i = 0; i < g->count; i++) {
		fprintf(to, "%s%03zu,\"", community, i + 1);
		for (const char *c = g->features[i].key; *c; c++) {
			if (*c == '"')
				putc('"', to);
			putc(*c, to);
		}
		fprintf(to, "\",%s\n", community);
	}
	return close_written(to, why);
}

/* ---- grids.geojson ---- */

static void put_ring(const struct outline *o, const struct outline_run *run, FILE *to)
{
	fputc('[', to);
	for (size_t i = 0; i < run->count; i++) {
		const struct outline_point *p = &o->points[run->first + i];

		fprintf(to, "%s[%.7f,%.7f]", i ? "," : "", p->lon_e7 / E7, p->lat_e7 / E7);
	}
	fputc(']', to);
}

static void put_polygons(const struct outline *o, FILE *to)
{
	for (size_t i = 0; i < o->run_count; i++) {
		fputs(!o->runs[i].outer ? "," : i ? "],[" : "[", to);
		put_ring(o, &o->runs[i], to);
	}
	fputc(']', to);
}

static _Bool write_outlines(const struct geojson *g, const char *folder, const char *community, struct trouble *why)
{
	FILE *to = open_in(folder, "grids.geojson", "we", why);

	if (!to)
		return 0;
	fputs("{\"type\":\"FeatureCollection\",\"features\":[\n", to);
	for (size_t i = 0; i < g->count; i++) {
		fprintf(to,
		        "%s{\"type\":\"Feature\",\"properties\":{\"grid\":\"%s%03zu\"},"
		        "\"geometry\":{\"type\":\"MultiPolygon\",\"coordinates\":[",
		        i ? ",\n" : "", community, i + 1);
		put_polygons(&g->features[i].outline, to);
		fputs("]}}", to);
	}
	fputs("\n]}\n", to);
	return close_written(to, why);
}

/* ---- what the map is like ---- */

static void count_fault(void *ctx, const struct map_fault *f)
{
	struct replay_map *out = ctx;

	out->overlaps += f->kind == MAP_OVERLAP;
	out->overlap_m2 += f->kind == MAP_OVERLAP ? f->square_metres : 0;
	out->gaps += f->kind == MAP_GAP;
}

static void look_at(const struct geojson *g, struct replay_map *out)
{
	struct map_shape *shapes = must_calloc(g->count + 1, sizeof *shapes);

	for (size_t i = 0; i < g->count; i++)
		shapes[i].outline = &g->features[i].outline;
	struct map *m = map_new(shapes, g->count);

	map_check(m, MAP_CHECK_OVERLAPS | MAP_CHECK_GAPS, SLIVER_M, count_fault, out);
	map_free(m);
	free(shapes);
}

static _Bool write_allowances(const struct replay_map *m, const char *folder, struct trouble *why)
{
	if (m->overlaps + m->gaps == 0)
		return 1;
	FILE *to = open_in(folder, "policy.conf", "ae", why);

	if (!to)
		return 0;
	fprintf(to,
	        "# The city's map is taken as it is: %zu overlaps, where the smaller grid holds, and %zu gaps, which "
	        "are "
	        "outside.\nmap_may_overlap = yes\nmap_may_gap = yes\n",
	        m->overlaps, m->gaps);
	return close_written(to, why);
}

static _Bool write_all(struct geojson *g, const char *folder, const char *community, struct replay_map *out,
                       struct trouble *why)
{
	if (g->count == 0 || g->count > GRIDS_MOST)
		return trouble_set(why, EXIT_USAGE, "the map has %zu features; expected 1 to %d", g->count, GRIDS_MOST);
	out->grids = g->count;
	for (size_t i = 0; i < g->count; i++)
		out->mended += map_mend(&g->features[i].outline);
	look_at(g, out);
	return write_rows(g, folder, community, why) && write_outlines(g, folder, community, why) &&
	       write_allowances(out, folder, why);
}

_Bool replay_map_write(const char *map, const char *folder, const char *community, struct replay_map *out,
                       struct trouble *why)
{
	static const struct geojson_wish wish = { "name", "the name of a part of the city", 0 };
	struct geojson g = { 0 };
	struct problems p = { 0 };
	_Bool good = geojson_read(map, &wish, &g, &p);

	*out = (struct replay_map){ 0 };
	if (!good)
		trouble_set(why, EXIT_USAGE, "the map cannot be used: %.300s", p.lines[0]);
	else
		good = write_all(&g, folder, community, out, why);
	problems_close(&p);
	geojson_close(&g);
	return good;
}
