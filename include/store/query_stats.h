/* query_stats: the indicators of the domain, counted from the rows by whatever is asked. */
#ifndef STORE_QUERY_STATS_H
#define STORE_QUERY_STATS_H

#include "store/query.h"

enum stats_by {
	STATS_ALL,
	STATS_KIND,
	STATS_AREA,
	STATS_CATEGORY,
	STATS_HANDLER,
	STATS_STATE,
	STATS_MONTH,
	STATS_CHANNEL
};
struct stats_row {
	const char *key;
	int64_t received, filed, closed, open, overdue_open, on_time, due, suspended, reworked, extended, returned,
		merged, rejected, cancelled, satisfied, fairly, unsatisfied, unanswered, first_reply_ms, replied,
		points, archived, expired_alarms, late, exempted, unlocated, told_outside, told_nowhere;
};
struct stats_answer {
	struct stats_row *rows;
	size_t count;
	struct stats_row total;
	int64_t redeemed;
	int64_t longest_open_id, longest_open_ms;
	int32_t longest_open_category;
	_Bool cut; /* more than STATS_ROWS_MOST groups */
};
#define STATS_ROWS_MOST 200
enum query_status query_stats(struct reader *r, enum stats_by by, int64_t area, int64_t from_ms, int64_t to_ms,
                              int64_t now_ms, struct result *mem, struct stats_answer *out) MUST_USE;

#endif
