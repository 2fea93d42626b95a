/* options: a verb's options are rows; the same rows parse, check and explain. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/limit.h"
#include "base/must.h"

enum option_kind {
	OPTION_FLAG,
	OPTION_TEXT,
	OPTION_INT,
	OPTION_TIME,  /* "2026-11-21 14:00", "2026-11-21" or a span from now: "2h" */
	OPTION_SPAN,  /* "2h" */
	OPTION_LIMIT, /* "2wd" */
	OPTION_PLACE, /* "LAT,LON" in degrees */
	OPTION_WORD   /* one of the words in value, "a|b|c" */
};

struct option_row {
	const char *name; /* "--at" */
	enum option_kind kind;
	const char *value; /* what stands behind it in the help: "LAT,LON" */
	const char *help;
	_Bool required;
	_Bool repeats;
};

#define OPTION_ROWS_MOST 40
#define OPTIONS_GIVEN_MOST 64
#define OPTION_WORDS_MOST 512

/* The rows that apply to one verb. */
struct option_set {
	const struct option_row *rows[OPTION_ROWS_MOST];
	int count;
};
void option_set_add(struct option_set *set, const struct option_row *row);
void option_set_add_all(struct option_set *set,
                        const struct option_row *rows); /* rows end with a NULL name; NULL is fine */

/* What was given, pointing into argv. */
struct options {
	struct option_given {
		const struct option_row *row;
		const char *value;
	} given[OPTIONS_GIVEN_MOST];
	int given_count;
	const char *words[OPTION_WORDS_MOST]; /* what is no option */
	int word_count;
};

#define OPTION_WHY_SIZE 200
/* false with a sentence in why: unknown option, missing or impossible value. Required options are not looked at, because
 * --help must work without them. "--x=v" and "--x v" mean the same; "--" ends the options; "-5" is a word. */
_Bool options_parse(const struct option_set *set, int argc, char **argv, struct options *out,
                    char why[OPTION_WHY_SIZE]) MUST_USE;
/* The first required row that was not given, or NULL. */
const struct option_row *options_missing(const struct option_set *set, const struct options *o);

/* What was given last under the name; NULL (or the fallback): not given. */
const char *options_text(const struct options *o, const char *name);
_Bool options_flag(const struct options *o, const char *name);
int64_t options_int(const struct options *o, const char *name, int64_t fallback);
int64_t options_span(const struct options *o, const char *name, int64_t fallback_ms);
struct limit options_limit(const struct options *o, const char *name); /* amount 0: not given */
/* Position of the given word in the row's list, or -1. */
int options_word(const struct options *o, const char *name);
_Bool options_place(const struct options *o, const char *name, double *lat, double *lon);
/* Time in UTC ms, 0 when not given. A span counts from now, into the past when direction is -1. */
int64_t options_time(const struct options *o, const char *name, int64_t now_ms, int direction);
/* Every value given under a repeating name; how many. */
int options_all(const struct options *o, const char *name, const char **out, int most);
/* The words from index `from` on, joined by spaces, on the heap; NULL when there are none. */
char *options_rest(const struct options *o, int from) MUST_USE;

/* One line for each row: name, value, help. */
void options_explain(const struct option_set *set, FILE *to);

/* "LAT,LON" within the globe. */
_Bool place_from_text(const char *text, double *lat, double *lon) MUST_USE;
/* As OPTION_TIME. */
_Bool time_from_text(const char *text, int64_t now_ms, int direction, int64_t *out_ms) MUST_USE;

#endif
