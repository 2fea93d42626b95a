/* cover: counting, and the complaint. */
#include "cover.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"

/* Rules nobody is ever told: the one takes eight million open cases, the other only stops an automatic step. */
static const char *const beyond_reach[] = { "room-for-cases", "route-is-sure" };

/* Every timer there is: which state waits, and what its end asks for. */
static const struct {
	enum state state;
	enum act act;
} timers[] = {
	{ STATE_REPORTED, ACT_SUPERVISE },  { STATE_ALARM_PENDING, ACT_EXPIRE },   { STATE_VERIFYING, ACT_SUPERVISE },
	{ STATE_FILED, ACT_SUPERVISE },     { STATE_DISPATCHED, ACT_SUPERVISE },   { STATE_SUSPENDED, ACT_RESUME },
	{ STATE_RETURNED, ACT_SUPERVISE },  { STATE_WHISTLED, ACT_WHISTLE_LAPSE }, { STATE_HANDLED, ACT_SUPERVISE },
	{ STATE_CHECKING, ACT_SUPERVISE },  { STATE_CLOSED, ACT_REVIEW },          { STATE_REVIEWED, ACT_REWARD },
	{ STATE_DISPATCHED, ACT_ESCALATE }, { STATE_HANDLING, ACT_ESCALATE },      { STATE_WHISTLED, ACT_ESCALATE },
};

static _Bool begins(const struct transition *row, enum act act, enum state from)
{
	return row->act == act && (row->from >> from & 1) != 0;
}

void cover_event(struct cover *c, const struct fact *f)
{
	size_t count;
	const struct transition *rows = transitions(&count);

	must(count <= COVER_ROWS_MOST);
	for (size_t i = 0; i < count; i++) {
		enum state leads_to = rows[i].to == STATE_NONE ? f->from : rows[i].to;

		if (!begins(&rows[i], f->act, f->from) || leads_to != f->to)
			continue;
		if (strcmp(f->actor, "system") == 0)
			c->rows[i].by_system++;
		else
			c->rows[i].by_person++;
	}
}

void cover_timer(struct cover *c, enum state state, enum act act)
{
	c->fired[state][act]++;
}

static void count_rule(struct cover *c, const char *rule)
{
	for (int i = 0; i < c->rule_count; i++)
		if (strcmp(c->rules[i], rule) == 0)
			return;
	must(c->rule_count < COVER_RULES_MOST);
	c->rules[c->rule_count++] = rule;
}

static _Bool one_of(const char *rule, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], rule) == 0)
			return 1;
	return 0;
}

void cover_refusal(struct cover *c, enum act act, enum state from, const struct refusal *why)
{
	static const char *const who[] = { "who-may-act", "camera-s-own-gateway" };
	static const char *const before_the_row[] = {
		"transition-table",    "act-is-askable", "case-exists",
		"one-key-one-content", "identity-known", "camera-in-the-registry"
	};
	size_t count;
	const struct transition *rows = transitions(&count);

	count_rule(c, why->rule);
	if (one_of(why->rule, before_the_row, sizeof before_the_row / sizeof *before_the_row))
		return;
	for (size_t i = 0; i < count; i++) {
		if (!begins(&rows[i], act, from))
			continue;
		if (one_of(why->rule, who, sizeof who / sizeof *who))
			c->rows[i].refused_by_who++;
		else
			c->rows[i].refused_by_guard++;
	}
}

/* ---- what was left out ---- */

static int want(_Bool wanted, int had, const struct transition *row, const char *what, int *checks)
{
	*checks += wanted;
	if (!wanted || had > 0)
		return 0;
	printf("no scenario has \"%s\" %s (to %s)\n", act_info(row->act)->name, what, state_info(row->to)->name);
	return 1;
}

static int complain_of_row(const struct transition *row, const struct row_cover *had, int *checks)
{
	/* follow and alarm-again come with another act; their gateway or acceptor is the actor of that one. */
	_Bool asked = row->who != WHO_SYSTEM, guarded = row->guard != NULL && asked;
	_Bool by_itself = (row->who & WHO_SYSTEM) != 0 && row->act != ACT_ALARM_AGAIN;
	int lacks = 0;

	lacks += want(asked, had->by_person, row, "done by a person", checks);
	lacks += want(by_itself, had->by_system, row, "done by itself", checks);
	lacks += want(!asked, had->by_person + had->by_system, row, "at all", checks);
	lacks += want(guarded, had->refused_by_guard, row, "refused by its guard", checks);
	lacks += want(asked, had->refused_by_who, row, "refused because of who asked", checks);
	return lacks;
}

/* What concerns people instead of cases is not a scenario's: a running daemon is asked to break these. */
#define ELSEWHERE "tests/system/test_identity.py"

static _Bool is_broken_elsewhere(const char *rule)
{
	char line[512], quoted[80];
	_Bool found = 0;
	FILE *file = fopen(ELSEWHERE, "r");

	must(file != NULL);
	snprintf(quoted, sizeof quoted, "\"%s\"", rule);
	while (!found && fgets(line, sizeof line, file))
		found = strstr(line, quoted) != NULL;
	must(fclose(file) == 0);
	return found;
}

static int complain_of_rule(const struct cover *c, const char *rule, int *checks)
{
	if (one_of(rule, beyond_reach, sizeof beyond_reach / sizeof *beyond_reach))
		return 0;
	(*checks)++;
	if (one_of(rule, c->rules, (size_t)c->rule_count) || is_broken_elsewhere(rule))
		return 0;
	printf("no scenario breaks the rule \"%s\"\n", rule);
	return 1;
}

/* Rules are named where they are enforced, as decision_refuse(d, REFUSAL_CODE, "rule-name", …). */
static int complain_of_rules_in(const struct cover *c, const char *path, int *checks)
{
	char line[512], rule[64];
	int lacks = 0;
	FILE *file = fopen(path, "r");

	must(file != NULL);
	while (fgets(line, sizeof line, file)) {
		const char *at = strstr(line, "d, REFUSAL_");

		if (at && sscanf(at, "d, REFUSAL_%*[A-Z_], \"%63[^\"]\"", rule) == 1)
			lacks += complain_of_rule(c, rule, checks);
	}
	must(fclose(file) == 0);
	return lacks;
}

int cover_complain(const struct cover *c, int *checks)
{
	size_t count;
	const struct transition *rows = transitions(&count);
	int lacks = 0;
	glob_t found;

	*checks = 0;
	for (size_t i = 0; i < count; i++)
		lacks += complain_of_row(&rows[i], &c->rows[i], checks);
	for (size_t i = 0; i < sizeof timers / sizeof *timers; i++) {
		(*checks)++;
		if (c->fired[timers[i].state][timers[i].act] > 0)
			continue;
		printf("no scenario lets the timer of %s run out to \"%s\"\n", state_info(timers[i].state)->name,
		       act_info(timers[i].act)->name);
		lacks++;
	}
	must(glob("daemon/workflow/*.c", 0, NULL, &found) == 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		lacks += complain_of_rules_in(c, found.gl_pathv[i], checks);
	globfree(&found);
	return lacks;
}

void cover_print(const struct cover *c)
{
	size_t count;
	const struct transition *rows = transitions(&count);

	puts("| act | to | by people | by itself | refused: guard | refused: who |\n|---|---|---|---|---|---|");
	for (size_t i = 0; i < count; i++) {
		const struct row_cover *r = &c->rows[i];

		printf("| %s | %s | %d | %d | %d | %d |\n", act_info(rows[i].act)->name,
		       rows[i].to == STATE_NONE ? "stays" : state_info(rows[i].to)->name, r->by_person, r->by_system,
		       r->refused_by_guard, r->refused_by_who);
	}
}
