/* query: what may be asked of the database while the writer works. Each reader is one read-only connection used by one
 * thread. Answers are plain values in one arena freed by result_close. Every query has a deadline. */
#ifndef STORE_QUERY_H
#define STORE_QUERY_H

#include <stddef.h>
#include <stdint.h>

#include "store/case_people.h"
#include "workflow/case_file.h"
#include "workflow/facts.h"

struct reader;
/* NULL with *cause (heap) when it cannot be opened. The database must exist and be migrated. */
struct reader *reader_open(const char *path, char **cause) MUST_USE;
void reader_close(struct reader *r);

#define QUERY_PAGE_MOST 100
#define QUERY_DEADLINE_MS 1000 /* a case, a page, notices, points */
#define QUERY_STATS_DEADLINE_MS 10000
enum query_status { QUERY_OK, QUERY_NOT_FOUND, QUERY_TIMEOUT, QUERY_FAILED };

struct result {
	struct result_block *blocks; /* memory for one answer: every text and array below comes from here */
};
void result_close(struct result *r); /* safe twice */

/* A case with its report's particulars, open or archived. */
struct case_row {
	struct case_file file;
	const char *address, *description, *beneficiary, *programme, *photos;
	const char *contact_name, *contact_phone; /* who can be asked about it; NULL: not given */
	const char *channel;                      /* the door it came by */
	_Bool archived;
};

struct case_answer {
	struct case_row row;
	struct fact *history; /* oldest first */
	size_t history_count;
	_Bool history_cut;
	int64_t *merged_here; /* case ids, and their categories */
	int32_t *merged_here_categories;
	size_t merged_here_count;
};
enum query_status query_case(struct reader *r, int64_t id, struct result *mem, struct case_answer *out) MUST_USE;

struct case_filter {
	int64_t area;                   /* 12- or 15-digit prefix, 0: any */
	int32_t category;               /* exact, or a class (multiple of 100), 0: any */
	uint32_t states;                /* bit 1 << state; 0: any */
	const char *handler, *reporter; /* NULL: any */
	_Bool overdue, open_only, unlocated, doubted;
	int64_t now_ms;         /* for overdue */
	int64_t from_ms, to_ms; /* 0: unbounded */
	int64_t before_id;      /* cursor: ids below this; 0: from the newest */
	int limit;              /* 1 … QUERY_PAGE_MOST */
};
struct case_list {
	struct case_row *rows;
	size_t count;
	int64_t next_before_id; /* 0: the end */
};
enum query_status query_list(struct reader *r, const struct case_filter *f, struct result *mem,
                             struct case_list *out) MUST_USE;

struct ledger_row {
	struct ledger_fact fact;
	int32_t category; /* of case_id */
};
struct points_answer {
	int64_t balance, payable;
	struct ledger_row *rows; /* newest first */
	size_t count;
};
enum query_status query_points(struct reader *r, const char *person, int64_t now_ms, int limit, struct result *mem,
                               struct points_answer *out) MUST_USE;
struct board_row {
	const char *person;
	int64_t points;
};
/* The ten who earned most since from_ms. */
enum query_status query_board(struct reader *r, int64_t from_ms, struct result *m, struct board_row **rows,
                              size_t *count) MUST_USE;

struct notice_row {
	struct notice_fact fact;
	struct case_people people;
	int32_t category;
	_Bool seen;
};
struct notice_filter {
	const char *to[15]; /* a person answers to its id, its unit and its roles; ends with NULL */
	int64_t role_area;  /* what is owed to a role: only under this prefix, or still to be located; 0: any */
	int64_t after;      /* ids above */
	int limit;
	_Bool unseen_only;
};
/* Oldest first. *scanned_to: the cursor to go on from. */
enum query_status query_notices(struct reader *r, const struct notice_filter *f, struct result *mem,
                                struct notice_row **rows, size_t *count, int64_t *scanned_to) MUST_USE;

struct news_row {
	struct fact fact;
	struct case_people people;
};
struct event_filter {
	int64_t after, area; /* ids above; 12- or 15-digit prefix, 0: any */
	uint32_t states;     /* bit 1 << state that the case was in afterwards; 0: any */
	int limit;
};
/* Oldest first. *scanned_to: the cursor to go on from, even when few rows matched. */
enum query_status query_events(struct reader *r, const struct event_filter *f, struct result *mem,
                               struct news_row **rows, size_t *count, int64_t *scanned_to) MUST_USE;
/* What there is and was, newest first, QUERY_PAGE_MOST at most; events are not told. */
enum query_status query_emergencies(struct reader *r, struct result *m, struct emergency **rows,
                                    size_t *count) MUST_USE;
enum query_status query_last_ids(struct reader *r, int64_t *last_event, int64_t *last_notice) MUST_USE;

#endif
