/* likeness: whether two reports are about one matter, judged by what they say: how far apart in place and time, what
 * their addresses say about each other, whose matter it is and who reports. Pure: numbers in, a word out. The figures
 * behind the rule, and how it was measured, are in docs/merging.md. */
#ifndef WORKFLOW_LIKENESS_H
#define WORKFLOW_LIKENESS_H

#include <stdint.h>

#include "jurisdiction/policy.h"
#include "workflow/address.h"

enum likeness { LIKENESS_NO, LIKENESS_MAYBE, LIKENESS_SURE };

/* Two reports of one category or one family. */
struct likeness_pair {
	double metres;
	int64_t apart_ms;
	enum address_relation where;
	enum hands {
		HANDS_UNKNOWN,
		HANDS_SAME,
		HANDS_TWO
	} hands;         /* one reporter twice, or two; one at least is anonymous */
	_Bool same_kind; /* both by the same kind of reporter */
	_Bool at_desk;   /* both taken down by somebody whose work it is, who would know the first */
};

struct likeness_verdict {
	enum likeness is;
	int32_t score; /* of two verdicts alike in `is`, the higher is the better; 0 for NO */
};

/* k: the category of the newer report. */
struct likeness_verdict likeness_judge(const struct category *k, const struct policy_rules *r,
                                       const struct likeness_pair *pair);
/* How far and how far back another report can be and still be sure or maybe. INT64_MAX: as long as it is open. */
double likeness_metres(const struct category *k, const struct policy_rules *r);
int64_t likeness_window_ms(const struct category *k);

#endif
