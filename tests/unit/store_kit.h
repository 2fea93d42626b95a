/* store_kit: a database in a folder of its own, a casebook beside it, and facts by hand through the real case_apply, so
 * that what is written is what the daemon could have written. */
#ifndef STORE_KIT_H
#define STORE_KIT_H

#include <stdint.h>

#include "store/query.h"
#include "store/store.h"
#include "workflow/decide.h"

#define KIT_START_MS INT64_C(1795305600000) /* 2026-11-22 00:00 UTC */
#define KIT_GRID INT64_C(610404004001001)

struct kit {
	char folder[128], path[160];
	const char *vfs; /* NULL: the system's */
	struct store *store;
	struct casebook *book;
	struct facts facts;
	int64_t now_ms;
};

void kit_start(struct kit *k);   /* folder, store, empty casebook */
void kit_end(struct kit *k);     /* and everything removed */
void kit_reopen(struct kit *k);  /* as a restart: closes the store, opens it, recovers a new casebook */
void kit_recover(struct kit *k); /* a new casebook from the open store */
/* A kit as a test's state; the VFS below does not fail. */
int kit_test_start(void **state);
int kit_test_end(void **state);

struct kit_report {
	const char *reporter, *actor, *channel, *description;
	enum reporter_kind kind;
	int32_t category;
	int64_t grid;
	_Bool keyed;
	struct uuid key; /* made when zero */
};
/* Facts that say nothing yet. */
void kit_nothing(struct kit *k);
/* The facts of a new case, not yet applied nor written; its id. */
int64_t kit_report(struct kit *k, const struct kit_report *r);
/* The facts of one step of an open case; f gives act, to and what the act carries. */
void kit_step(struct kit *k, int64_t id, struct fact f);
/* Adds to the facts that are being made. */
void kit_owe(struct kit *k, const char *to);
/* A new token of this person, applied and written; its id. */
int64_t kit_credential(struct kit *k, const char *person);
void kit_earn(struct kit *k, const char *person, int64_t points, int64_t payable_ms, int64_t place_key);
/* Applies the facts and writes them, one transaction. */
enum store_result kit_write(struct kit *k);

/* Everything at once: report or step, applied and written. */
int64_t kit_new_case(struct kit *k, const struct kit_report *r);
void kit_do(struct kit *k, int64_t id, enum act act, enum state to);
/* From a report to its reward, with notices and points for its reporter; a minute between steps. */
int64_t kit_whole_life(struct kit *k, const struct kit_report *r);
/* A small street: one case in each of several states, merged ones, an archive; see the body. */
void kit_street(struct kit *k);

/* A kit with a reader and an arena for its answers, as a test's state. */
struct street {
	struct kit kit;
	struct reader *reader;
	struct result mem;
};
int street_start(void **state);
int street_end(void **state);
#define KIT_STREET_TEST(f) cmocka_unit_test_setup_teardown(f, street_start, street_end)

/* Fails the test naming the column when the two books hold different open cases. */
void kit_assert_same_books(const struct casebook *a, const struct casebook *b);
/* Runs SQL through a handle of its own, against all rules; the store must be closed. */
void kit_tamper(const struct kit *k, const char *sql);
/* The first number of a query on the file. */
int64_t kit_number(const struct kit *k, const char *sql);

/* A VFS named "kit" over the system's that can be told to fail. */
enum kit_fault { KIT_FAULT_NONE, KIT_FAULT_FULL, KIT_FAULT_SYNC, KIT_FAULT_READ, KIT_FAULT_DAMAGE };
const char *kit_vfs(void);
void kit_vfs_fail(enum kit_fault fault, int after); /* from the n-th write, sync or read on */

#endif
