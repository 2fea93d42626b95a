/* rights: who may do what by a jurisdiction's files, without a daemon. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/problems.h"
#include "jurisdiction/policy.h"
#include "jurisdiction/rights.h"
#include "table.h"
#include "verb.h"
#include "workflow/transitions.h"

#define PHASES_SIZE 64

/* One listing under way: the action, the role, or everything. */
struct listing {
	const struct policy *policy;
	enum right only; /* RIGHT_NONE: every action */
	uint32_t roles;
};

/* One line of it: a role has an action in a scope. */
struct line {
	const struct right_row *row;
	enum role role;
	enum rights_scope scope;
	unsigned phases;
	_Bool never; /* shut to who holds the role, whatever else it holds */
};

typedef void (*take_line)(void *to, const struct line *l);

/* ---- what there is ---- */

static unsigned phases_left(const struct policy *p, const struct line *l)
{
	unsigned phases = 0;

	for (int phase = 0; phase < RIGHTS_PHASES; phase++)
		if (rights_roles(p, l->row->right, l->scope, (enum rights_phase)phase) & (uint32_t)l->role)
			phases |= 1U << phase;
	return phases;
}

static void each_scope(const struct listing *of, struct line l, take_line take, void *to)
{
	uint32_t never = 0;

	for (int scope = 0; scope < RIGHTS_SCOPES; scope++) {
		never |= rights_never(of->policy, l.row->right, (enum rights_scope)scope);
		l.scope = (enum rights_scope)scope;
		l.phases = phases_left(of->policy, &l);
		if (l.phases)
			take(to, &l);
	}
	l.phases = l.row->phases;
	l.never = (never & (uint32_t)l.role) != 0;
	if (l.never)
		take(to, &l);
}

static void each_line(const struct listing *of, take_line take, void *to)
{
	size_t count;
	const struct right_row *rows = rights_rows(&count);

	for (size_t i = 0; i < count; i++) {
		if ((of->only && rows[i].right != of->only) || right_row(rows[i].right) != &rows[i])
			continue;
		for (int bit = 0; bit < ROLE_BITS; bit++)
			if (of->roles >> bit & 1)
				each_scope(of, (struct line){ .row = &rows[i], .role = (enum role)(1U << bit) }, take,
				           to);
	}
}

/* ---- as a table ---- */

static void put_phases(unsigned phases, char out[PHASES_SIZE])
{
	size_t used = 0;

	*out = '\0';
	for (int phase = RIGHTS_DISCOVER; phase < RIGHTS_PHASES; phase++)
		if (phases >> phase & 1)
			used += (size_t)snprintf(out + used, PHASES_SIZE - used, "%s%s", used ? " " : "",
			                         rights_phase_name((enum rights_phase)phase));
}

static void take_cells(void *to, const struct line *l)
{
	struct table *t = to;
	char phases[PHASES_SIZE];

	put_phases(l->phases, phases);
	table_cell(t, l->row->name);
	table_cell(t, role_name(l->role));
	table_cell(t, l->never ? "never" : rights_scope_name(l->scope));
	table_cell(t, *phases ? phases : TABLE_NOTHING);
	table_cell(t, l->row->what);
}

static void print_table(const struct call *call, const struct listing *of)
{
	static const struct column columns[] = {
		{ "action", 0, 0, 0 }, { "role", 0, 0, 0 }, { "scope", 0, 0, 0 },
		{ "phases", 0, 0, 0 }, { "to", 0, 1, 1 },
	};
	struct table *t = table_new(columns, sizeof columns / sizeof columns[0]);

	each_line(of, take_cells, t);
	if (call->csv)
		table_csv(t, stdout);
	else if (table_rows(t) > 0)
		table_say_left_out(stdout, table_print(t, stdout, call->width, call->color), "--csv", call->color);
	else
		puts(of->only && right_row(of->only)->before_login ? "anybody who can connect"
		                                                   : "nobody may do that here");
	table_free(t);
}

/* ---- as JSON ---- */

static void json_phases(struct json *j, unsigned phases)
{
	json_open(j, "phases", '[');
	for (int phase = 0; phase < RIGHTS_PHASES; phase++)
		if (phases >> phase & 1)
			json_text(j, NULL, rights_phase_name((enum rights_phase)phase));
	json_close(j, ']');
}

static void take_json(void *to, const struct line *l)
{
	struct json *j = to;

	if (l->never)
		return; /* the action tells it */
	json_open(j, NULL, '{');
	json_text(j, "action", l->row->name);
	json_text(j, "role", role_name(l->role));
	json_text(j, "scope", rights_scope_name(l->scope));
	json_phases(j, l->phases);
	json_close(j, '}');
}

/* For an act: the states that it starts from. */
static void json_states(struct json *j, const char *name)
{
	enum act act = act_from_name(name);

	json_open(j, "states", '[');
	for (int s = STATE_NONE + 1; s < STATE_COUNT && act != ACT_NONE; s++)
		if (transition_find(act, (enum state)s))
			json_text(j, NULL, state_info((enum state)s)->name);
	json_close(j, ']');
}

/* Who holds one of these has it in no such scope, whatever else it holds. */
static void json_never(struct json *j, const struct policy *p, enum right right)
{
	json_open(j, "never", '[');
	for (int scope = 0; scope < RIGHTS_SCOPES; scope++)
		for (int bit = 0; bit < ROLE_BITS; bit++)
			if (rights_never(p, right, (enum rights_scope)scope) >> bit & 1) {
				json_open(j, NULL, '{');
				json_text(j, "role", role_name((enum role)(1U << bit)));
				json_text(j, "scope", rights_scope_name((enum rights_scope)scope));
				json_close(j, '}');
			}
	json_close(j, ']');
}

static void print_actions(struct json *j, const struct listing *of)
{
	size_t count;
	const struct right_row *rows = rights_rows(&count);

	json_open(j, "actions", '[');
	for (size_t i = 0; i < count; i++) {
		if ((of->only && rows[i].right != of->only) || right_row(rows[i].right) != &rows[i])
			continue;
		json_open(j, NULL, '{');
		json_text(j, "action", rows[i].name);
		json_text(j, "to", rows[i].what);
		json_bool(j, "before_login", rows[i].before_login);
		json_phases(j, rows[i].phases);
		json_states(j, rows[i].name);
		json_never(j, of->policy, rows[i].right);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void print_json(const struct listing *of)
{
	struct json j;

	json_init(&j, stdout);
	json_open(&j, NULL, '{');
	json_open(&j, "roles", '[');
	for (int bit = 0; bit < ROLE_BITS; bit++)
		if (of->roles >> bit & 1)
			json_text(&j, NULL, role_name((enum role)(1U << bit)));
	json_close(&j, ']');
	print_actions(&j, of);
	json_open(&j, "rights", '[');
	each_line(of, take_json, &j);
	json_close(&j, ']');
	json_close(&j, '}');
	putchar('\n');
}

/* ---- the verb ---- */

static enum exit_code print_rights(struct call *call, const struct policy *policy)
{
	const char *asked = call->options.word_count > 1 ? call->options.words[1] : NULL;
	struct listing of = { .policy = policy, .roles = (UINT32_C(1) << ROLE_BITS) - 1 };

	if (asked && role_from_name(asked))
		of.roles = role_from_name(asked);
	else if (asked && (of.only = right_from_name(asked)) == RIGHT_NONE)
		return call_usage(call, "there is no role or action \"%.30s\"; docs/rights.md has them all", asked);
	if (call->json)
		print_json(&of);
	else
		print_table(call, &of);
	return EXIT_OK;
}

static enum exit_code run_rights(struct call *call)
{
	struct problems problems = { 0 };
	struct policy *policy = policy_of(call->options.words[0], &problems);
	enum exit_code code = EXIT_REFUSED;

	if (policy)
		code = print_rights(call, policy);
	else
		problems_print(&problems, stderr);
	policy_release(policy);
	problems_close(&problems);
	return code;
}

const struct verb rights_verbs[] = {
	{ .name = "rights",
	  .zh = "权限",
	  .phase = PHASE_LOOK,
	  .flags = VERB_JSON | VERB_CSV,
	  .usage = "FILE|FOLDER [ROLE|ACTION]",
	  .summary = "who may do what, where, and in which phase",
	  .help = "Reads a configuration file's jurisdiction, or a jurisdiction folder, without a daemon, and prints "
	          "the\n"
	          "rights that its rights.csv leaves: of everybody, of one role, or to one action. scope: own (what "
	          "the\n"
	          "person reported or was asked to do), unit (what its unit works on), area (what lies in its area), "
	          "all.\n"
	          "docs/rights.md has the whole table and says more.",
	  .example = "gridloop rights config/jurisdiction dispatch\n"
	             "gridloop rights /etc/gridloop/gridloop.conf worker --json",
	  .related = "check-config, posts",
	  .least_words = 1,
	  .most_words = 2,
	  .run = run_rights },
	{ 0 },
};
