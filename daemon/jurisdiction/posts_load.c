/* post_kinds.csv and posts.csv: what their rows are, and what may be wrong with them. */
#include "jurisdiction/posts_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jurisdiction/audit.h"

#define QUOTA_MOST 1000
#define DUTY_MOST 100

static const struct word levels[] = {
	{ "grid", AREA_GRID },
	{ "community", AREA_COMMUNITY },
	{ "street", AREA_STREET },
	{ NULL, 0 },
};

static const char *level_word(int level)
{
	const struct word *word = levels;

	while (word->name && (int)word->value != level)
		word++;
	return word->name ? word->name : "";
}

/* ---- rows by themselves ---- */

static void check_kind_row(const struct audit *c, const void *row)
{
	const struct post_kind *k = row;

	if (k->most != 0 && k->least > k->most)
		audit_wrong(c, "found least %d above most %d; expected at most as many", k->least, k->most);
}

static void check_holder(const struct audit *c, const struct post *post, const struct post_kind *kind)
{
	const struct person *who = policy_person(c->policy, post->person);

	if (!audit_is_known(&c->policy->people, who))
		audit_wrong(c, "found person \"%s\"; expected one from people.csv", post->person);
	if (!who)
		return;
	if (kind && kind->role && audit_lacks(who, kind->role))
		audit_wrong(c,
		            "found person \"%s\" without the role that post_kinds.csv asks of a %s; expected one who "
		            "has it",
		            post->person, kind->id);
	if (audit_is_place(c->policy, who->area) && !area_holds(who->area, post->area))
		audit_wrong(c, "found person \"%s\" whose area is %" PRId64 "; expected one whose area holds %" PRId64,
		            post->person, who->area, post->area);
}

static void check_post_row(const struct audit *c, const void *row)
{
	const struct post *post = row;
	const struct post_kind *kind = policy_post_kind(c->policy, post->kind);

	audit_place(c, "area", post->area);
	if (!audit_is_known(&c->policy->post_kinds, kind))
		audit_wrong(c, "found post \"%s\"; expected one from post_kinds.csv", post->kind);
	else if (kind && kind->per && (int)area_level(post->area) > kind->per)
		audit_wrong(c,
		            "found post \"%s\" in %" PRId64
		            "; expected a %s or a larger area, for there is so many to each",
		            post->kind, post->area, level_word(kind->per));
	check_holder(c, post, kind);
	audit_period(c, post->from_ms, post->to_ms);
}

/* ---- too many holders ---- */

static size_t count_at(const struct audit *c, const struct post *post, int64_t at_ms)
{
	const struct post *holders[QUOTA_MOST + 1];

	return policy_duties(c->policy, post->area, post->kind, at_ms, holders, QUOTA_MOST + 1);
}

/* Whether the other one, of a larger area, begins while this one is held: then there may be too many from there on. */
static _Bool joins_later(const struct post *post, const struct post *other)
{
	return other->area != post->area && area_holds(other->area, post->area) && other->from_ms > post->from_ms &&
	       (post->to_ms == 0 || other->from_ms < post->to_ms) && strcmp(other->kind, post->kind) == 0;
}

/* Every excess begins with some row of the deepest area or while it is held; that row is named. */
static void check_quota(const struct audit *c, const struct post *post)
{
	const struct post_kind *kind = policy_post_kind(c->policy, post->kind);
	size_t most, count;

	if (!kind || kind->most == 0)
		return;
	most = count_at(c, post, post->from_ms);
	for (size_t i = 0; i < c->policy->posts.count; i++) {
		const struct post *other = c->policy->posts.rows[i];

		if (!joins_later(post, other))
			continue;
		count = count_at(c, post, other->from_ms);
		most = count > most ? count : most;
	}
	if (most > (size_t)kind->most)
		audit_wrong(c,
		            "found %zu holders of the post \"%s\" in %" PRId64
		            " at a time; expected at most %d, as post_kinds.csv says",
		            most, post->kind, post->area, kind->most);
}

void posts_check(const struct policy *p, struct problems *to)
{
	char *path = audit_path(p, "posts.csv");

	for (size_t i = 0; i < p->posts.count; i++) {
		struct audit c = { .policy = p, .problems = to, .path = path, .line = p->posts.lines[i] };

		if (p->posts.sound[i])
			check_quota(&c, p->posts.rows[i]);
	}
	free(path);
}

/* ---- too few ---- */

struct tally {
	const struct post_kind *kind;
	size_t count;
	struct vacancy first;
};

static void count_vacancy(void *ctx, const struct vacancy *v)
{
	struct tally *t = ctx;

	if (v->kind == t->kind && t->count++ == 0)
		t->first = *v;
}

void posts_warn(const struct policy *p, int64_t now_ms, struct problems *to)
{
	char *path = audit_path(p, "post_kinds.csv");
	struct tally t = { 0 };

	for (size_t i = 0; (t.kind = policy_post_kind_at(p, i)) != NULL; i++) {
		t.count = 0;
		policy_vacancies(p, 0, now_ms, count_vacancy, &t);
		if (t.count > 0)
			problems_warn(to, path, p->post_kinds.lines[i],
			              "%s %s: too few hold this post in %zu %s%s, the first is %" PRId64
			              " with %d of at least %d; see gridloop posts --vacant",
			              t.kind->id, t.kind->zh, t.count, level_word(t.kind->per), t.count == 1 ? "" : "s",
			              t.first.area, t.first.held, t.kind->least);
	}
	free(path);
}

/* ---- the files ---- */

static size_t kind_key(const void *row, char out[SHEET_KEY_SIZE])
{
	return audit_text_key(((const struct post_kind *)row)->id, out);
}

static size_t post_key(const void *row, char out[SHEET_KEY_SIZE])
{
	const struct post *post = row;

	return (size_t)snprintf(out, SHEET_KEY_SIZE, "%" PRId64 " %s %s %" PRId64, post->area, post->kind, post->person,
	                        post->from_ms);
}

#define KIND(f) offsetof(struct post_kind, f)
static const struct column kind_columns[] = {
	{ "post", cell_id, KIND(id), .key = 1, .expected = ID_EXPECTED },
	{ "zh", cell_name, KIND(zh), .expected = NAME_EXPECTED },
	{ "name", cell_name, KIND(name), .expected = NAME_EXPECTED },
	{ "per", cell_number_word, KIND(per), .words = levels },
	{ "role", cell_bits, KIND(role), .none = "", .words = words_roles },
	{ "least", cell_int, KIND(least), .most = QUOTA_MOST },
	{ "most", cell_int, KIND(most), .none = "", .least = 1, .most = QUOTA_MOST,
	  .expected = "a whole number from 1 to 1000, or nothing for any number" },
	{ "duty", cell_int, KIND(duty), .none = "", .least = 1, .most = DUTY_MOST,
	  .expected = "a place in the order of duty from 1 to 100, or nothing" },
	{ .name = NULL },
};

#define POST(f) offsetof(struct post, f)
#define DATE_EXPECTED "a date such as 2026-05-01, or nothing"
static const struct column post_columns[] = {
	{ "area", cell_prefix, POST(area), .key = 1, .expected = "an area code of 12 digits or a grid code of 15" },
	{ "post", cell_id, POST(kind), .key = 1, .expected = ID_EXPECTED },
	{ "person", cell_id, POST(person), .key = 1, .expected = ID_EXPECTED },
	{ "from", cell_date, POST(from_ms), .key = 1, .none = "", .expected = DATE_EXPECTED },
	{ "to", cell_date, POST(to_ms), .none = "", .expected = DATE_EXPECTED },
	{ "place", cell_name, POST(place), .none = "", .optional = 1, .expected = NAME_EXPECTED ", or nothing" },
	{ .name = NULL },
};

const struct part posts_files[] = {
	{ { "post_kinds.csv", "post", kind_columns, sizeof(struct post_kind), kind_key, SHEET_OPTIONAL },
	  offsetof(struct policy, post_kinds),
	  check_kind_row },
	{ { "posts.csv", "holder of a post", post_columns, sizeof(struct post), post_key, SHEET_OPTIONAL },
	  offsetof(struct policy, posts),
	  check_post_row },
	{ .sheet = { .file = NULL } },
};
