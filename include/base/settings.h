/* settings: "key = value" files read through a table. A table row names the key, its type and unit, its bounds, its
 * default and one line of help; the same rows parse, check, print and document. Values land in a struct of the
 * caller's by offset, so a file is read whole into a fresh struct and swapped in, or not at all. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/must.h"
#include "base/problems.h"

enum setting_type {
	SETTING_INT,   /* int64_t */
	SETTING_SPAN,  /* int64_t milliseconds, written 90s 15m 4h 7d */
	SETTING_LIMIT, /* struct limit, written as a span or 2uh 1nd 4wh 2wd; bounds are on its amount */
	SETTING_SIZE,  /* int64_t bytes, written 32k 4m 1g */
	SETTING_BOOL,  /* _Bool, yes or no */
	SETTING_TEXT,  /* char *, heap; may be empty */
	SETTING_WORD,  /* int, one of a list: "system|replay" gives 0, 1 … */
	SETTING_OWN    /* what its struct setting_own reads */
};

/* A type that only one place knows. */
struct setting_own {
	_Bool (*parse)(const char *text, void *field); /* false: not that; nothing was written */
	void (*print)(const void *field, FILE *to);
	const char *expected; /* for a problem's text */
};

struct setting {
	const char *key;
	enum setting_type type;
	size_t offset;        /* of the field in the target struct */
	int64_t least, most;  /* for numbers, inclusive; text: most bytes */
	const char *fallback; /* the default, as it would be written in a file */
	const void *more;     /* SETTING_WORD: the words; SETTING_OWN: its struct setting_own */
	const char *help;     /* one line */
};

/* Fills target with the defaults. rows ends with a NULL key. */
void settings_defaults(const struct setting *rows, void *target);
/* Reads the file over target: blank lines and "# comment" lines are passed over; unknown keys, doubled keys, bad and
 * out-of-bounds values become problems with file and line. true when there were none. */
_Bool settings_read(const struct setting *rows, void *target, const char *path, struct problems *p) MUST_USE;
/* As settings_read for one "key=value" of a command line (origin names it in a problem). */
_Bool settings_assign(const struct setting *rows, void *target, const char *assignment, const char *origin,
                      struct problems *p) MUST_USE;
/* Every row as "key = value" under its help, in table order. */
void settings_print(const struct setting *rows, const void *target, FILE *to);
/* What a value of this row may be, in words: "a whole number from 1 to 16". */
#define SETTING_EXPECTED_SIZE 256
void settings_expected(const struct setting *row, char *out, size_t size);
/* Whether both have the same value of this row, which is neither a limit nor of its own kind. */
_Bool settings_same(const struct setting *row, const void *a, const void *b);
/* Frees the texts in target. Safe twice. */
void settings_close(const struct setting *rows, void *target);

#endif
