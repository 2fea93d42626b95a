/* posts: who holds which post where, and which are vacant: read from a jurisdiction's files, without a daemon. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/problems.h"
#include "jurisdiction/policy.h"
#include "jurisdiction/posts.h"
#include "show.h"
#include "table.h"
#include "verb.h"

static const struct option_row options[] = {
	{ "--vacant", OPTION_FLAG, NULL, "only what is vacant, with how many hold it and how many should", 0, 0 },
	{ "--area", OPTION_TEXT, "CODE", "only in this area or grid, and in those below it", 0, 0 },
	{ "--at", OPTION_TIME, "TIME", "as it is then; now when left out", 0, 0 },
	{ .name = NULL },
};

/* One listing under way. */
struct listing {
	const struct policy *policy;
	struct table *table;
	struct json *json; /* NULL: the table */
	int64_t area, at_ms;
	size_t count;
};

static const char *place_name(const struct policy *p, int64_t code)
{
	const struct grid *g = policy_grid(p, code);
	const struct area *a = policy_area(p, code);

	return g ? g->name : a ? a->name : "";
}

/* The fields of a row, told the same in the table and in JSON. */
static void put(const struct listing *l, const char *name, const char *text)
{
	if (l->json)
		json_text(l->json, name, text && *text ? text : NULL);
	else
		table_cell(l->table, text && *text ? text : TABLE_NOTHING);
}

static void put_area(const struct listing *l, int64_t code)
{
	char text[24];

	must(snprintf(text, sizeof text, "%" PRId64, code) > 0);
	put(l, "area", text);
	put(l, "area_name", place_name(l->policy, code));
}

static void put_kind(const struct listing *l, const struct post_kind *kind)
{
	put(l, "post", kind->id);
	put(l, "zh", kind->zh);
}

static const char *day(int64_t ms, char out[SHOW_SIZE])
{
	if (ms == 0)
		return NULL;
	(void)show_time(ms, out);
	out[10] = '\0';
	return out;
}

static void begin_row(struct listing *l)
{
	l->count++;
	if (l->json)
		json_open(l->json, NULL, '{');
}

static void end_row(const struct listing *l)
{
	if (l->json)
		json_close(l->json, '}');
}

static void put_post(struct listing *l, const struct post *post)
{
	const struct person *who = policy_person(l->policy, post->person);
	char text[SHOW_SIZE];

	begin_row(l);
	put_area(l, post->area);
	put_kind(l, policy_post_kind(l->policy, post->kind));
	put(l, "person", post->person);
	put(l, "name", who ? who->name : NULL);
	put(l, "from", day(post->from_ms, text));
	put(l, "to", day(post->to_ms, text));
	put(l, "place", post->place);
	end_row(l);
}

static void put_number(const struct listing *l, const char *name, int64_t value)
{
	if (l->json)
		json_int(l->json, name, value);
	else
		table_cell_int(l->table, value);
}

static void put_vacancy(void *ctx, const struct vacancy *v)
{
	struct listing *l = ctx;
	const struct post *next = policy_duty(l->policy, v->area, NULL, l->at_ms);

	begin_row(l);
	put_area(l, v->area);
	put_kind(l, v->kind);
	put_number(l, "held", v->held);
	put_number(l, "least", v->kind->least);
	put(l, "duty_falls_to", v->kind->duty && next ? next->person : NULL);
	end_row(l);
}

static void list_holders(struct listing *l)
{
	const struct post *post;

	for (size_t i = 0; (post = policy_post_at(l->policy, i)) != NULL; i++)
		if (post_held_at(post, l->at_ms) && area_holds(l->area, post->area))
			put_post(l, post);
}

static void list(struct listing *l, _Bool vacant)
{
	if (vacant)
		policy_vacancies(l->policy, l->area, l->at_ms, put_vacancy, l);
	else
		list_holders(l);
}

static void print_json(struct listing *l, _Bool vacant)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_open(&j, vacant ? "vacancies" : "posts", '[');
	l->json = &j;
	list(l, vacant);
	l->json = NULL;
	json_close(&j, ']');
	json_close(&j, '}');
	putchar('\n');
}

static void print_table(const struct call *call, struct listing *l, _Bool vacant)
{
	static const struct column held[] = {
		{ "area", 0, 0, 0 }, { "name", 0, 1, 3 },   { "post", 0, 0, 0 },
		{ "岗位", 0, 1, 0 }, { "person", 0, 0, 0 }, { "called", 0, 1, 2 },
		{ "from", 0, 0, 4 }, { "to", 0, 0, 0 },     { "place", 0, 1, 5 },
	};
	static const struct column lacking[] = {
		{ "area", 0, 0, 0 }, { "name", 0, 1, 2 },  { "post", 0, 0, 0 },          { "岗位", 0, 1, 0 },
		{ "held", 1, 0, 0 }, { "least", 1, 0, 0 }, { "duty falls to", 0, 1, 1 },
	};

	l->table = vacant ? table_new(lacking, sizeof lacking / sizeof lacking[0])
	                  : table_new(held, sizeof held / sizeof held[0]);
	table_hide_empty(l->table);
	list(l, vacant);
	if (call->csv)
		table_csv(l->table, stdout);
	else if (l->count > 0)
		table_say_left_out(stdout, table_print(l->table, stdout, call->width, call->color), "--csv",
		                   call->color);
	else
		puts(vacant ? "no post is vacant" : "nobody holds a post there");
	table_free(l->table);
}

static enum exit_code print_posts(struct call *call, const struct policy *policy)
{
	const char *area = options_text(&call->options, "--area");
	_Bool vacant = options_flag(&call->options, "--vacant");
	int64_t at_ms = options_time(&call->options, "--at", wall_now_ms(), 1);
	struct listing l = { .policy = policy, .area = area_code_from_text(area) };

	l.at_ms = at_ms ? at_ms : wall_now_ms();
	if (area && !policy_area(policy, l.area) && !policy_grid(policy, l.area))
		return call_usage(call, "there is no area or grid \"%.30s\"; its codes are in areas.csv and grids.csv",
		                  area);
	if (call->json)
		print_json(&l, vacant);
	else
		print_table(call, &l, vacant);
	return EXIT_OK;
}

static enum exit_code run_posts(struct call *call)
{
	struct problems problems = { 0 };
	struct policy *policy = policy_of(call->options.words[0], &problems);
	enum exit_code code = EXIT_REFUSED;

	if (policy)
		code = print_posts(call, policy);
	else
		problems_print(&problems, stderr);
	policy_release(policy);
	problems_close(&problems);
	return code;
}

const struct verb posts_verbs[] = {
	{ .name = "posts",
	  .zh = "岗位",
	  .phase = PHASE_LOOK,
	  .flags = VERB_JSON | VERB_CSV,
	  .usage = "FILE|FOLDER [options]",
	  .summary = "who holds which post where, or which posts are vacant",
	  .help = "Reads a configuration file's jurisdiction, or a jurisdiction folder, without a daemon. A post held "
	          "in a\n"
	          "larger area is held for every grid in it. For a vacant post that has a place in the order of duty "
	          "it\n"
	          "says to whom the duty falls meanwhile.",
	  .options = options,
	  .example = "gridloop posts /etc/gridloop/gridloop.conf --area 610404004001\n"
	             "gridloop posts config/jurisdiction --vacant --json",
	  .related = "check-config",
	  .least_words = 1,
	  .most_words = 1,
	  .run = run_posts },
	{ 0 },
};
