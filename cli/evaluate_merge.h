/* evaluate_merge: a city's file through the real decide and casebook, in this process, to see how well reports find what
 * is already known, measured by what the city itself marked as duplicates. Cases end when the city closed them. */
#ifndef CLI_EVALUATE_MERGE_H
#define CLI_EVALUATE_MERGE_H

#include "jurisdiction/policy.h"
#include "replay_file.h"

/* Of some of the rows. */
struct merge_score {
	int64_t rows;
	int64_t merges, marked; /* merged by itself; of these one of the two is marked by the city */
	int64_t pairs, found;   /* rows that name another row; of these both ended in one case */
	int64_t offered; /* of the pairs not found, those whose later report was shown the other as perhaps the same */
	int64_t hints;   /* reports not merged that were shown one as perhaps the same */
};

struct merge_result {
	struct merge_score all, early, late; /* the two halves of the time, by when the report came */
	struct merge_score *kinds;           /* one for each of the file's kinds */
	int64_t half_ms;
	int64_t refused; /* commands that the workflow refused: none is expected */
	char first_refusal[256];
};

/* policy: as --prepare writes it for this file, or one with the same codes and people. */
void evaluate_merge(struct replay_file *f, const struct policy *policy,
                    void (*progress)(void *ctx, int64_t done, int64_t all), void *ctx, struct merge_result *out);
void merge_result_close(struct merge_result *r);

#endif
