/* likeness: one table says what each relation of two addresses is worth. */
#include "workflow/likeness.h"

#include <stddef.h>

#include "jurisdiction/words.h"

/* A category's merge_m and merge_hours are its measure. A report uses up a share of each; where the addresses name the
 * same door only the time counts, for positions of one door differ by how they were taken. The shares together must stay
 * within what the relation of the addresses allows, because the less the addresses agree the nearer the rest must be. */
static const struct {
	size_t share;   /* in struct policy_rules, per cent; 0: all of it */
	_Bool door;     /* one house: distance does not count */
	_Bool own_sure; /* a household's own matter can be the same here */
	_Bool own_maybe;
	int32_t bonus; /* of the better of two */
} relations[ADDRESS_RELATIONS] = {
	[ADDRESS_UNKNOWN] = { offsetof(struct policy_rules, merge_no_address), 0, 0, 0, 1000 },
	[ADDRESS_ELSEWHERE] = { offsetof(struct policy_rules, merge_other_street), 0, 0, 0, 0 },
	[ADDRESS_MEETS] = { offsetof(struct policy_rules, merge_crossing), 0, 0, 0, 1000 },
	[ADDRESS_STREET] = { offsetof(struct policy_rules, merge_same_street), 0, 0, 0, 1000 },
	[ADDRESS_NEIGHBOUR] = { 0, 1, 0, 0, 4000 },
	[ADDRESS_HOUSE] = { 0, 1, 0, 1, 4000 },
	[ADDRESS_DOOR] = { 0, 1, 1, 1, 5000 },
};
#define PER_MILLE 1000.0

double likeness_metres(const struct category *k, const struct policy_rules *r)
{
	int64_t maybe = k->maybe_m ? k->maybe_m : r->same_within_m;

	return (double)(maybe > k->merge_m ? maybe : k->merge_m);
}

int64_t likeness_window_ms(const struct category *k)
{
	if (k->maybe_ms == 0)
		return INT64_MAX;
	return k->maybe_ms > k->merge_ms ? k->maybe_ms : k->merge_ms;
}

/* What is left of the measure in thousandths, negative when it is used up. */
static double measure_left(const struct category *k, const struct policy_rules *r, const struct likeness_pair *p)
{
	size_t share = relations[p->where].share;
	double allowed = share == 0 ? 1 : (double)*(const int64_t *)((const char *)r + share) / 100;
	double far = k->merge_m ? p->metres / k->merge_m : 0, late = (double)p->apart_ms / (double)k->merge_ms;

	if (!relations[p->where].door && p->metres > k->merge_m)
		return -1;
	return (allowed - late - (relations[p->where].door ? 0 : far)) * PER_MILLE;
}

/* A household's own matter: the same only at its own door, or when the same person says it again; and two calls that
 * somebody took down are two households, for whoever takes the second one knows the first. */
static _Bool own_can_be_sure(const struct likeness_pair *p)
{
	if (p->hands == HANDS_SAME)
		return p->where != ADDRESS_ELSEWHERE && p->where != ADDRESS_NEIGHBOUR;
	return p->hands == HANDS_UNKNOWN && relations[p->where].own_sure && !p->at_desk;
}

/* Where several stand in a row, who reports two in a breath means two: it is a round, not a second thought. */
static _Bool is_series(const struct policy_rules *r, const struct likeness_pair *p)
{
	return p->apart_ms < r->merge_series_ms && p->hands != HANDS_TWO && (p->same_kind || p->hands == HANDS_SAME);
}

static _Bool can_be_sure(const struct category *k, const struct policy_rules *r, const struct likeness_pair *p)
{
	return (k->matter != MATTER_OWN || own_can_be_sure(p)) && (k->matter != MATTER_SEVERAL || !is_series(r, p));
}

static _Bool can_be_maybe(const struct category *k, const struct policy_rules *r, const struct likeness_pair *p)
{
	double within = likeness_metres(k, r);

	if (p->metres > within || p->apart_ms > likeness_window_ms(k))
		return 0;
	return k->matter != MATTER_OWN || p->hands == HANDS_SAME || relations[p->where].own_maybe;
}

struct likeness_verdict likeness_judge(const struct category *k, const struct policy_rules *r,
                                       const struct likeness_pair *pair)
{
	double left = k->merge_ms > 0 && can_be_sure(k, r, pair) ? measure_left(k, r, pair) : -1;

	if (left >= 0)
		return (struct likeness_verdict){ LIKENESS_SURE, relations[pair->where].bonus + (int32_t)left + 1 };
	if (!can_be_maybe(k, r, pair))
		return (struct likeness_verdict){ LIKENESS_NO, 0 };

	double nearness = 1 - pair->metres / (likeness_metres(k, r) + 1);

	return (struct likeness_verdict){ LIKENESS_MAYBE,
		                          relations[pair->where].bonus + (int32_t)(nearness * PER_MILLE) + 1 };
}
