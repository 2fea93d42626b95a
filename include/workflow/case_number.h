/* case_number: category codes, case ids, and the numbers that people use for cases. */
#ifndef WORKFLOW_CASE_NUMBER_H
#define WORKFLOW_CASE_NUMBER_H

#include <stdint.h>

/* Category codes: kind (1 event E, 2 component C) × 10000 + class × 100 + subclass; "E0110" is 10110. 0: none. */
int32_t category_from_text(const char *text); /* 0 when it is no code */
#define CATEGORY_TEXT_SIZE 6
void category_text(int32_t category, char out[CATEGORY_TEXT_SIZE]);

/* Case ids: time-ordered 64-bit integers, made without asking anyone: shard (10 bits) · local day since 2000-01-01
 * (20 bits) · sequence in the day (26 bits). Several daemons can make ids if each has its own shard. */
#define CASE_SEQUENCE_MOST ((1 << 26) - 1)
int64_t case_id_make(int shard, int32_t day_since_1970, int32_t sequence);
int32_t case_id_day(int64_t id); /* days since 1970-01-01 */
int32_t case_id_sequence(int64_t id);
/* The number people use: E/C + class + subclass + yyyymmdd + sequence (at least 5 digits), "E01102026112100042". The
 * shard is added to the sequence's front as "s-" only when it is not 0. */
#define CASE_NUMBER_SIZE 40
void case_number_text(int64_t id, int32_t category, char out[CASE_NUMBER_SIZE]);
/* The id in a number, 0 when it is none. The category part only has to be well formed: it may have been corrected since. */
int64_t case_number_id(const char *number);

#endif
