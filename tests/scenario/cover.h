/* cover: what the scenarios have exercised of the transition table, the timers and the rules, and what they left out. */
#ifndef TESTS_SCENARIO_COVER_H
#define TESTS_SCENARIO_COVER_H

#include "base/refusal.h"
#include "workflow/facts.h"
#include "workflow/transitions.h"

#define COVER_ROWS_MOST 64
#define COVER_RULES_MOST 200

struct cover {
	struct row_cover {
		int by_person, by_system, refused_by_guard, refused_by_who;
	} rows[COVER_ROWS_MOST];
	int fired[STATE_COUNT][ACT_COUNT];
	const char *rules[COVER_RULES_MOST]; /* names of the rules that refused something; static texts */
	int rule_count;
};

void cover_event(struct cover *c, const struct fact *f);
void cover_timer(struct cover *c, enum state state, enum act act);
void cover_refusal(struct cover *c, enum act act, enum state from, const struct refusal *why);
/* Prints what was never exercised; the number of such things. *checks: how many there were to look for. */
int cover_complain(const struct cover *c, int *checks) MUST_USE;
/* The counts by row, as Markdown, for README.md. */
void cover_print(const struct cover *c);

#endif
