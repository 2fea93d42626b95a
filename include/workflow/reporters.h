/* reporters: who has reported how often today, and when last. It serves the day's caps and the look for bursts (doubt.h);
 * it knows one local day at a time and forgets the day before when the next begins. Texts are the casebook's interned
 * names: a pointer is a name. */
#ifndef WORKFLOW_REPORTERS_H
#define WORKFLOW_REPORTERS_H

#include <stdint.h>

#include "jurisdiction/policy_rules.h"

#define REPORTERS_RECENT POLICY_BURST_MOST /* of one reporter's reports, the times that are remembered */

struct reporters;

struct reporters *reporters_new(void) MUST_USE;
void reporters_free(struct reporters *r); /* NULL is fine */
/* A report was taken; day counts local days. One of an earlier day than the newest is passed over. */
void reporters_note(struct reporters *r, const char *who, int32_t day, int64_t at_ms);
/* How many reports of that day. */
int64_t reporters_today(const struct reporters *r, const char *who, int32_t day);
/* How many of the remembered ones at or after since_ms: at most REPORTERS_RECENT. */
int reporters_since(const struct reporters *r, const char *who, int32_t day, int64_t since_ms);

#endif
