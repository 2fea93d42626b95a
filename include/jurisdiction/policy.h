/* policy: what one street has decided, as data: areas and grids, people and units, categories and routes, cameras,
 * limits and rewards. Loaded whole from a folder of files, checked whole, then immutable; a reload makes a new one.
 * Knows nothing of cases. Any thread may read it; texts live as long as the policy.
 *
 * Files in the folder (UTF-8 CSV with a header row, '#' comment lines; columns in the order given):
 *   areas.csv       code,name,parent            12-digit codes; parent empty for the root
 *   grids.csv       grid,name,community,from,to,south,west,north,east    15-digit; in
 *                   force from <= t < to; the box in WGS-84 degrees, for grids without an outline in grids.geojson.
 *                   The last six columns may be missing. The map's other files: policy_map.h
 *   categories.csv  category,name,zh,limit,points,sure,after_photo,merge_m,merge_hours[,near_far,
 *                  before_photo,maybe_m,maybe_hours,matter,kin]    see struct category
 *   units.csv       unit,name,kind,area         handlers and conveners; kind: department property contractor volunteer community street self-managed
 *   people.csv      id,name,kind,roles,area,unit,token_sha256,trusted[,certificate,household]    roles joined by '+'
 *   routes.csv      category,area,unit,from,to[,co_units,hours]    category code, class ("E01") or "*"; area or grid prefix or "*"; dates yyyy-mm-dd or empty
 *   contracts.csv   who was hired for what, where and until when: jurisdiction/handlers.h
 *   cameras.csv and camera_labels.csv: see jurisdiction/cameras.h
 *   reasons.csv     act,code,text               allowed reasons for reject, return, rework, suspend, dismiss, exempt
 *   post_kinds.csv, posts.csv    who holds which post where: jurisdiction/posts.h
 *   calendar.csv    date,kind,name    holiday, workday (调休) or worked (a holiday on which the clock runs); may be absent
 *   rights.csv      rights that are taken away: jurisdiction/rights.h; may be absent
 *   policy.conf     the settings below in struct policy_rules
 */
#ifndef JURISDICTION_POLICY_H
#define JURISDICTION_POLICY_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/settings.h"
#include "jurisdiction/category.h"
#include "jurisdiction/policy_rules.h"
#include "jurisdiction/roles.h"
#include "jurisdiction/route_cells.h"

struct area {
	int64_t code; /* 12 digits */
	const char *name;
	int64_t parent; /* 0: root */
};

struct grid {
	int64_t code; /* 15 digits; its first 12 are its community */
	const char *name;
	int64_t community;
	int32_t south_e7, west_e7, north_e7, east_e7; /* its box; CELL_NO_SIDE: its outline is in grids.geojson */
	int64_t from_ms, to_ms;                       /* in force: from <= t < to; 0: unbounded */
	const struct grid *older;                     /* the version of the same code before this one, or NULL */
	size_t index;                                 /* policy_grid_at gives it back */
};

struct unit {
	const char *id, *name, *kind;
	int64_t area; /* prefix code it works in, 0: everywhere */
};

struct person {
	const char *id, *name;
	int kind;                 /* enum reporter_kind */
	uint32_t roles;           /* enum role bits */
	int64_t area;             /* 12- or 15-digit code its rights are for, 0: the whole jurisdiction */
	const char *unit;         /* unit id or NULL */
	const char *token_sha256; /* 64 hex digits; NULL: cannot log in by token */
	const char *certificate;  /* SHA-256 of a TLS client certificate, 64 hex digits; NULL: cannot log in by one */
	_Bool trusted;
	const char *household; /* a word that people of one household share; NULL: not known */
};

struct route {
	int32_t category;       /* 0: any; multiple of 100: a class */
	int64_t area;           /* prefix, 0: any */
	const char *unit;       /* or "post:doctor": the unit of who holds that post there */
	int64_t from_ms, to_ms; /* in force: from ≤ t < to; 0: unbounded */
	struct co_units co_units;
	struct day_hours hours;
};

struct policy;

/* Loads and checks the folder. NULL when anything is wrong; every mistake is a line in *p. */
struct policy *policy_load(const char *folder, struct problems *p) MUST_USE;
/* A policy lives until the last who holds it lets go: its maker holds it once, and everybody who keeps a pointer into it
 * beyond a call holds it for as long. Any thread. */
const struct policy *policy_hold(const struct policy *p); /* gives p back */
void policy_release(const struct policy *p);              /* NULL is fine */

#define POLICY_DIGEST_SIZE 65
/* SHA-256 of the files it was made of, as 64 hex digits: two policies of the same digest are the same. */
const char *policy_digest(const struct policy *p);
/* What is sound as files but will hurt at this time or soon after: each a warning in *to, with file and line. */
void policy_warn(const struct policy *p, int64_t now_ms, struct problems *to);

const struct policy_rules *policy_rules(const struct policy *p);
/* Look-ups: NULL when unknown. */
const struct area *policy_area(const struct policy *p, int64_t code);
const struct grid *policy_grid(const struct policy *p, int64_t code); /* its newest version */
const struct category *policy_category(const struct policy *p, int32_t code);
const struct unit *policy_unit(const struct policy *p, const char *id);
const struct person *policy_person(const struct policy *p, const char *id);
/* The reason's text for this act's name, NULL when the code is not on its list. */
const char *policy_reason(const struct policy *p, const char *act, const char *code);
/* "a, b, c": the codes allowed for this act, for refusals. */
void policy_reasons(const struct policy *p, const char *act, char *out, size_t size);

/* Who handles this category in this grid at this time, as jurisdiction/handlers.h asks it without a position. *sure (may
 * be NULL): no other ties. NULL: nobody. */
const struct unit *policy_route(const struct policy *p, int64_t grid, int32_t category, int64_t now_ms, _Bool *sure);

/* Whether a 15- or 12-digit code lies under a prefix code (12-digit areas end in zeros at upper levels). prefix 0: yes. */
_Bool area_holds(int64_t prefix, int64_t code);
/* "610404004001" or 15 digits → code, 0 when it is none. */
int64_t area_code_from_text(const char *text);

/* The i-th of each list, NULL past the end, for printing and statistics. */
const struct area *policy_area_at(const struct policy *p, size_t i);
const struct grid *policy_grid_at(const struct policy *p, size_t i);
const struct category *policy_category_at(const struct policy *p, size_t i);
const struct person *policy_person_at(const struct policy *p, size_t i);
const struct unit *policy_unit_at(const struct policy *p, size_t i);
/* The settings table behind policy.conf, ending in a NULL key. */
const struct setting *policy_settings(void);

#endif
