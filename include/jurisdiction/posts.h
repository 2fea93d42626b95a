/* posts: who holds which post where (岗位). Kinds of posts and how many of each an area should have are data; a person
 * may hold several. Duty falls to the deepest area that has a holder: grid, community, street and on upwards; within
 * an area to the kind that comes first in the order of duty.
 *
 *   post_kinds.csv  post,zh,name,per,role,least,most,duty    per: grid, community or street, what least and most are counted in;
 *                   role: what a holder must have, or empty; most empty: any number; duty: 1 is asked first, empty: never
 *   posts.csv       area,post,person,from,to[,place]    area: grid or any larger area; dates yyyy-mm-dd or empty;
 *                   place: the building, stretch … that it is about, in words
 *
 * Who holds a post in a larger area holds it for every grid in it. Any thread may ask; all lives as long as the policy. */
#ifndef JURISDICTION_POSTS_H
#define JURISDICTION_POSTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "jurisdiction/area_code.h"

struct policy;

struct post_kind {
	const char *id, *zh, *name;
	int per;             /* enum area_level */
	uint32_t role;       /* enum role bits; 0: none asked */
	int32_t least, most; /* most 0: any number */
	int32_t duty;        /* order of duty, 1 first; 0: never asked without being named */
};

struct post {
	int64_t area;
	const char *kind, *person;
	int64_t from_ms, to_ms; /* holds it from ≤ t < to; 0: unbounded */
	const char *place;      /* or NULL */
};

/* Where the id of a unit is asked for, "post:doctor" means the unit of who holds that post. */
#define POST_PREFIX "post:"
_Bool post_named(const char *unit); /* whether it is such a name; NULL is none */

const struct post_kind *policy_post_kind(const struct policy *p, const char *id); /* NULL: unknown */
const struct post_kind *policy_post_kind_at(const struct policy *p, size_t i);    /* NULL past the end */
const struct post *policy_post_at(const struct policy *p, size_t i);
_Bool post_held_at(const struct post *post, int64_t at_ms);

/* Who has the duty at this place and time, in the order in which they are asked: the deepest area first. kind NULL: any
 * kind that has a place in the order of duty. Writes at most `most`, gives how many were written. */
size_t policy_duties(const struct policy *p, int64_t area, const char *kind, int64_t at_ms, const struct post **out,
                     size_t most);
/* Whether the person is one of those who are asked first. */
_Bool policy_holds_duty(const struct policy *p, int64_t area, const char *person, int64_t at_ms);
/* The first of them, NULL when there is none up to the top. */
const struct post *policy_duty(const struct policy *p, int64_t area, const char *kind, int64_t at_ms);

/* One area in which fewer hold a post than should. */
struct vacancy {
	int64_t area;
	const struct post_kind *kind;
	int32_t held;
};
/* Calls visit for each vacancy under the area (0: everywhere) at that time, by kind, then in the files' order. */
void policy_vacancies(const struct policy *p, int64_t area, int64_t at_ms,
                      void (*visit)(void *ctx, const struct vacancy *v), void *ctx);

#endif
