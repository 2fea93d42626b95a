#include "jurisdiction/posts_parts.h"

#include <stdlib.h>
#include <string.h>

#include "jurisdiction/policy_map.h"
#include "jurisdiction/policy_parts.h"

#define DUTIES_MOST 32

/* ---- the index ---- */

static int compare_entries(const void *left, const void *right)
{
	const struct post_entry *a = left, *b = right;

	if (a->area != b->area)
		return a->area < b->area ? -1 : 1;
	if (a->duty != b->duty)
		return a->duty < b->duty ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

void posts_build(struct policy *p)
{
	struct posts *s = &p->post_index;

	*s = (struct posts){ .count = p->posts.count };
	s->entries = must_calloc(s->count, sizeof *s->entries);
	for (size_t i = 0; i < s->count; i++) {
		const struct post *post = p->posts.rows[i];
		const struct post_kind *kind = policy_post_kind(p, post->kind);
		int32_t duty = kind && kind->duty ? kind->duty : INT32_MAX;

		s->entries[i] = (struct post_entry){ post->area, duty, i, post };
	}
	qsort(s->entries, s->count, sizeof *s->entries, compare_entries);
	for (size_t i = 0; i < s->count; i++)
		if (i == 0 || s->entries[i].area != s->entries[i - 1].area)
			must(lookup_add(&s->first, &s->entries[i].area, sizeof s->entries[i].area, &s->entries[i]));
}

void posts_close(struct posts *s)
{
	free(s->entries);
	lookup_close(&s->first);
	*s = (struct posts){ 0 };
}

/* ---- look-ups ---- */

_Bool post_named(const char *unit)
{
	return unit && strncmp(unit, POST_PREFIX, strlen(POST_PREFIX)) == 0;
}

const struct post_kind *policy_post_kind(const struct policy *p, const char *id)
{
	return lookup_find_text(&p->post_kinds.by_key, id);
}

const struct post_kind *policy_post_kind_at(const struct policy *p, size_t i)
{
	return table_at(&p->post_kinds, i);
}

const struct post *policy_post_at(const struct policy *p, size_t i)
{
	return table_at(&p->posts, i);
}

_Bool post_held_at(const struct post *post, int64_t at_ms)
{
	return at_ms >= post->from_ms && (post->to_ms == 0 || at_ms < post->to_ms);
}

/* Those of exactly this area. */
static size_t duties_of(const struct posts *s, int64_t area, const char *kind, int64_t at_ms, const struct post **out,
                        size_t most)
{
	const struct post_entry *end = s->entries + s->count, *e = lookup_find_number(&s->first, area);
	size_t count = 0;

	for (; e && e < end && e->area == area && count < most; e++) {
		_Bool asked = kind ? strcmp(e->post->kind, kind) == 0 : e->duty != INT32_MAX;

		if (asked && post_held_at(e->post, at_ms))
			out[count++] = e->post;
	}
	return count;
}

size_t policy_duties(const struct policy *p, int64_t area, const char *kind, int64_t at_ms, const struct post **out,
                     size_t most)
{
	int64_t areas[AREA_LEVELS];
	size_t count = 0;

	area_above(area, areas);
	for (int i = 0; i < AREA_LEVELS; i++)
		if (areas[i] != 0 && (i == 0 || areas[i] != areas[i - 1]))
			count += duties_of(&p->post_index, areas[i], kind, at_ms, out + count, most - count);
	return count;
}

_Bool policy_holds_duty(const struct policy *p, int64_t area, const char *person, int64_t at_ms)
{
	const struct post *posts[DUTIES_MOST];
	size_t count = policy_duties(p, area, NULL, at_ms, posts, DUTIES_MOST);

	for (size_t i = 0; i < count && posts[i]->area == posts[0]->area; i++)
		if (strcmp(posts[i]->person, person) == 0)
			return 1;
	return 0;
}

const struct post *policy_duty(const struct policy *p, int64_t area, const char *kind, int64_t at_ms)
{
	const struct post *one = NULL;

	return policy_duties(p, area, kind, at_ms, &one, 1) ? one : NULL;
}

/* ---- vacancies ---- */

#define HOLDERS_MOST 64 /* looked at for one area and kind; a quota is far below it */

/* How many different people hold the post in this area, or for it in a larger one. */
static int32_t held_in(const struct policy *p, int64_t area, const char *kind, int64_t at_ms)
{
	const struct post *holders[HOLDERS_MOST];
	size_t count = policy_duties(p, area, kind, at_ms, holders, HOLDERS_MOST);
	int32_t people = 0;

	for (size_t i = 0; i < count; i++) {
		size_t j = 0;

		while (j < i && strcmp(holders[j]->person, holders[i]->person) != 0)
			j++;
		people += j == i;
	}
	return people;
}

struct search {
	const struct policy *policy;
	const struct post_kind *kind;
	int64_t under, at_ms;
	void (*visit)(void *ctx, const struct vacancy *v);
	void *ctx;
};

static void look_at(const struct search *s, int64_t area)
{
	struct vacancy v = { .area = area, .kind = s->kind };

	if ((int)area_level(area) != s->kind->per || !area_holds(s->under, area))
		return;
	v.held = held_in(s->policy, area, s->kind->id, s->at_ms);
	if (v.held < s->kind->least)
		s->visit(s->ctx, &v);
}

void policy_vacancies(const struct policy *p, int64_t area, int64_t at_ms,
                      void (*visit)(void *ctx, const struct vacancy *v), void *ctx)
{
	struct search s = { .policy = p, .under = area, .at_ms = at_ms, .visit = visit, .ctx = ctx };

	for (size_t k = 0; (s.kind = policy_post_kind_at(p, k)) != NULL; k++) {
		for (size_t i = 0; s.kind->least > 0 && i < p->areas.count; i++)
			look_at(&s, policy_area_at(p, i)->code);
		for (size_t i = 0; s.kind->least > 0 && i < p->grids.count; i++)
			if (grid_in_force(policy_grid_at(p, i), at_ms))
				look_at(&s, policy_grid_at(p, i)->code);
	}
}
