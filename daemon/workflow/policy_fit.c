#include "workflow/policy_fit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jurisdiction/policy_map.h"
#include "workflow/case_number.h"
#include "workflow/command.h"
#include "workflow/place.h"

#define uthash_fatal(message) must_not_happen(__FILE__, __LINE__, message)
#include <uthash.h>

#define SHOWN_MOST 3                    /* case numbers in a line */
#define MISSING_MOST PROBLEMS_MOST      /* things named */
#define NAME_SIZE (COMMAND_ID_MOST + 1) /* of the longest thing */

struct missing;

struct fitting {
	const struct policy *policy;
	int64_t now_ms;
	struct missing *missing;
};

/* What must still be there for a case. Writes its name and gives true when it is not. */
struct rule {
	_Bool (*lacks)(const struct fitting *t, const struct case_file *c, char name[NAME_SIZE]);
	const char *file, *what, *remedy;
};

/* One thing that is missing, and who needs it. */
struct missing {
	UT_hash_handle hh;
	const struct rule *rule;
	size_t cases;
	char shown[SHOWN_MOST * (CASE_NUMBER_SIZE + 2)];
	char key[NAME_SIZE + 8];
};

/* ---- the rules ---- */

static _Bool lacks_category(const struct fitting *t, const struct case_file *c, char name[NAME_SIZE])
{
	if (policy_category(t->policy, c->category) != NULL)
		return 0;
	category_text(c->category, name);
	return 1;
}

/* A grid may go, or end, when the place lies in another that is in force. */
static _Bool lacks_grid(const struct fitting *t, const struct case_file *c, char name[NAME_SIZE])
{
	const struct policy *p = t->policy;
	_Bool placed = c->lat_e7 != PLACE_NONE && policy_locate(p, c->lat_e7, c->lon_e7, t->now_ms) != NULL;
	if (c->grid == 0 || placed || policy_grid_on(p, c->grid, t->now_ms) != NULL)
		return 0;
	snprintf(name, NAME_SIZE, "%" PRId64, c->grid);
	return 1;
}

/* A case cannot pass its check before every co-handler has said its part is done. */
static _Bool lacks_helper(const struct fitting *t, const struct case_file *c, char name[NAME_SIZE])
{
	for (int i = 0; i < c->helper_count && c->state < STATE_CLOSED; i++) {
		if ((c->helper_done >> i & 1) != 0 || policy_unit(t->policy, c->helpers[i]) != NULL)
			continue;
		snprintf(name, NAME_SIZE, "%s", c->helpers[i]);
		return 1;
	}
	return 0;
}

static const struct rule rules[] = {
	{ lacks_category, "categories.csv", "category", "keep it until they have ended" },
	{ lacks_grid, "grids.csv", "grid",
	  "keep it, cut other grids so that one of them lies at their places, or locate those without a place" },
	{ lacks_helper, "units.csv", "co-handling unit", "keep it until its part is done" },
};
#define RULES (sizeof rules / sizeof *rules)

/* ---- counting ---- */

static struct missing *find_or_add(struct fitting *f, const struct rule *rule, const char *name)
{
	struct missing *m;
	char key[NAME_SIZE + 8];
	snprintf(key, sizeof key, "%d %s", (int)(rule - rules), name);
	HASH_FIND_STR(f->missing, key, m);
	if (m != NULL || HASH_COUNT(f->missing) >= MISSING_MOST)
		return m;
	m = must_calloc(1, sizeof *m);
	m->rule = rule;
	memcpy(m->key, key, sizeof key);
	HASH_ADD_STR(f->missing, key, m);
	return m;
}

static void count(struct missing *m, const struct case_file *c)
{
	char number[CASE_NUMBER_SIZE];
	size_t used = strlen(m->shown);
	case_number_text(c->id, c->category, number);
	if (m->cases++ < SHOWN_MOST)
		snprintf(m->shown + used, sizeof m->shown - used, "%s%s", used == 0 ? "" : ", ", number);
}

static void look(void *ctx, const struct case_file *c)
{
	struct fitting *f = ctx;
	char name[NAME_SIZE];
	for (const struct rule *rule = rules; rule < rules + RULES; rule++) {
		struct missing *m = rule->lacks(f, c, name) ? find_or_add(f, rule, name) : NULL;
		if (m != NULL)
			count(m, c);
	}
}

_Bool policy_fits_casebook(const struct casebook *b, const struct policy *policy, int64_t now_ms, struct problems *p)
{
	struct fitting f = { .policy = policy, .now_ms = now_ms };
	casebook_each(b, look, &f);
	_Bool fits = f.missing == NULL;
	struct missing *m, *next;
	HASH_ITER(hh, f.missing, m, next)
	{
		problems_add(p, m->rule->file, 0, "%s %s is gone, but %zu open %s it (%s%s); %s", m->rule->what,
		             strchr(m->key, ' ') + 1, m->cases, m->cases == 1 ? "case needs" : "cases need", m->shown,
		             m->cases > SHOWN_MOST ? ", …" : "", m->rule->remedy);
		HASH_DEL(f.missing, m);
		free(m);
	}
	return fits;
}
