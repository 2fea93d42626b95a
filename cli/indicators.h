/* indicators: the field's rates from one row of counts. Rates are not clamped: 110 % is an answer, and one to look into. */
#ifndef CLI_INDICATORS_H
#define CLI_INDICATORS_H

#include "show.h"

enum {
	INDICATOR_FILING,
	INDICATOR_CLOSING,
	INDICATOR_ON_TIME,
	INDICATOR_EXEMPTED,
	INDICATOR_HONEST,
	INDICATOR_SATISFIED,
	INDICATOR_ANSWERED,
	INDICATOR_REWORK,
	INDICATOR_EXTENSION,
	INDICATOR_RETURN,
	INDICATOR_MERGE,
	INDICATOR_COUNT
};

struct indicator {
	const char *name; /* for JSON: "closing_rate" */
	const char *says; /* how it is made */
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
