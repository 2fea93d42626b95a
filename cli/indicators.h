/* indicators: the field's rates from one row of counts. Rates are not clamped: 110 % is an answer, and one to look into. */
#ifndef CLI_INDICATORS_H
#define CLI_INDICATORS_H

#include "show.h"

struct indicator {
	const char *name;  /* for JSON and CSV: "closing_rate" */
	const char *title; /* for the table: "closing 结案率" */
	const char *says;  /* how it is made */
	int leave_out;     /* in a narrow table, see struct column */
	int64_t (*part)(const wire_stats_row *r);
	int64_t (*whole)(const wire_stats_row *r);
};

/* Ends with a NULL name. */
extern const struct indicator indicators[];

/* part / whole; false when the whole is 0 or less, where no rate can be said. */
_Bool indicator_value(const struct indicator *i, const wire_stats_row *r, double *out) MUST_USE;
/* "97.3%" or "–". */
const char *indicator_text(const struct indicator *i, const wire_stats_row *r, char out[SHOW_SIZE]);
/* Mean time to the first reply in ms, -1 when nobody was replied to. */
int64_t indicator_first_reply_ms(const wire_stats_row *r);

#endif
