/* words: the names and codes that the files of a jurisdiction use. The numbers are those of enum reporter_kind
 * and the category codes in workflow/domain.h, which this layer may not include; a unit test holds them equal. */
#ifndef JURISDICTION_WORDS_H
#define JURISDICTION_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct word {
	const char *name;
	uint32_t value;
};

/* Each ends in a NULL name. */
extern const struct word words_kinds[];      /* "food-rider" → its number */
extern const struct word words_roles[];      /* "acceptor" → its bit (jurisdiction/roles.h) */
extern const struct word words_unit_kinds[]; /* "department" … */
extern const struct word words_near_far[];   /* "reward" → NEAR_FAR_REWARD */
extern const struct word words_matters[];    /* "own" → MATTER_OWN */
extern const struct word words_acts[];       /* the acts that need a reason from a list */

/* What a report's near and far photos 近景、远景 are asked for: the points; or to file it and for the points. */
enum near_far { NEAR_FAR_NO = 0, NEAR_FAR_REWARD = 1, NEAR_FAR_FILE = 2 };

/* Whose a matter is, and whether several of it stand side by side: what decides whether another report near by can be
 * the same (workflow/likeness.h). */
enum matter {
	MATTER_PUBLIC = 0, /* anybody's: a heap of rubbish, a lamp that is out; a second report is the same heap */
	MATTER_OWN = 1,    /* a household's own: a pickup, a visit, a leak at home; its neighbour's is another one */
	MATTER_SEVERAL =
		2, /* anybody's, but many in a row: trees, parked cars; who reports two in a breath means two */
};

/* The row named by exactly length bytes of text, or NULL. */
const struct word *words_find(const struct word *words, const char *text, size_t length);
/* "reject, return, rework": every name, for a problem's text. */
void words_list(const struct word *words, char *out, size_t size);

/* "E0110" → 10110; 0 when it is no category code. */
int32_t words_category(const char *text);
/* "E0110", or the class alone: "E01" → 10100; 0 when it is neither. */
int32_t words_category_pattern(const char *text);
#define WORDS_CATEGORY_SIZE 8
/* Back again; a class is written without its subclass. */
void words_category_text(int32_t category, char out[WORDS_CATEGORY_SIZE]);

#endif
