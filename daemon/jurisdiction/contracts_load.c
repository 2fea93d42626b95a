/* contracts.csv: what its rows are, what may be wrong with them, and what will be soon. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "jurisdiction/audit.h"
#include "jurisdiction/policy_map.h"

#define ENDS_SOON_MS (30 * CLOCK_DAY_MS)

/* ---- rows ---- */

void audit_co_units(const struct audit *c, const struct co_units *co, const char *lead)
{
	for (int i = 0; i < co->count; i++) {
		audit_unit(c, co->units[i]);
		for (int j = 0; j < i; j++)
			if (strcmp(co->units[i], co->units[j]) == 0)
				audit_wrong(c, "found co-handling unit \"%s\" twice; expected it once", co->units[i]);
		if (strcmp(co->units[i], lead) == 0)
			audit_wrong(c, "found \"%s\" as its own co-handling unit; expected others", lead);
	}
}

static void check_contract_row(const struct audit *c, const void *row)
{
	const struct contract *k = row;

	audit_unit(c, k->unit);
	for (int i = 0; i < k->categories.count; i++)
		audit_category(c, k->categories.codes[i]);
	audit_co_units(c, &k->co_units, k->unit);
	audit_period(c, k->from_ms, k->to_ms);
}

/* ---- two units hired for the same ---- */

static int32_t shared_category(const struct contract *a, const struct contract *b)
{
	for (int i = 0; i < a->categories.count; i++)
		for (int j = 0; j < b->categories.count; j++)
			if (a->categories.codes[i] == b->categories.codes[j])
				return a->categories.codes[i] ? a->categories.codes[i] : -1;
	return 0;
}

static _Bool same_cell(const struct place_cell *a, const struct place_cell *b)
{
	if (a->overlay && b->overlay)
		return strcmp(a->overlay, b->overlay) == 0;
	return !a->overlay && !b->overlay && a->area == b->area;
}

static _Bool same_place(const struct contract *a, const struct contract *b)
{
	for (int i = 0; i < a->places.count; i++)
		for (int j = 0; j < b->places.count; j++)
			if (same_cell(&a->places.at[i], &b->places.at[j]))
				return 1;
	return a->places.count == 0 && b->places.count == 0;
}

static _Bool same_time(const struct contract *a, const struct contract *b)
{
	return (a->to_ms == 0 || b->from_ms < a->to_ms) && (b->to_ms == 0 || a->from_ms < b->to_ms);
}

static _Bool hour_in(const struct day_hours *h, int minute)
{
	return h->from < h->to ? minute >= h->from && minute < h->to : minute >= h->from || minute < h->to;
}

/* All day and some hours do not meet as equals: the hours go first. */
static _Bool same_hours(const struct day_hours *a, const struct day_hours *b)
{
	_Bool always_a = a->from == a->to, always_b = b->from == b->to;

	if (always_a || always_b)
		return always_a && always_b;
	return hour_in(a, b->from) || hour_in(b, a->from);
}

/* A group keeps what nobody was hired for; it and a company do not get into each other's way. */
static _Bool same_step(const struct policy *p, const struct contract *a, const struct contract *b)
{
	const struct unit *u = policy_unit(p, a->unit), *v = policy_unit(p, b->unit);

	if (!u || !v || !u->kind || !v->kind)
		return 0; /* a mistake of its own */
	return unit_is(u, "self-managed") == unit_is(v, "self-managed");
}

static void check_overlap(const struct audit *c, const struct contract *k, size_t before)
{
	const struct policy *p = c->policy;
	char category[WORDS_CATEGORY_SIZE] = "*";

	for (size_t i = 0; i < before; i++) {
		const struct contract *other = p->contracts.rows[i];
		int32_t shared = shared_category(k, other);

		if (!shared || !p->contracts.sound[i] || strcmp(k->unit, other->unit) == 0 || !same_step(p, k, other) ||
		    !same_place(k, other) || !same_time(k, other) || !same_hours(&k->hours, &other->hours))
			continue;
		if (shared > 0)
			words_category_text(shared, category);
		audit_wrong(c,
		            "found contract \"%s\" of \"%s\" for %s at the same place and time as \"%s\" of \"%s\" in "
		            "line %d; "
		            "expected one unit for each",
		            k->id, k->unit, category, other->id, other->unit, p->contracts.lines[i]);
		return;
	}
}

static void check_place(const struct audit *c, const struct place_cell *place)
{
	if (place->overlay && !policy_overlay(c->policy, place->overlay))
		audit_wrong(c, "found area \"%s\"; expected an area, a grid or an overlay of the map", place->overlay);
	else if (!place->overlay)
		audit_place(c, "area", place->area);
}

/* After the map is read: overlays are part of it. */
static void check_places(const struct audit *c, const struct contract *k)
{
	for (int i = 0; i < k->places.count; i++)
		check_place(c, &k->places.at[i]);
}

void contracts_check(const struct policy *p, struct problems *to)
{
	char *path = audit_path(p, "contracts.csv");

	for (size_t i = 0; i < p->contracts.count; i++) {
		struct audit c = { .policy = p, .problems = to, .path = path, .line = p->contracts.lines[i] };

		if (p->contracts.sound[i])
			check_places(&c, p->contracts.rows[i]);
		if (p->contracts.sound[i])
			check_overlap(&c, p->contracts.rows[i], i);
	}
	free(path);
}

/* ---- warnings ---- */

/* Whether some contract of the unit is in force then. */
static void warn_idle_units(const struct policy *p, int64_t now_ms, struct problems *to)
{
	char *path = audit_path(p, "units.csv");
	const struct unit *u;

	for (size_t i = 0; (u = policy_unit_at(p, i)) != NULL; i++)
		if (unit_needs_contract(u) && !policy_contract_of(p, u->id, now_ms))
			problems_warn(
				to, path, p->units.lines[i],
				"%s %s works by contract and none is in force: no case goes to it; see contracts.csv",
				u->kind, u->id);
	free(path);
}

static _Bool has_successor(const struct policy *p, const struct contract *k)
{
	const struct contract *other;

	for (size_t i = 0; (other = policy_contract_at(p, i)) != NULL; i++)
		if (other != k && other->from_ms <= k->to_ms && (other->to_ms == 0 || other->to_ms > k->to_ms) &&
		    shared_category(k, other) && same_place(k, other))
			return 1;
	return 0;
}

static void warn_ends(const struct policy *p, int64_t now_ms, struct problems *to)
{
	char *path = audit_path(p, "contracts.csv"), date[CLOCK_TEXT_SIZE];
	const struct contract *k;

	for (size_t i = 0; (k = policy_contract_at(p, i)) != NULL; i++) {
		if (k->to_ms <= now_ms || k->to_ms > now_ms + ENDS_SOON_MS || has_successor(p, k))
			continue;
		clock_text(k->to_ms, date, sizeof date);
		problems_warn(to, path, p->contracts.lines[i],
		              "contract %s of %s ends on %.10s and none follows it: its cases go to whoever is next",
		              k->id, k->unit, date);
	}
	free(path);
}

void contracts_warn(const struct policy *p, int64_t now_ms, struct problems *to)
{
	warn_idle_units(p, now_ms, to);
	warn_ends(p, now_ms, to);
}

/* ---- the file ---- */

static size_t contract_key(const void *row, char out[SHEET_KEY_SIZE])
{
	return audit_text_key(((const struct contract *)row)->id, out);
}

#define CONTRACT(f) offsetof(struct contract, f)
#define DATE_EXPECTED "a date such as 2026-05-01 (yyyy-mm-dd), or nothing"
static const struct column contract_columns[] = {
	{ "contract", cell_id, CONTRACT(id), .key = 1, .expected = ID_EXPECTED },
	{ "unit", cell_id, CONTRACT(unit), .key = 1, .expected = ID_EXPECTED },
	{ "categories", cell_categories, CONTRACT(categories), .expected = CATEGORIES_EXPECTED },
	{ "area", cell_places, CONTRACT(places), .none = "*", .expected = PLACE_CELL_EXPECTED },
	{ "from", cell_date, CONTRACT(from_ms), .none = "", .expected = DATE_EXPECTED },
	{ "to", cell_date, CONTRACT(to_ms), .none = "", .expected = DATE_EXPECTED },
	{ "co_units", cell_co_units, CONTRACT(co_units), .none = "", .optional = 1, .expected = CO_UNITS_EXPECTED },
	{ "hours", cell_day_hours, CONTRACT(hours), .none = "", .optional = 1, .expected = DAY_HOURS_EXPECTED },
	{ .name = NULL },
};

const struct part contracts_files[] = {
	{ { "contracts.csv", "contract", contract_columns, sizeof(struct contract), contract_key, SHEET_OPTIONAL },
	  offsetof(struct policy, contracts),
	  check_contract_row },
	{ .sheet = { .file = NULL } },
};
