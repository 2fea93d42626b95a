/* reader: struct reader as the files that make it up see it, and the arena of answers. Private to store/. */
#ifndef STORE_READER_H
#define STORE_READER_H

#include <stddef.h>

#include "store/connection.h"
#include "store/query.h"
#include "store/row.h"

enum reader_statement {
	READ_BEGIN,
	READ_END,
	READ_OPEN_CASE,
	READ_CLOSED_CASE,
	READ_EVENT,
	READ_MERGED_HERE,
	READ_LEDGER,
	READ_CASE_OF,
	READ_CASE_SENT_BY,
	READ_CASE_IS_OF,
	READ_CASE_BOUNDS,
	READ_AUDIT_OF,
	READ_BALANCE,
	READ_LEDGER_TIME,
	READ_BOARD,
	READ_NOTICES,
	READ_SEEN,
	READ_EMERGENCIES,
	READ_CREDENTIALS,
	READ_CREDENTIALS_OF,
	READ_AUDIT,
	READ_AUDIT_ABOUT,
	READ_EVENTS,
	READ_LAST_IDS,
	READ_EVIDENCE_OF,
	READ_EVIDENCE_SENT,
	READ_EVIDENCE_KNOWN,
	READ_EVIDENCE_USED,
	READ_EVIDENCE_ROW,
	READ_EVIDENCE_CASES,
	READ_CASE_EVIDENCE,
	READER_STATEMENTS
};
extern const char *const reader_statements[READER_STATEMENTS];

struct reader {
	struct connection connection;
	int64_t deadline_ms; /* monotonic; the progress handler ends what runs past it */
	struct row_units units;
};

/* A query is between these two: one snapshot of the database, and a time by which it must be over. begin gives
 * SQLite's result; end turns the query's into an answer and lets go of the snapshot. */
int reader_begin(struct reader *r, int64_t most_ms) MUST_USE;
enum query_status reader_end(struct reader *r, int result) MUST_USE;
/* A statement ready to be bound; NULL ends in QUERY_FAILED when stepped. */
sqlite3_stmt *reader_use(struct reader *r, enum reader_statement which);

/* The 15-digit grids under an area, an interval; area 0 is all of them and grid 0, "to be located", too. */
void reader_area(int64_t area, int64_t *low, int64_t *high);
/* Bounds on the ids of cases reported in [from, to) (0: unbounded), for they begin with their day. Only a help for
 * speed: wide by a day either side, and everything when several shards share the database. SQLite's result. */
int reader_id_bounds(struct reader *r, int64_t from_ms, int64_t to_ms, int64_t *low, int64_t *high) MUST_USE;

/* Zeroed memory that lives as long as the answer. */
void *result_take(struct result *mem, size_t size) MUST_USE;
/* A copy; NULL gives NULL. */
const char *result_text(struct result *mem, const char *text);

/* The category of case `id` in an expression, wherever it is. */
#define READER_CATEGORY_OF(id)                                                                                         \
	"coalesce((SELECT category FROM closed_case WHERE id = " id                                                    \
	"), (SELECT category FROM open_case WHERE id = " id "), 0)"

#endif
