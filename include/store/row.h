/* row: a case_file as columns and back, along the lists of columns.h. Private to store/. */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include <stddef.h>

#include "store/columns.h"
#include "store/connection.h"
#include "store/query.h"
#include "workflow/case_file.h"
#include "workflow/command.h"

#define ROW_UNITS_MOST (CASE_UNITS_MOST * (COMMAND_ID_MOST + 1))

/* Room for the two lists of units while they are one text each, joined by ','. */
struct row_units {
	char text[2][ROW_UNITS_MOST + 1];
};

/* Binds from parameter `at` on, giving the next free one. The texts must live until the step. */
int row_bind_new(sqlite3_stmt *st, int at, const struct case_file *c, struct row_units *room);
int row_bind_all(sqlite3_stmt *st, int at, const struct case_file *c, struct row_units *room);
int row_bind_changes(sqlite3_stmt *st, int at, const struct case_file *c, struct row_units *room);
int row_bind_report(sqlite3_stmt *st, int at, const struct command *report);
/* Whether row_bind_new says all there is to say about this case. */
_Bool row_is_new(const struct case_file *c);

/* Reads ROW_CASE_NAMES from column `at` on. Texts point into SQLite's memory and room, valid until the next step. false:
 * the row holds what no case can have. */
_Bool row_read(sqlite3_stmt *st, int at, struct case_file *out, struct row_units *room) MUST_USE;
/* Reads the particulars that follow; same life. */
void row_read_report(sqlite3_stmt *st, int at, struct case_row *out);
/* Every text of the case, for who must keep it: keep gives the copy. */
void row_keep(struct case_file *c, const char *(*keep)(void *ctx, const char *text), void *ctx);
/* The name of the first column in which the two differ, NULL when they agree. */
const char *row_difference(const struct case_file *a, const struct case_file *b, _Bool replayed_only);

#endif
