/* The rights in words: what a refusal says is missing, and the table for docs/rights.md. */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "jurisdiction/rights_parts.h"

#define EVERYBODY ((UINT32_C(1) << ROLE_BITS) - 1)

/* ---- a text that grows until it is full ---- */

struct words {
	char text[REFUSAL_SENTENCE_MAX];
	size_t used;
};

static void say(struct words *w, const char *format, ...) PRINTF_LIKE(2, 3);
static void say(struct words *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(w->text + w->used, sizeof w->text - w->used, format, args);
	va_end(args);
	if (n > 0)
		w->used = w->used + (size_t)n < sizeof w->text ? w->used + (size_t)n : sizeof w->text - 1;
}

/* "acceptor, worker or supervisor" */
static void say_roles(struct words *w, uint32_t roles, const char *last)
{
	const char *between = "";

	for (int bit = 0; bit < ROLE_BITS; bit++) {
		uint32_t above = roles >> bit >> 1;

		if (!(roles >> bit & 1))
			continue;
		say(w, "%s%s", between, role_name((enum role)(1U << bit)));
		between = above & (above - 1) ? ", " : last;
	}
}

static void say_phases(struct words *w, unsigned phases)
{
	const char *between = "";

	for (int phase = 0; phase < RIGHTS_PHASES; phase++)
		if (phases >> phase & 1) {
			say(w, "%s%s", between, rights_phase_name((enum rights_phase)phase));
			between = ", ";
		}
}

/* ---- what is missing ---- */

static uint32_t roles_in(const struct policy *p, enum right right, enum rights_scope scope)
{
	uint32_t roles = 0;

	for (int phase = 0; phase < RIGHTS_PHASES; phase++)
		roles |= rights_roles(p, right, scope, (enum rights_phase)phase);
	return roles;
}

static void say_where(struct words *w, const struct person *who, uint32_t roles, int64_t area)
{
	if (area == RIGHTS_WHOLE)
		say(w, " for the whole jurisdiction");
	else if (area > 0 && who->roles & roles)
		say(w, " in area %" PRId64, area);
	else
		say(w, " in its area");
}

/* A right that another role of the person's shuts. */
static void say_shut(struct words *w, const struct policy *p, const struct person *who, enum right right)
{
	uint32_t shut = 0;

	for (int scope = 0; scope < RIGHTS_SCOPES; scope++)
		if (who->roles & roles_in(p, right, (enum rights_scope)scope))
			shut |= who->roles & rights_never(p, right, (enum rights_scope)scope);
	if (!shut)
		return;
	say(w, ", and is shut to who is ");
	say_roles(w, shut, " or ");
}

static void say_needed(struct words *w, const struct policy *p, const struct person *who, enum right right,
                       int64_t area)
{
	static const char *const tails[RIGHTS_SCOPES] = {
		[RIGHTS_OWN] = " where it is its own",
		[RIGHTS_UNIT] = " of a unit that works on it",
		[RIGHTS_ALL] = "",
	};
	const char *between = "the role ";

	for (int scope = 0; scope < RIGHTS_SCOPES; scope++) {
		uint32_t roles = roles_in(p, right, (enum rights_scope)scope);

		if (!roles)
			continue;
		say(w, "%s", between);
		if (roles == EVERYBODY)
			say(w, "of anybody");
		else
			say_roles(w, roles, " or ");
		if (scope == RIGHTS_AREA)
			say_where(w, who, roles, area);
		else
			say(w, "%s", tails[scope]);
		between = ", or ";
	}
	if (strcmp(between, "the role ") == 0)
		say(w, "a role that nobody has here");
	say_shut(w, p, who, right);
}

_Bool rights_refuse(const struct policy *p, const struct person *who, enum right right, const struct rights_on *on,
                    const char *rule, struct refusal *why)
{
	static const struct rights_on nothing;
	struct words w = { .used = 0 };

	on = on ? on : &nothing;
	unsigned phases = rights_phases(p, who, right, on);

	say(&w, "\"%s\" needs ", right_name(right));
	if (phases) {
		say(&w, "a case in ");
		say_phases(&w, phases);
		say(&w, "; this one is in %s", rights_phase_name(on->phase));
	} else {
		say_needed(&w, p, who, right, on->area);
		say(&w, "; you are ");
		say_roles(&w, who->roles, " and ");
		if (who->area)
			say(&w, " in %" PRId64, who->area);
	}
	(void)refuse(why, REFUSAL_NOT_ALLOWED, rule, "%s.", w.text);
	why->right = right_name(right);
	return 0;
}

/* ---- the table ---- */

/* "own, area" and, where they are not those of the action, the phases. */
static void print_cell(const struct rights *r, const struct right_row *row, uint32_t role, FILE *to)
{
	const char *between = "";

	for (int scope = 0; scope < RIGHTS_SCOPES; scope++) {
		struct words w = { .used = 0 };
		unsigned phases = 0;

		for (int phase = 0; phase < RIGHTS_PHASES; phase++)
			phases |= (unsigned)((r->roles[row->right][scope][phase] & role) != 0) << phase;
		if (!phases)
			continue;
		fprintf(to, "%s%s", between, rights_scope_name((enum rights_scope)scope));
		between = ", ";
		if (phases != row->phases) {
			say_phases(&w, phases);
			fprintf(to, " (%s)", w.text);
		}
	}
}

static void print_never(const struct rights *r, const struct right_row *row, uint32_t role, FILE *to)
{
	const uint32_t *never = r->never[row->right];

	if ((never[RIGHTS_UNIT] | never[RIGHTS_AREA] | never[RIGHTS_ALL]) & role)
		fputs(never[RIGHTS_OWN] & role ? "never" : ", never others'", to);
}

static void print_phases(unsigned phases, FILE *to)
{
	static const unsigned every = ((1U << RIGHTS_PHASES) - 1) & ~(1U << RIGHTS_NO_CASE);
	struct words w = { .used = 0 };

	if (phases == every)
		say(&w, "any");
	else if (phases == (every & ~(1U << RIGHTS_ENDED)))
		say(&w, "any open");
	else if (phases == 1U << RIGHTS_NO_CASE)
		say(&w, "–");
	else
		say_phases(&w, phases);
	fprintf(to, " | %s |", w.text);
}

static void print_row(const struct rights *r, const struct right_row *row, FILE *to)
{
	fprintf(to, "| %s", row->name);
	print_phases(row->phases, to);
	for (int bit = 0; bit < ROLE_BITS; bit++) {
		fputc(' ', to);
		if (row->before_login)
			fputs("all", to);
		else
			print_cell(r, row, UINT32_C(1) << bit, to);
		print_never(r, row, UINT32_C(1) << bit, to);
		fputs(" |", to);
	}
	fprintf(to, " %s |\n", row->what);
}

void rights_print(FILE *to)
{
	struct rights r;
	size_t count;
	const struct right_row *rows = rights_rows(&count);

	rights_begin(&r);
	fputs("| action | phases |", to);
	for (int bit = 0; bit < ROLE_BITS; bit++)
		fprintf(to, " %s |", role_name((enum role)(1U << bit)));
	fputs(" to |\n|---|---|---|", to);
	for (int bit = 0; bit < ROLE_BITS; bit++)
		fputs("---|", to);
	fputc('\n', to);
	for (size_t i = 0; i < count; i++)
		if (right_row(rows[i].right) == &rows[i])
			print_row(&r, &rows[i], to);
}
