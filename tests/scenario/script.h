/* script: one line of a scenario as words, and the words' meanings. README.md describes the language. */
#ifndef TESTS_SCENARIO_SCRIPT_H
#define TESTS_SCENARIO_SCRIPT_H

#include <stdint.h>
#include <stdio.h>

#include "base/must.h"

#define SCRIPT_WORDS_MOST 64
#define SCRIPT_LINE_MOST 1024

struct script {
	const char *path;
	FILE *file;
	int line;
	char text[SCRIPT_LINE_MOST];
	const char *words[SCRIPT_WORDS_MOST];
	_Bool quoted[SCRIPT_WORDS_MOST];
	int count, at;   /* at: the next word to be taken */
	_Bool failed;    /* of the scenario under way; one complaint is enough */
	int complain_at; /* line to name instead of the present one; 0: the present one */
};

/* Reads the next line that says something; false at the end. "text in quotes" is one word without its quotes. */
_Bool script_next(struct script *s) MUST_USE;
/* Prints "file:line: what" once and marks the scenario as failed. Always false. */
_Bool script_fail(struct script *s, const char *format, ...) PRINTF_LIKE(2, 3);

/* The next word, or NULL. */
const char *script_peek(const struct script *s);
const char *script_take(struct script *s);
/* Takes the next word if it is this one. */
_Bool script_takes(struct script *s, const char *word) MUST_USE;

/* Each takes what it needs and complains when it is not there. */
const char *script_word(struct script *s, const char *expected);
int64_t script_number(struct script *s);
double script_real(struct script *s);
/* "15m", "4h 30m". */
int64_t script_span(struct script *s);
/* "2026-11-21 09:00", "2026-11-21", "09:00" (of the day of now), "+3d" (from now), "none" (0). */
int64_t script_time(struct script *s, int64_t now_ms);
/* "34.35,108.72" in degrees. */
void script_place(struct script *s, int32_t *lat_e7, int32_t *lon_e7);

#endif
