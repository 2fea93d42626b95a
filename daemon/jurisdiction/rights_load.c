/* rights.csv: what a street takes away from the built-in rights. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jurisdiction/audit.h"
#include "jurisdiction/rights_parts.h"

#define FILE_NAME "rights.csv"

static const struct word words_scopes[] = { { "own", 1U << RIGHTS_OWN },
	                                    { "unit", 1U << RIGHTS_UNIT },
	                                    { "area", 1U << RIGHTS_AREA },
	                                    { "all", 1U << RIGHTS_ALL },
	                                    { NULL, 0 } };
static const struct word words_phases[] = { { "discover", 1U << RIGHTS_DISCOVER },
	                                    { "handle", 1U << RIGHTS_HANDLE },
	                                    { "feedback", 1U << RIGHTS_FEEDBACK },
	                                    { "reward", 1U << RIGHTS_REWARD },
	                                    { "ended", 1U << RIGHTS_ENDED },
	                                    { "none", 1U << RIGHTS_NO_CASE },
	                                    { NULL, 0 } };

static _Bool cell_right(const struct column *c, struct texts *keep, const char *text, void *field)
{
	enum right right = right_from_name(text);

	(void)c, (void)keep;
	if (right == RIGHT_NONE)
		return 0;
	*(enum right *)field = right;
	return 1;
}

static size_t taken_key(const void *row, char out[SHEET_KEY_SIZE])
{
	const struct right_taken *t = row;

	return (size_t)snprintf(out, SHEET_KEY_SIZE, "%d %u %u %u", (int)t->right, (unsigned)t->role, t->scopes,
	                        t->phases);
}

#define TAKEN(f) offsetof(struct right_taken, f)
static const struct column taken_columns[] = {
	{ "action", cell_right, TAKEN(right), .key = 1,
	  .expected = "an action of the table of rights (gridloop rights lists them)" },
	{ "role", cell_number_word, TAKEN(role), .key = 1, .words = words_roles },
	{ "scope", cell_number_word, TAKEN(scopes), .key = 1, .none = "*", .words = words_scopes,
	  .expected = "own, unit, area, all, or * for wherever the role has it" },
	{ "phase", cell_number_word, TAKEN(phases), .key = 1, .none = "*", .words = words_phases,
	  .expected = "discover, handle, feedback, reward, ended, none (no case), or * for any" },
	{ .name = NULL },
};

/* A row that takes nothing is a slip of the hand: the right it means is still given. */
static void check_taken(const struct audit *c, const void *row)
{
	const struct right_taken *t = row;
	struct rights built_in;

	rights_begin(&built_in);
	if (rights_take(&built_in, t) == 0)
		audit_wrong(
			c,
			"found nothing to take away: %s does not have \"%s\" there; expected a right of docs/rights.md",
			role_name((enum role)t->role), right_name(t->right));
}

const struct part rights_files[] = {
	{ { FILE_NAME, "right", taken_columns, sizeof(struct right_taken), taken_key, SHEET_OPTIONAL },
	  offsetof(struct policy, rights_taken),
	  check_taken },
	{ .sheet = { .file = NULL } },
};

void rights_build(struct policy *p)
{
	rights_begin(&p->rights);
	for (size_t i = 0; i < p->rights_taken.count; i++)
		(void)rights_take(&p->rights, p->rights_taken.rows[i]);
}

static _Bool is_held(const struct rights *r, enum right right)
{
	uint32_t roles = 0;

	for (int scope = 0; scope < RIGHTS_SCOPES; scope++)
		for (int phase = 0; phase < RIGHTS_PHASES; phase++)
			roles |= r->roles[right][scope][phase];
	return roles != 0;
}

/* What nobody may do any more stops the loop, or a part of it. */
void rights_warn(const struct policy *p, int64_t now_ms, struct problems *to)
{
	char *path = audit_path(p, FILE_NAME);

	(void)now_ms;
	for (size_t i = 0; i < p->rights_taken.count; i++) {
		const struct right_taken *t = p->rights_taken.rows[i];

		if (!is_held(&p->rights, t->right))
			problems_warn(to, path, p->rights_taken.lines[i], "nobody may \"%s\" any more",
			              right_name(t->right));
	}
	free(path);
}
