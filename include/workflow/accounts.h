/* accounts: people's points in memory: balances, what of them is not payable yet, and where they were lately rewarded. */
#ifndef WORKFLOW_ACCOUNTS_H
#define WORKFLOW_ACCOUNTS_H

#include "jurisdiction/policy_rules.h"
#include "workflow/casebook.h"

struct accounts;

/* Rewarded places remembered for the minimum interval; the oldest are forgotten beyond this. */
#define ACCOUNTS_PLACES_MOST 200000
#define ACCOUNTS_TIMES POLICY_AGAIN_MOST /* of one place, the rewards that are remembered */

struct accounts *accounts_new(void) MUST_USE;
void accounts_free(struct accounts *a); /* NULL is fine */
const struct account *accounts_find(const struct accounts *a, const char *person);
int64_t accounts_payable(const struct accounts *a, const char *person, int64_t now_ms);
int64_t accounts_rewarded_at(const struct accounts *a, int64_t place_key);
/* How many of the remembered ones lie at or after since_ms. */
int accounts_rewarded_since(const struct accounts *a, int64_t place_key, int64_t since_ms);
/* One ledger row. */
void accounts_apply(struct accounts *a, const struct ledger_fact *f);
void accounts_set(struct accounts *a, const char *person, int64_t balance, int32_t month, int64_t month_points);
void accounts_pending(struct accounts *a, const char *person, int64_t points, int64_t payable_ms);
void accounts_place(struct accounts *a, int64_t place_key, int64_t at_ms);
/* The account goes on under another name, which has none yet; nothing when there is no such account. */
void accounts_rename(struct accounts *a, const char *person, const char *name);
/* yyyymm of the local month. */
int32_t accounts_month(int64_t at_ms);

#endif
