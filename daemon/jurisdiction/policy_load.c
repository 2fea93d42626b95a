#include "jurisdiction/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

#define RULES_FILE "policy.conf"
#define POINTS_MOST 10000
#define MERGE_METRES_MOST 5000
#define MERGE_HOURS_MOST 8760

/* ---- checks that need more than one cell: they run over every sound row once all files are read ---- */

static const struct area *first_root(const struct policy *p)
{
	size_t i = 0;

	while (i < p->areas.count && (policy_area_at(p, i)->parent != 0 || !p->areas.sound[i]))
		i++;
	return policy_area_at(p, i);
}

static void check_area_row(const struct audit *c, const void *row)
{
	const struct area *a = row;

	if (a->parent == 0) {
		/* A second root is a parent forgotten. */
		if (a != first_root(c->policy))
			audit_wrong(c, "found no parent; expected one, for only one area, the root, is without");
	} else if (!audit_is_known(&c->policy->areas, policy_area(c->policy, a->parent))) {
		audit_wrong(c, "found parent %" PRId64 "; expected an area of this file", a->parent);
	} else if (a->parent == a->code || !area_holds(a->parent, a->code)) {
		audit_wrong(c, "found parent %" PRId64 "; expected an area whose digits area %" PRId64 " begins with",
		            a->parent, a->code);
	}
}

static void check_box(const struct audit *c, const struct grid *g)
{
	int sides = (g->south_e7 != CELL_NO_SIDE) + (g->west_e7 != CELL_NO_SIDE) + (g->north_e7 != CELL_NO_SIDE) +
	            (g->east_e7 != CELL_NO_SIDE);

	if (sides != 0 && sides != 4)
		audit_wrong(
			c,
			"found %d of a box's four sides; expected all of them, or none and an outline in grids.geojson",
			sides);
	if (sides == 4 && g->south_e7 >= g->north_e7)
		audit_wrong(c, "found a box whose south is not below its north; expected south < north");
	if (sides == 4 && g->west_e7 >= g->east_e7)
		audit_wrong(c, "found a box whose west is not below its east; expected west < east");
}

static void check_grid_row(const struct audit *c, const void *row)
{
	const struct grid *g = row;

	if (!audit_is_known(&c->policy->areas, policy_area(c->policy, g->community)))
		audit_wrong(c, "found community %" PRId64 "; expected an area from areas.csv", g->community);
	if (g->code / 1000 != g->community)
		audit_wrong(c, "found community %" PRId64 "; expected %" PRId64 ", the grid's first 12 digits",
		            g->community, g->code / 1000);
	check_box(c, g);
}

static void check_category_row(const struct audit *c, const void *row)
{
	const struct category *k = row;

	if ((k->merge_m == 0) != (k->merge_ms == 0))
		audit_wrong(c, "found merge_m and merge_hours of which one is 0; expected both or neither");
	if (k->kin)
		audit_category(c, k->kin);
	if (k->before_photo && !k->after_photo)
		audit_wrong(c, "found before_photo without after_photo; expected both, for before alone shows no work");
}

static void check_unit_row(const struct audit *c, const void *row)
{
	audit_place(c, "area", ((const struct unit *)row)->area);
}

static void check_person_row(const struct audit *c, const void *row)
{
	const struct person *who = row;

	audit_place(c, "area", who->area);
	audit_unit(c, who->unit);
	if (who->roles & ROLE_HANDLER && !who->unit)
		audit_wrong(c, "found the role handler without a unit; expected the unit that the person acts for");
	if (who->roles & ROLE_REPORTER && who->kind == 0)
		audit_wrong(c, "found the role reporter without a kind; expected what kind of reporter it is");
}

/* A unit that works by contract has its row in contracts.csv, where its end and its place stand as well. */
static void check_route_unit(const struct audit *c, const char *id)
{
	const struct unit *u = policy_unit(c->policy, id);
	const char *kind = id + strlen(POST_PREFIX);

	if (post_named(id)) {
		if (!audit_is_known(&c->policy->post_kinds, policy_post_kind(c->policy, kind)))
			audit_wrong(c, "found post \"%s\"; expected one from post_kinds.csv", kind);
		return;
	}
	audit_unit(c, id);
	if (u && (unit_needs_contract(u) || unit_is(u, "self-managed")))
		audit_wrong(c, "found unit \"%s\" of kind %s; expected its contract in contracts.csv instead", id,
		            u->kind);
}

static void check_route_row(const struct audit *c, const void *row)
{
	const struct route *r = row;

	audit_category(c, r->category);
	audit_place(c, "area", r->area);
	check_route_unit(c, r->unit);
	audit_co_units(c, &r->co_units, r->unit);
	audit_period(c, r->from_ms, r->to_ms);
}

/* ---- what tells rows apart ---- */

static size_t area_key(const void *row, char out[SHEET_KEY_SIZE])
{
	return audit_number_key(((const struct area *)row)->code, out);
}

static size_t grid_key(const void *row, char out[SHEET_KEY_SIZE])
{
	const struct grid *g = row;

	return (size_t)snprintf(out, SHEET_KEY_SIZE, "%" PRId64 " %" PRId64, g->code, g->from_ms);
}

static size_t category_key(const void *row, char out[SHEET_KEY_SIZE])
{
	return audit_number_key(((const struct category *)row)->code, out);
}

static size_t unit_key(const void *row, char out[SHEET_KEY_SIZE])
{
	return audit_text_key(((const struct unit *)row)->id, out);
}

static size_t person_key(const void *row, char out[SHEET_KEY_SIZE])
{
	return audit_text_key(((const struct person *)row)->id, out);
}

static size_t route_key(const void *row, char out[SHEET_KEY_SIZE])
{
	const struct route *r = row;

	return (size_t)snprintf(out, SHEET_KEY_SIZE, "%d %" PRId64 " %" PRId64 " %" PRId64 " %d %d %s",
	                        (int)r->category, r->area, r->from_ms, r->to_ms, r->hours.from, r->hours.to, r->unit);
}

static size_t reason_key(const void *row, char out[SHEET_KEY_SIZE])
{
	const struct reason *r = row;

	return policy_key_pair(r->act, r->code, out);
}

/* ---- the files ---- */

#define AREA(f) offsetof(struct area, f)
static const struct column area_columns[] = {
	{ "code", cell_area, AREA(code), .key = 1, .expected = "an area code of 12 digits" },
	{ "name", cell_name, AREA(name), .expected = NAME_EXPECTED },
	{ "parent", cell_area, AREA(parent), .none = "", .expected = "an area code of 12 digits, or nothing" },
	{ .name = NULL },
};

#define GRID(f) offsetof(struct grid, f)
#define LATITUDE .least = -90, .most = 90, .expected = "a latitude in degrees, -90 to 90"
#define LONGITUDE .least = -180, .most = 180, .expected = "a longitude in degrees, -180 to 180"
#define DATE_EXPECTED "a date as yyyy-mm-dd, or nothing"
static const struct column grid_columns[] = {
	{ "grid", cell_grid, GRID(code), .key = 1, .expected = "a grid code of 15 digits" },
	{ "name", cell_name, GRID(name), .expected = NAME_EXPECTED },
	{ "community", cell_area, GRID(community), .expected = "an area code of 12 digits" },
	{ "from", cell_date, GRID(from_ms), .key = 1, .none = "", .optional = 1, .expected = DATE_EXPECTED },
	{ "to", cell_date, GRID(to_ms), .none = "", .optional = 1, .expected = DATE_EXPECTED },
	{ "south", cell_side, GRID(south_e7), .optional = 1, LATITUDE },
	{ "west", cell_side, GRID(west_e7), .optional = 1, LONGITUDE },
	{ "north", cell_side, GRID(north_e7), .optional = 1, LATITUDE },
	{ "east", cell_side, GRID(east_e7), .optional = 1, LONGITUDE },
	{ .name = NULL },
};

#define CATEGORY(f) offsetof(struct category, f)
static const struct column category_columns[] = {
	{ "category", cell_category, CATEGORY(code), .key = 1, .expected = "a code such as E0110 or C0102" },
	{ "name", cell_name, CATEGORY(name), .expected = NAME_EXPECTED },
	{ "zh", cell_name, CATEGORY(zh), .none = "", .expected = NAME_EXPECTED },
	{ "limit", cell_limit, CATEGORY(limit), .least = CLOCK_MINUTE_MS, .most = 3660 * CLOCK_DAY_MS,
	  .expected = LIMIT_EXPECTED ", from one minute to ten years" },
	{ "points", cell_int, CATEGORY(points), .most = POINTS_MOST },
	{ "sure", cell_yes, CATEGORY(sure), .expected = "yes or no" },
	{ "after_photo", cell_yes, CATEGORY(after_photo), .expected = "yes or no" },
	{ "merge_m", cell_int, CATEGORY(merge_m), .most = MERGE_METRES_MOST },
	{ "merge_hours", cell_hours, CATEGORY(merge_ms), .most = MERGE_HOURS_MOST },
	{ "maybe_m", cell_int, CATEGORY(maybe_m), .most = MERGE_METRES_MOST, .none = "", .optional = 1 },
	{ "maybe_hours", cell_hours, CATEGORY(maybe_ms), .most = MERGE_HOURS_MOST, .none = "", .optional = 1 },
	{ "matter", cell_number_word, CATEGORY(matter), .none = "", .words = words_matters, .optional = 1 },
	{ "kin", cell_category, CATEGORY(kin), .none = "", .expected = "the code of one of the family, or nothing",
	  .optional = 1 },
	{ "near_far", cell_number_word, CATEGORY(near_far), .words = words_near_far, .optional = 1 },
	{ "before_photo", cell_yes, CATEGORY(before_photo), .expected = "yes or no", .optional = 1 },
	{ .name = NULL },
};

#define UNIT(f) offsetof(struct unit, f)
static const struct column unit_columns[] = {
	{ "unit", cell_id, UNIT(id), .key = 1, .expected = ID_EXPECTED },
	{ "name", cell_name, UNIT(name), .expected = NAME_EXPECTED },
	{ "kind", cell_word, UNIT(kind), .words = words_unit_kinds },
	{ "area", cell_prefix, UNIT(area), .none = "", .expected = PLACE_EXPECTED "nothing" },
	{ .name = NULL },
};

#define PERSON(f) offsetof(struct person, f)
static const struct column person_columns[] = {
	{ "id", cell_id, PERSON(id), .key = 1, .expected = ID_EXPECTED },
	{ "name", cell_name, PERSON(name), .expected = NAME_EXPECTED },
	{ "kind", cell_number_word, PERSON(kind), .none = "", .words = words_kinds },
	{ "roles", cell_bits, PERSON(roles), .words = words_roles },
	{ "area", cell_prefix, PERSON(area), .none = "", .expected = PLACE_EXPECTED "nothing" },
	{ "unit", cell_id, PERSON(unit), .none = "", .expected = ID_EXPECTED ", or nothing" },
	{ "token_sha256", cell_digest, PERSON(token_sha256), .none = "",
	  .expected = "the token's SHA-256 as 64 lower-case hex digits, or nothing" },
	{ "trusted", cell_yes, PERSON(trusted), .expected = "yes or no" },
	{ "certificate", cell_digest, PERSON(certificate), .none = "", .optional = 1,
	  .expected = "the SHA-256 of the client certificate as 64 lower-case hex digits, or nothing" },
	{ "household", cell_id, PERSON(household), .none = "", .optional = 1,
	  .expected = "a word that the people of one household share, or nothing" },
	{ .name = NULL },
};

#define ROUTE(f) offsetof(struct route, f)
static const struct column route_columns[] = {
	{ "category", cell_pattern, ROUTE(category), .key = 1, .none = "*",
	  .expected = "a code such as E0110, a class such as E01, or *" },
	{ "area", cell_prefix, ROUTE(area), .key = 1, .none = "*", .expected = PLACE_EXPECTED "*" },
	{ "unit", cell_id, ROUTE(unit), .key = 1, .expected = ID_EXPECTED },
	{ "from", cell_date, ROUTE(from_ms), .none = "", .expected = DATE_EXPECTED },
	{ "to", cell_date, ROUTE(to_ms), .none = "", .expected = DATE_EXPECTED },
	{ "co_units", cell_co_units, ROUTE(co_units), .none = "", .optional = 1, .expected = CO_UNITS_EXPECTED },
	{ "hours", cell_day_hours, ROUTE(hours), .none = "", .optional = 1, .expected = DAY_HOURS_EXPECTED },
	{ .name = NULL },
};

#define REASON(f) offsetof(struct reason, f)
static const struct column reason_columns[] = {
	{ "act", cell_word, REASON(act), .key = 1, .words = words_acts },
	{ "code", cell_id, REASON(code), .key = 1, .expected = ID_EXPECTED },
	{ "text", cell_name, REASON(text), .expected = "a text of at most 200 bytes" },
	{ .name = NULL },
};

#define TABLE(f) offsetof(struct policy, f)
static const struct part parts[] = {
	{ { "areas.csv", "area", area_columns, sizeof(struct area), area_key, 1 }, TABLE(areas), check_area_row },
	{ { "grids.csv", "grid", grid_columns, sizeof(struct grid), grid_key, 1 }, TABLE(grids), check_grid_row },
	{ { "categories.csv", "category", category_columns, sizeof(struct category), category_key, 1 },
	  TABLE(categories),
	  check_category_row },
	{ { "units.csv", "unit", unit_columns, sizeof(struct unit), unit_key, 0 }, TABLE(units), check_unit_row },
	{ { "people.csv", "person", person_columns, sizeof(struct person), person_key, 0 },
	  TABLE(people),
	  check_person_row },
	{ { "routes.csv", "route", route_columns, sizeof(struct route), route_key, 0 },
	  TABLE(routes),
	  check_route_row },
	{ { "reasons.csv", "act and code", reason_columns, sizeof(struct reason), reason_key, 0 },
	  TABLE(reasons),
	  NULL },
	{ .sheet = { .file = NULL } },
};

/* Every file, in the order of reading; each list ends in a part without one. */
static const struct part *const lists[] = { parts, posts_files, contracts_files, rights_files };
#define LISTS (sizeof lists / sizeof lists[0])

/* ---- loading ---- */

static struct table *table_of(struct policy *p, const struct part *part)
{
	return (struct table *)((char *)p + part->table);
}

static char *path_in(const char *folder, const char *file)
{
	char *path = NULL;

	must(asprintf(&path, "%s/%s", folder, file) >= 0);
	return path;
}

static void check_part(struct policy *policy, const struct part *part, const char *folder, struct problems *p)
{
	const struct table *t = table_of(policy, part);
	char *path = path_in(folder, part->sheet.file);

	for (size_t i = 0; part->check && i < t->count; i++) {
		struct audit c = { .policy = policy, .problems = p, .path = path, .line = t->lines[i] };

		if (t->sound[i])
			part->check(&c, t->rows[i]);
	}
	free(path);
}

/* An act whose list is empty could never be done. */
static void check_reasons(const struct policy *policy, const char *folder, struct problems *p)
{
	char codes[CELL_ID_MOST + 1];
	char *path = path_in(folder, "reasons.csv");

	for (const struct word *act = words_acts; act->name && !policy->reasons.partial; act++) {
		policy_reasons(policy, act->name, codes, sizeof codes);
		if (codes[0] == '\0')
			problems_add(p, path, 0, "found no reason for %s; expected at least one", act->name);
	}
	free(path);
}

/* Whether the rules are what the street wants; what is wrong with them is in the problems as well. */
static _Bool read_rules(struct policy *policy, const char *folder, struct problems *p)
{
	char *path = path_in(folder, RULES_FILE);

	settings_defaults(policy_settings(), &policy->rules);
	_Bool sound = settings_read(policy_settings(), &policy->rules, path, p);

	free(path);
	return sound;
}

static void read_folder(struct policy *policy, const char *folder, struct problems *p)
{
	for (size_t i = 0; i < LISTS; i++)
		for (const struct part *part = lists[i]; part->sheet.file; part++)
			sheet_read(&part->sheet, folder, table_of(policy, part), &policy->texts, p);
	cameras_read(policy, folder, p);
	_Bool sound = read_rules(policy, folder, p);

	policy_calendar_read(policy, folder, p);
	policy_map_index(policy);
	posts_build(policy);
	for (size_t i = 0; i < LISTS; i++)
		for (const struct part *part = lists[i]; part->sheet.file; part++)
			check_part(policy, part, folder, p);
	posts_check(policy, p);
	cameras_check(policy, folder, p);
	check_reasons(policy, folder, p);
	policy_map_load(policy, folder, sound, p);
	contracts_check(policy, p);
}

/* A category without a Chinese name is shown by its other one. */
static void fill_names(struct policy *policy)
{
	for (size_t i = 0; i < policy->categories.count; i++) {
		struct category *k = policy->categories.rows[i];

		if (!k->zh)
			k->zh = k->name;
	}
}

/* The families, each a ring. */
static void link_kin(struct table *categories)
{
	for (size_t i = 0; i < categories->count; i++) {
		struct category *k = categories->rows[i];

		for (size_t step = 1; k->kin && step < categories->count && !k->next_kin; step++) {
			const struct category *other = categories->rows[(i + step) % categories->count];

			if (other->kin == k->kin)
				k->next_kin = other;
		}
	}
}

/* A list that was full before no longer shows whether something was added. */
static _Bool went_wrong(const struct problems *p, size_t before)
{
	return p->count != before || before > PROBLEMS_MOST;
}

/* Somebody may be saving files just now: half of the old and half of the new may pass every check. */
static void check_unchanged(const struct policy *policy, const char *folder, struct problems *p)
{
	char now[POLICY_DIGEST_SIZE];

	policy_digest_folder(folder, now);
	if (strcmp(now, policy->digest) != 0)
		problems_add(p, folder, 0, "the files changed while they were read; save them all and load again");
}

struct policy *policy_load(const char *folder, struct problems *p)
{
	struct policy *policy = must_calloc(1, sizeof *policy);
	size_t before = p->count;

	policy->holders = 1;
	policy_digest_folder(folder, policy->digest);
	policy->folder = texts_keep(&policy->texts, folder);
	read_folder(policy, folder, p);
	check_unchanged(policy, folder, p);
	if (!went_wrong(p, before)) {
		fill_names(policy);
		link_kin(&policy->categories);
		routing_build(policy);
		rights_build(policy);
		cameras_check_places(policy, folder, p);
	}
	if (!went_wrong(p, before))
		return policy;
	policy_release(policy);
	return NULL;
}
