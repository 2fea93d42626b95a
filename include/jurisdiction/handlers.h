/* handlers: who handles a matter, and why. Asked in this order, the first that answers is it:
 *
 *   1 a contract in force (a contractor's, a property company's 物业), for the smallest area that has one
 *   2 the agreement of a self-management group 自管小组, where nobody was hired (非物管小区)
 *   3 a route of routes.csv: a department, or whoever holds a post there ("post:doctor")
 *   4 the unit of the grid's own worker, 5 the community's unit, 6 the street's
 *
 * Within one of the first three the smaller area wins (an overlay before the grid it lies over, the grid before the
 * community …), then the narrower category, then a row for hours of the day before one for all day, then file order; two
 * different units that are equal in all of this tie, and a dispatcher chooses.
 *
 *   contracts.csv  contract,unit,categories,area,from,to[,co_units,hours]
 *     categories: codes, classes ("E01") or "*", joined by '+'; area: codes of areas or grids, ids of overlays, joined by '+', or "*";
 *     co_units: co-handling units 协办 joined by '+', each with a limit of its own if it has one: "police+water=4wh";
 *     hours: "18:00-08:00", local; empty: all day. routes.csv has the same two optional columns. */
#ifndef JURISDICTION_HANDLERS_H
#define JURISDICTION_HANDLERS_H

#include <stddef.h>
#include <stdint.h>

#include "jurisdiction/policy.h"
#include "jurisdiction/posts.h"

enum handler_step {
	HANDLER_CONTRACT,
	HANDLER_SELF_MANAGED,
	HANDLER_ROUTE,
	HANDLER_GRID,
	HANDLER_COMMUNITY,
	HANDLER_STREET,
	HANDLER_STEPS
};

#define CONTRACT_CATEGORIES_MOST 32

struct category_list {
	int32_t codes[CONTRACT_CATEGORIES_MOST]; /* 0: any; multiple of 100: a class */
	int count;
};

struct contract {
	const char *id, *unit;
	struct category_list categories;
	struct place_cells places;
	int64_t from_ms, to_ms; /* in force: from ≤ t < to; 0: unbounded */
	struct co_units co_units;
	struct day_hours hours;
};

#define HANDLER_NO_PLACE INT32_MIN

struct handler_question {
	int64_t grid;           /* or any larger area's code */
	int32_t lat_e7, lon_e7; /* HANDLER_NO_PLACE: not known, then no overlay is asked */
	int32_t category;
	int64_t at_ms;
};

struct handler {
	const struct unit *unit; /* NULL: nobody */
	enum handler_step step;
	const struct contract *contract; /* NULL: none */
	const struct route *route;       /* NULL: none of routes.csv */
	const struct post *post;         /* whose holder's unit it is; NULL: none */
	const struct co_units *co_units; /* NULL: none */
	const struct unit *tied;         /* another that fits as well; NULL: it is sure */
	int64_t until_ms;                /* when what it rests on ends; 0: not known to end */
};

/* false: nobody, out->unit is NULL. */
_Bool policy_handler(const struct policy *p, const struct handler_question *q, struct handler *out);
/* "合同 contract river-2026 (E0125 in …) until 2027-05-01", for people. */
#define HANDLER_WHY_SIZE 200
void handler_why(const struct handler *h, char out[HANDLER_WHY_SIZE]);
/* What the answer rests on, as an id for the case: the contract's, "post:<kind>" or NULL. */
const char *handler_basis(const struct handler *h);
/* Whether what this basis named is in force at that time; a post's: whether anybody holds it for the grid. */
_Bool handler_basis_holds(const struct policy *p, const char *basis, int64_t grid, int64_t at_ms);

const struct contract *policy_contract(const struct policy *p, const char *id); /* NULL: unknown */
const struct contract *policy_contract_at(const struct policy *p, size_t i);    /* NULL past the end */
/* Whether units of this kind work only by contract. */
_Bool unit_needs_contract(const struct unit *u);
/* Whether it is of this kind; one whose kind is a mistake, which is told, is of none. */
_Bool unit_is(const struct unit *u, const char *kind);
/* The unit's contract that is in force then and lasts longest, NULL: none. */
const struct contract *policy_contract_of(const struct policy *p, const char *unit, int64_t at_ms);

#endif
