/* acts: which options an act may take. acts.c has the table of act verbs, verb_act.c runs any of them. */
#ifndef CLI_ACTS_H
#define CLI_ACTS_H

#include "verb.h"

/* Bits of verb.takes and verb.needs; bit i is row i of act_options. */
enum act_option {
	TAKES_REASON,
	TAKES_TEXT,
	TAKES_UNIT,
	TAKES_WORKER,
	TAKES_WITH,
	TAKES_CALL,
	TAKES_CATEGORY,
	TAKES_GRID,
	TAKES_INTO,
	TAKES_UNTIL,
	TAKES_BY,
	TAKES_PHOTO,
	TAKES_AT,
	TAKES_GCJ,
	TAKES_FINDING,
	TAKES_RATING,
	TAKES_REPORTER,
	TAKES_KEY,
	ACT_OPTION_COUNT
};

enum exit_code act_run(struct call *call);

#endif
