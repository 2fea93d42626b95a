/* posts_parts: the index of posts by area. For the policy and its loader; everybody else uses posts.h. */
#ifndef JURISDICTION_POSTS_PARTS_H
#define JURISDICTION_POSTS_PARTS_H

#include "jurisdiction/lookup.h"
#include "jurisdiction/posts.h"

struct problems;

struct post_entry {
	int64_t area;
	int32_t duty; /* of its kind; none comes last */
	size_t order; /* in the file */
	const struct post *post;
};

struct posts {
	struct post_entry *entries;
	size_t count;
	struct lookup first; /* area → its first entry */
};

/* Builds the index over the tables, which outlive it. */
void posts_build(struct policy *p);
void posts_close(struct posts *p); /* safe twice */
/* More holders than a kind allows. Wants the index. */
void posts_check(const struct policy *p, struct problems *to);
/* Vacancies, one line a kind. */
void posts_warn(const struct policy *p, int64_t now_ms, struct problems *to);

#endif
