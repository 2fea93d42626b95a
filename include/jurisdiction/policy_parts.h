/* policy_parts: what a policy is made of. For the loader and the look-ups only; everybody else uses policy.h. */
#ifndef JURISDICTION_POLICY_PARTS_H
#define JURISDICTION_POLICY_PARTS_H

#include <stdatomic.h>

#include "jurisdiction/calendar.h"
#include "jurisdiction/cameras_load.h"
#include "jurisdiction/map.h"
#include "jurisdiction/policy_map.h"
#include "jurisdiction/posts_parts.h"
#include "jurisdiction/rights_parts.h"
#include "jurisdiction/routing.h"
#include "jurisdiction/sheet.h"

struct reason {
	const char *act, *code, *text;
};

struct policy {
	const char *folder; /* for warnings that come later */
	_Atomic int holders;
	char digest[POLICY_DIGEST_SIZE];
	struct policy_rules rules;
	struct texts texts;
	struct table areas, grids, categories, units, people, routes, reasons, post_kinds, posts, contracts;
	struct cameras cameras;
	struct table overlays, default_points;
	struct lookup grid_codes;      /* code → its newest version */
	struct map *map, *overlay_map; /* a shape's number is its row's */
	struct table days;             /* of calendar.csv */
	struct calendar calendar;
	struct routing routing;
	struct posts post_index;
	struct table rights_taken; /* of rights.csv */
	struct rights rights;
};

/* The digest of the folder as it is now: over the name and the bytes of every file in it that a policy could be made of
 * (*.csv, *.conf, *.json, *.geojson), sorted by name. */
void policy_digest_folder(const char *folder, char out[POLICY_DIGEST_SIZE]);

/* Two texts as one key, with a byte between them that neither may hold. 0 when they do not fit. */
size_t policy_key_pair(const char *first, const char *second, char out[SHEET_KEY_SIZE]);

/* policy_map_load.c: joins the versions of each grid, once grids.csv is read; then, once everything else is read and
 * checked row by row, the rest of the map's files. strictly: the rules are known that say how strict to be. Problems go
 * to *p. */
void policy_map_index(struct policy *policy);
void policy_map_load(struct policy *policy, const char *folder, _Bool strictly, struct problems *p);
void policy_map_close(struct policy *policy); /* safe with whatever was loaded */
/* ---- policy_calendar.c: after the rules were read ---- */
void policy_calendar_read(struct policy *policy, const char *folder, struct problems *p);
/* A list of holidays that ends soon, or that is not there. */
void policy_calendar_warn(const struct policy *p, int64_t now_ms, struct problems *to);

/* ---- rights_load.c: what rights.csv leaves of the built-in rights ---- */
void rights_build(struct policy *p);
void rights_warn(const struct policy *p, int64_t now_ms, struct problems *to);

#endif
