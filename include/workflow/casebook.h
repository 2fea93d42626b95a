/* casebook: everything still alive, in memory, owned by the writer's thread: open cases by id and by place, recent
 * keys, accounts, timers, followers. Every look-up a decision needs is answered here. It changes only through
 * casebook_apply (facts) and, at start, through the casebook_restore_* calls of the store's recovery. */
#ifndef WORKFLOW_CASEBOOK_H
#define WORKFLOW_CASEBOOK_H

#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "workflow/case_file.h"
#include "workflow/facts.h"
#include "workflow/follower.h"
#include "workflow/looks.h"
#include "workflow/sight.h"

#define CASEBOOK_KEYS_PER_GENERATION 262144 /* two generations are kept; older keys are asked of the store */
#define CASEBOOK_CASES_MOST 8000000         /* open cases; beyond: "retry later" */

struct casebook;

struct casebook *casebook_new(int shard) MUST_USE;
void casebook_free(struct casebook *b);

/* ---- look-ups (none changes anything) ---- */
const struct case_file *casebook_case(const struct casebook *b, int64_t id); /* NULL: not open */
size_t casebook_open_count(const struct casebook *b);
/* Shows the open cases of this category within metres that were reported at or after since_ms. Of a crowd only the
 * newest are shown. A case whose grid is not known is never shown by its place; it is shown, as 0 m away, to another one
 * that has the same door in its address and no known grid either. */
void casebook_around(const struct casebook *b, int32_t category, const struct viewpoint *from, double metres,
                     int64_t since_ms, void (*see)(void *ctx, const struct sight *s), void *ctx);
/* What a camera goes on seeing: workflow/alarm_spans.h says what each gives. */
const struct alarm_span *casebook_span(const struct casebook *b, const char *camera, const char *channel,
                                       int32_t category, const char *event);
const struct alarm_span *casebook_span_oldest(const struct casebook *b, size_t i);
size_t casebook_span_count(const struct casebook *b);
enum state casebook_span_end(const struct casebook *b, int64_t case_id);
int32_t casebook_alarm_count(const struct casebook *b, int64_t case_id);
/* The answer given to this key, if memory has it. */
const struct key_fact *casebook_key(const struct casebook *b, const struct uuid *key);
/* Whether memory knows every key of this key's time: then "not found" means new, otherwise the store must be asked. */
_Bool casebook_keys_complete_for(const struct casebook *b, const struct uuid *key);

struct account {
	const char *person;
	int64_t balance;      /* sum of all ledger rows */
	int32_t month;        /* yyyymm of month_points */
	int64_t month_points; /* earned by cases in that month */
};
const struct account *casebook_account(const struct casebook *b, const char *person); /* NULL: no rows yet */
/* What of the balance can be redeemed at now. */
int64_t casebook_payable(const struct casebook *b, const char *person, int64_t now_ms);
/* When this reporter+category+place was last rewarded; 0: not within memory (the interval is short). */
int64_t casebook_rewarded_at(const struct casebook *b, int64_t place_key);
/* How often it was at or after since_ms; at most ACCOUNTS_TIMES. */
int casebook_rewarded_since(const struct casebook *b, int64_t place_key, int64_t since_ms);
/* Reports of this person (interned) on that local day; and of those the last few at or after since_ms. */
int64_t casebook_reported_today(const struct casebook *b, const char *person, int32_t day);
int casebook_reported_since(const struct casebook *b, const char *person, int32_t day, int64_t since_ms);
/* Another case with a photo that looks like this one; NULL: none. */
const struct look_owner *casebook_same_look(const struct casebook *b, uint64_t look, int64_t case_id);

/* The cases merged into this one; *count may be 0. */
const struct follower *casebook_followers(const struct casebook *b, int64_t master, size_t *count);

/* The next timer: false when none. act is what the timer asks for. */
struct timer {
	int64_t at_ms;
	int64_t case_id;
	enum act act;
};
_Bool casebook_next_timer(const struct casebook *b, struct timer *out);
const struct emergencies *casebook_emergencies(const struct casebook *b);
const struct roster *casebook_roster(const struct casebook *b);
/* Counters: the next ids to be given out. */
struct counters {
	int64_t event, ledger, notice, span, credential;
	int32_t day;        /* local day of sequence, days since 1970 */
	int32_t sequence;   /* next in that day */
	int64_t day_end_ms; /* when that day ends; 0: not worked out yet */
	int64_t last_ms;    /* newest time any fact carries: a replay clock starts here */
};
const struct counters *casebook_counters(const struct casebook *b);
int casebook_shard(const struct casebook *b);
/* Interns a text for case_file fields (NULL stays NULL). A cache, not state: allowed while deciding. */
const char *casebook_intern(const struct casebook *b, const char *text);
/* In no order. */
void casebook_each(const struct casebook *b, void (*visit)(void *ctx, const struct case_file *c), void *ctx);
/* A walk over every case that is open when it begins, a few at a time while the book changes in between. One walk at a
 * time; what ends in between is passed over. */
void casebook_walk(struct casebook *b);
const struct case_file *casebook_walk_next(struct casebook *b); /* NULL: it is over */

/* ---- change ---- */
/* Obeys the facts: cases, indexes, timers, accounts, counters. Cannot fail. */
void casebook_apply(struct casebook *b, const struct facts *f);

/* Recovery, by the store: texts are interned here. */
void casebook_restore_case(struct casebook *b, const struct case_file *c);
void casebook_restore_key(struct casebook *b, const struct key_fact *k);        /* oldest first */
void casebook_restore_keys_from(struct casebook *b, int64_t complete_after_ms); /* keys of later times are all loaded */
void casebook_restore_ledger(struct casebook *b, const char *person, int64_t balance, int32_t month,
                             int64_t month_points);
void casebook_restore_pending(struct casebook *b, const char *person, int64_t points, int64_t payable_ms);
void casebook_restore_rewarded(struct casebook *b, int64_t place_key, int64_t at_ms);
/* Of the newest day's reports, oldest first; person may be any text. */
void casebook_restore_reported(struct casebook *b, const char *person, int32_t day, int64_t at_ms);
void casebook_restore_look(struct casebook *b, uint64_t look, struct look_owner owner); /* oldest first */
void casebook_restore_follower(struct casebook *b, int64_t master, const struct follower *f);
/* After the cases: how its case ended, STATE_NONE when it is open or there is none; the longest silent first. */
void casebook_restore_span(struct casebook *b, const struct alarm_span *s, enum state end);
void casebook_restore_emergency(struct casebook *b, const struct emergency *e);   /* oldest first */
void casebook_restore_credential(struct casebook *b, const struct credential *c); /* live, oldest first */
void casebook_restore_counters(struct casebook *b, const struct counters *c);

#endif
