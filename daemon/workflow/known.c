#include "workflow/known.h"

#include "workflow/likeness.h"

struct search {
	const struct policy_rules *rules;
	const struct category *category;
	const struct case_file *fresh;
	int64_t now_ms;
	struct known best;
	int32_t sure_score, maybe_score;
};

/* Reporters whose work it is to take things down, and who know what they took down before. */
static _Bool is_desk(uint8_t kind)
{
	return kind == REPORTER_HOTLINE || kind == REPORTER_GRID_WORKER || kind == REPORTER_PART_TIME;
}

static enum hands hands_of(const struct case_file *a, const struct sight *b)
{
	if (a->reporter == NULL || b->reporter == NULL)
		return HANDS_UNKNOWN;
	return a->reporter == b->reporter ? HANDS_SAME : HANDS_TWO; /* interned, so one pointer is one person */
}

static _Bool can_be_master(const struct case_file *c)
{
	return c->state < STATE_CLOSED && c->state != STATE_ALARM_PENDING;
}

static void consider(void *ctx, const struct sight *s)
{
	struct search *f = ctx;
	const struct case_file *c = f->fresh;
	struct likeness_pair pair = { .metres = s->metres,
		                      .apart_ms = f->now_ms - s->at_ms,
		                      .where = address_compare(c->address, s->address),
		                      .hands = hands_of(c, s),
		                      .same_kind = c->reporter_kind == s->reporter_kind,
		                      .at_desk = is_desk(c->reporter_kind) && is_desk(s->reporter_kind) };
	struct likeness_verdict v = likeness_judge(f->category, f->rules, &pair);

	if (v.is == LIKENESS_SURE && !can_be_master(s->file))
		v.is = LIKENESS_MAYBE;
	if (v.is == LIKENESS_SURE && v.score > f->sure_score) {
		f->best.sure = s->file;
		f->sure_score = v.score;
	} else if (v.is == LIKENESS_MAYBE && v.score > f->maybe_score) {
		f->best.maybe = s->file;
		f->maybe_score = v.score;
	}
}

struct known known_find(const struct casebook *b, const struct policy_rules *r, const struct category *k,
                        const struct case_file *c, int64_t now_ms)
{
	struct search f = { .rules = r, .category = k, .fresh = c, .now_ms = now_ms };
	const struct viewpoint from = { case_is_located(c), c->lat_e7, c->lon_e7, c->address };
	const struct category *one = k;
	double metres = likeness_metres(k, r);
	int64_t window = likeness_window_ms(k), since = window < now_ms ? now_ms - window : 0;

	for (int i = 0; i < KNOWN_KIN_MOST && one != NULL && (i == 0 || one != k); i++) {
		casebook_around(b, one->code, &from, metres, since, consider, &f);
		one = one->next_kin;
	}
	return f.best;
}
