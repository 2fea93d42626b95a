/* answer: rows as values of an answer. Private to store/. */
#ifndef STORE_ANSWER_H
#define STORE_ANSWER_H

#include "store/reader.h"

/* Reads ROW_ALL_NAMES from column 0 on, with all texts copied. false: the row holds what no case can have. */
_Bool answer_case(struct reader *r, sqlite3_stmt *st, _Bool archived, struct result *mem,
                  struct case_row *out) MUST_USE;
/* Reads the columns of case_event in table order; texts stay SQLite's until the next step. */
void answer_event(sqlite3_stmt *st, struct fact *out);
/* Whether act, states and actor are what an event can have: the numbers may go into tables then. */
_Bool answer_event_is_sound(const struct fact *f) MUST_USE;
/* Copies the event's texts. */
void answer_keep_event(struct result *mem, struct fact *f);
/* Whether the case has missed its handling limit or keeps somebody of the staff waiting past the time. */
_Bool answer_is_overdue(const struct case_file *c, int64_t now_ms) MUST_USE;

/* The columns from `at` on that CASE_PEOPLE (reader.c) selects. */
void answer_people(sqlite3_stmt *st, int at, struct result *mem, struct case_people *out);

#endif
