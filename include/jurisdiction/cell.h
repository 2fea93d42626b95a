/* cell: one cell of a CSV file into one field of a row's struct, by the column that describes it. Texts that rows keep
 * live in a pool that ends with the policy. */
#ifndef JURISDICTION_CELL_H
#define JURISDICTION_CELL_H

#include <stddef.h>
#include <stdint.h>

#include "jurisdiction/words.h"

#define CELL_ID_MOST 64    /* bytes; commands carry ids no longer than this */
#define CELL_NAME_MOST 200 /* bytes */

/* Texts kept for as long as the pool. A zeroed pool is empty. */
struct texts {
	char **kept;
	size_t count, room;
};
const char *texts_keep(struct texts *t, const char *text);
void texts_close(struct texts *t); /* safe twice */

struct column {
	const char *name;
	/* false: the text is not what the column expects; nothing was written. */
	_Bool (*read)(const struct column *c, struct texts *keep, const char *text, void *field);
	size_t offset;       /* of the field in the row's struct */
	_Bool key;           /* part of what tells rows apart: a row without it is not kept */
	const char *none;    /* this text leaves the field zero: "" or "*"; NULL: a value must be there */
	int64_t least, most; /* numbers: in the unit of the file; names: most bytes, 0 for CELL_NAME_MOST */
	const struct word *words;
	const char *expected; /* for a problem's text; NULL: made from words or bounds */
	_Bool optional; /* a file may leave the column out: every cell is then empty, which leaves most fields zero */
};

/* Readers: the field's type is in brackets. */
_Bool cell_area(const struct column *c, struct texts *keep, const char *text, void *field);   /* int64_t, 12 digits */
_Bool cell_grid(const struct column *c, struct texts *keep, const char *text, void *field);   /* int64_t, 15 digits */
_Bool cell_prefix(const struct column *c, struct texts *keep, const char *text, void *field); /* int64_t, either */
_Bool cell_name(const struct column *c, struct texts *keep, const char *text, void *field);   /* const char * */
_Bool cell_id(const struct column *c, struct texts *keep, const char *text, void *field);     /* const char * */
_Bool cell_digest(const struct column *c, struct texts *keep, const char *text, void *field); /* const char *, 64 hex */
_Bool cell_word(const struct column *c, struct texts *keep, const char *text, void *field);   /* const char * */
_Bool cell_number_word(const struct column *c, struct texts *keep, const char *text, void *field); /* int */
_Bool cell_bits(const struct column *c, struct texts *keep, const char *text, void *field);        /* uint32_t, "a+b" */
_Bool cell_category(const struct column *c, struct texts *keep, const char *text, void *field);    /* int32_t */
_Bool cell_pattern(const struct column *c, struct texts *keep, const char *text, void *field); /* int32_t, or a class */
_Bool cell_span(const struct column *c, struct texts *keep, const char *text, void *field);    /* int64_t ms, "4h" */
_Bool cell_limit(const struct column *c, struct texts *keep, const char *text, void *field);   /* struct limit, "4wh" */
_Bool cell_hours(const struct column *c, struct texts *keep, const char *text,
                 void *field); /* int64_t ms, "24" or "0.5" */
_Bool cell_int(const struct column *c, struct texts *keep, const char *text, void *field);     /* int32_t */
_Bool cell_yes(const struct column *c, struct texts *keep, const char *text, void *field);     /* _Bool, yes or no */
_Bool cell_degrees(const struct column *c, struct texts *keep, const char *text, void *field); /* int32_t × 10^7 */
/* As cell_degrees, but an empty cell is CELL_NO_SIDE: the side of a box that may be missing. */
#define CELL_NO_SIDE INT32_MIN
_Bool cell_side(const struct column *c, struct texts *keep, const char *text, void *field);
_Bool cell_share(const struct column *c, struct texts *keep, const char *text, void *field); /* double, 0 to 1 */
_Bool cell_date(const struct column *c, struct texts *keep, const char *text, void *field);  /* int64_t ms, its start */
_Bool cell_day(const struct column *c, struct texts *keep, const char *text, void *field);   /* int32_t, since 1970 */

/* What the column expects, for a problem's text. */
void cell_expected(const struct column *c, char *out, size_t size);
/* 12 digits with no leading zero → code; 15 likewise; 0 when the text is not of that many digits. */
int64_t cell_code(const char *text, size_t digits);

#endif
