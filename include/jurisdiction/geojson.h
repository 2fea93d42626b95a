/* geojson: the features of one GeoJSON file (RFC 7946) as outlines with the few properties a map needs. Knows nothing of
 * grids. Every mistake becomes a problem with the file, the feature's line where it can be told, else its number. */
#ifndef JURISDICTION_GEOJSON_H
#define JURISDICTION_GEOJSON_H

#include "base/settings.h"
#include "jurisdiction/outline.h"

#define GEOJSON_FILE_MOST (64 << 20) /* bytes */
#define GEOJSON_FEATURES_MOST 100000
#define GEOJSON_POINTS_MOST 4000000 /* of all features */
#define GEOJSON_WIDTH_MOST 1000     /* metres, of a line */

struct geojson_feature {
	int number; /* from 1, in file order */
	int line;   /* 0: cannot be told */
	char *key;  /* what it is the outline of: the value of the wanted property; never empty */
	char *from; /* its property "from", a date by custom; NULL: none */
	char *name; /* its property "name"; NULL: none */
	struct outline outline;
};

struct geojson {
	struct geojson_feature *features;
	size_t count;
};

struct geojson_wish {
	const char *key;  /* the property that must be there */
	const char *what; /* what it holds, for a problem's text: "a grid code of 15 digits" */
	_Bool lines;      /* a line with a property width_m is as good as a polygon */
};

/* Reads the file into *out (zeroed). false: lines in *p, and *out holds the features that were sound. */
_Bool geojson_read(const char *path, const struct geojson_wish *wish, struct geojson *out, struct problems *p) MUST_USE;
void geojson_close(struct geojson *g); /* safe twice */

#endif
