/* dispatch 派遣: a filed case gets its lead unit 主办 and its co-handling units 协办, each with a clock of its own; and gets
 * another when what the choice rested on ends before anybody has signed in. */
#include <stdio.h>
#include <string.h>

#include "jurisdiction/handlers.h"
#include "workflow/decision.h"
#include "workflow/place.h"

_Static_assert(HANDLER_NO_PLACE == PLACE_NONE, "no position is the same for both"); // NOLINT(misc-redundant-expression)

/* ---- who ---- */

static _Bool is_named(const struct decision *d)
{
	return d->who != NULL && d->command->unit != NULL;
}

static void ask_policy(const struct decision *d, struct handler *h)
{
	const struct case_file *c = d->draft;
	struct handler_question q = { c->grid, c->lat_e7, c->lon_e7, c->category, d->now_ms };
	(void)policy_handler(d->policy, &q, h);
}

/* A contractor that a dispatcher names works by the contract it has, wherever that is. */
static void find_handler(const struct decision *d, struct handler *h)
{
	if (!is_named(d)) {
		ask_policy(d, h);
		return;
	}
	*h = (struct handler){ .unit = policy_unit(d->policy, d->command->unit) };
	if (h->unit != NULL && unit_needs_contract(h->unit))
		h->contract = policy_contract_of(d->policy, h->unit->id, d->now_ms);
	h->until_ms = h->contract == NULL ? 0 : h->contract->to_ms;
}

static _Bool names_itself_twice(const struct command *c, int i)
{
	for (int j = 0; j < i; j++)
		if (strcmp(c->units[i], c->units[j]) == 0)
			return 1;
	return 0;
}

_Bool decision_units_known(struct decision *d, const char *lead)
{
	const struct command *c = d->command;
	for (int i = 0; i < c->unit_count; i++) {
		if (policy_unit(d->policy, c->units[i]) == NULL)
			return decision_refuse(d, REFUSAL_UNKNOWN_PERSON, "unit-known", "There is no unit \"%s\" here.",
			                       c->units[i]);
		if ((lead != NULL && strcmp(c->units[i], lead) == 0) || names_itself_twice(c, i))
			return decision_refuse(d, REFUSAL_RULE_BROKEN, "units-differ",
			                       "Name each unit once; \"%s\" is named twice.", c->units[i]);
	}
	return 1;
}

_Bool handle_dispatch_guard(struct decision *d)
{
	struct handler h;
	find_handler(d, &h);
	if (h.unit == NULL)
		return decision_refuse(d, REFUSAL_UNKNOWN_PERSON, "handler-known",
		                       "No handler of that name, or nobody is there for this grid and category; name a "
		                       "unit.");
	if (h.tied != NULL && d->who == NULL)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "route-is-sure",
		                       "More than one handler fits; a dispatcher chooses.");
	if (is_named(d) && unit_needs_contract(h.unit) && h.contract == NULL)
		return decision_refuse(d, REFUSAL_RULE_BROKEN, "contract-in-force",
		                       "%s works by contract and has none in force today; name another unit.",
		                       h.unit->id);
	return d->who == NULL || decision_units_known(d, h.unit->id);
}

/* ---- the co-handlers ---- */

/* "lead,helper,helper": the casebook keeps one copy of each such text. */
const char *decision_units_joined(struct decision *d, const char *first, const char *const *units, int count)
{
	char text[(COMMAND_ID_MOST + 1) * (COMMAND_UNITS_MOST + 1)] = "";
	size_t used = 0;
	if (first != NULL)
		used = (size_t)snprintf(text, sizeof text, "%s", first);
	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used == 0 ? "" : ",", units[i]);
	return casebook_intern(d->book, text);
}

_Static_assert(CO_UNITS_MOST >= COMMAND_UNITS_MOST,
               "all that are named have room");                            // NOLINT(misc-redundant-expression)
_Static_assert(CO_UNITS_MOST >= CASE_UNITS_MOST, "so have all of a case"); // NOLINT(misc-redundant-expression)

/* What the dispatcher names goes before what the row that found the handler says. */
static void find_co_units(const struct decision *d, const struct handler *h, struct co_units *out)
{
	const struct command *c = d->command;
	*out = (struct co_units){ .count = 0 };
	if (d->who != NULL && c->unit_count > 0) {
		for (int i = 0; i < c->unit_count; i++)
			out->units[out->count++] = c->units[i];
		return;
	}
	for (int i = 0; h->co_units != NULL && i < h->co_units->count; i++) {
		if (strcmp(h->co_units->units[i], h->unit->id) == 0)
			continue; /* the lead came by a post or a fall-back */
		out->units[out->count] = h->co_units->units[i];
		out->limits[out->count++] = h->co_units->limits[i];
	}
}

static void co_clock(struct decision *d, int place, int64_t due_ms)
{
	struct fact *f = decision_event_on(d, d->draft, ACT_CO_DISPATCH, STATE_NONE);
	f->actor = SYSTEM_ACTOR;
	f->ref = d->draft->helpers[place];
	f->value = due_ms;
	decision_commit(d, f);
}

static void start_co_clocks(struct decision *d, const struct co_units *co, struct limit limit)
{
	for (int i = 0; i < d->draft->helper_count; i++) {
		_Bool own = co != NULL && co->limits[i].amount != 0;
		co_clock(d, i, deadline_of(d, d->now_ms, own ? co->limits[i] : limit));
	}
}

static struct limit limit_of(const struct case_file *c)
{
	return (struct limit){ c->limit_ms, (enum limit_unit)c->limit_unit };
}

void dispatch_co_anew(struct decision *d)
{
	start_co_clocks(d, NULL, limit_of(d->draft));
}

/* What was left is counted in the unit of the case's limit. */
void dispatch_co_go_on(struct decision *d, int64_t paused_ms)
{
	const struct case_file *c = d->draft;
	struct limit left = limit_of(c);
	for (int i = 0; i < c->helper_count; i++) {
		if ((c->helper_done >> i & 1) != 0)
			continue;
		left.amount =
			calendar_left(policy_calendar(d->policy), paused_ms, c->helper_due_ms[i], left.unit, NULL);
		co_clock(d, i, deadline_of(d, d->now_ms, left));
	}
}

static int late_helper(const struct decision *d)
{
	const struct case_file *c = d->draft;
	for (int i = 0; i < c->helper_count; i++)
		if (((c->helper_done | c->helper_told) >> i & 1) == 0 && c->helper_due_ms[i] != 0 &&
		    d->now_ms >= c->helper_due_ms[i])
			return i;
	return -1;
}

_Bool dispatch_co_late_guard(struct decision *d)
{
	return late_helper(d) >= 0;
}

void dispatch_co_late(struct decision *d)
{
	struct fact *f = decision_event(d, ACT_CO_LATE, STATE_NONE);
	f->ref = d->draft->helpers[late_helper(d)];
	f->value = d->draft->helper_due_ms[late_helper(d)];
	decision_commit(d, f);
}

/* ---- the dispatch ---- */

/* Why this handler, for the case's history; set after the notices, which say that somebody comes and not why. */
static void say_why(struct decision *d, struct fact *f, const struct handler *h)
{
	char why[HANDLER_WHY_SIZE];
	if (is_named(d) || f->text != NULL)
		return;
	handler_why(h, why);
	f->text = casebook_intern(d->book, why);
}

static void keep_basis(struct decision *d, const struct handler *h)
{
	const char *basis = handler_basis(h);
	if (basis == NULL && h->until_ms == 0)
		return;
	struct fact *f = decision_event_on(d, d->draft, ACT_BASIS, STATE_NONE);
	f->actor = SYSTEM_ACTOR;
	f->ref = basis;
	f->value = h->until_ms;
	decision_commit(d, f);
}

/* The clock starts with the category's limit, or goes on with what was left when the case was returned. */
void handle_dispatch(struct decision *d)
{
	struct handler h;
	struct co_units co;
	_Bool again = d->draft->dispatched_ms != 0;
	const struct category *k = policy_category(d->policy, d->draft->category);
	struct limit limit = limit_of(d->draft);
	if (!again && k != NULL)
		limit = k->limit;
	find_handler(d, &h);
	find_co_units(d, &h, &co);
	struct fact *f = decision_event(d, ACT_DISPATCH, STATE_DISPATCHED);
	f->ref = co.count == 0 ? h.unit->id : decision_units_joined(d, h.unit->id, co.units, co.count);
	f->value = limit.amount;
	f->unit = (uint8_t)limit.unit;
	deadline_run(d, f, limit, again ? d->draft->handle_left_ms : limit.amount);
	decision_commit(d, f);
	say_why(d, f, &h);
	keep_basis(d, &h);
	start_co_clocks(d, &co, limit);
}

/* Only ever written by the acts above, so never asked for alone. */
void dispatch_part(struct decision *d)
{
	(void)d;
	must_not_happen(__FILE__, __LINE__, "part of a dispatch");
}

/* ---- what it rested on has ended ---- */

_Bool dispatch_reroute_guard(struct decision *d)
{
	const struct case_file *c = d->draft;
	if (c->basis_until_ms != 0 && d->now_ms >= c->basis_until_ms)
		return 1;
	return c->basis != NULL && !handler_basis_holds(d->policy, c->basis, c->grid, d->now_ms);
}

static void stay(struct decision *d, const struct handler *h)
{
	struct fact *f = decision_event(d, ACT_REROUTE, STATE_NONE);
	f->ref = handler_basis(h);
	f->value = h->until_ms;
	decision_commit(d, f);
	say_why(d, f, h);
}

void dispatch_reroute(struct decision *d)
{
	struct handler h;
	ask_policy(d, &h);
	if (h.unit != NULL && h.tied == NULL && strcmp(h.unit->id, d->draft->handler) == 0) {
		stay(d, &h);
		return;
	}
	struct fact *f = decision_event(d, ACT_REROUTE, STATE_FILED);
	f->ref = d->draft->basis != NULL ? d->draft->basis : d->draft->handler;
	deadline_stop(d, f);
	decision_commit(d, f);
	if (d->rules->auto_dispatch)
		decision_then(d, ACT_DISPATCH);
}
