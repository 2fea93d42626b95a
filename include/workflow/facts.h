/* facts: what was decided. A fact about a case is one event: one row of case_event, one step of case_apply. Beside
 * events a decision can give points (ledger), owe somebody a notice, and remember a key. Facts are lists of plain
 * values; their texts belong to the command, the policy or the casebook and live until the batch is written. */
#ifndef WORKFLOW_FACTS_H
#define WORKFLOW_FACTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"
#include "workflow/alarm_span.h"
#include "workflow/audit.h"
#include "workflow/case_file.h"
#include "workflow/domain.h"
#include "workflow/evidence.h"
#include "workflow/emergency.h"
#include "workflow/roster.h"

/* One event. What ref, value and text carry depends on the act; the table in facts.c says it for each. */
struct fact {
	int64_t id; /* global, rising by one: the cursor of subscribers and of the Redis events stream */
	int64_t case_id;
	int64_t prev; /* the case's event before this; 0: its first */
	int64_t at_ms;
	enum act act;
	enum state from, to;
	const char *actor; /* person id; "system" for timers and automatic steps */
	const char *ref;   /* unit, worker, reason code …; several joined by ',' */
	const char *text;
	int64_t value;
	int32_t category;                    /* as it is after the fact */
	int64_t grid;                        /* where duty lies */
	int64_t stage_due_ms, handle_due_ms; /* as they are after the fact */
	int64_t handle_warn_ms;              /* where handle_due_ms changes: when its light turns yellow */
	int64_t handle_left_ms;              /* where the handling clock stops: what it has left, in the limit's unit */
	uint8_t unit;                        /* enum limit_unit of value, where that is a limit: dispatch, reopen */
	uint8_t photo_roles; /* what the evidence that came with it shows: PHOTO_BIT and PHOTO_REPORTED */
};

struct ledger_fact {
	int64_t id;
	const char *person;
	int64_t at_ms, payable_ms;
	int64_t points;    /* signed */
	const char *rule;  /* "first-reporter", "me-too", "redeem", "correction" */
	int64_t case_id;   /* 0: none */
	int64_t place_key; /* hash of reporter, category and place for the minimum interval; 0: none */
	const char *text;
};

struct notice_fact {
	int64_t id;
	const char *to; /* person id, unit id, or "role:acceptor" */
	int64_t at_ms;
	int64_t case_id;
	int64_t event_id;
	enum act act;
	enum state state;
	char text[200];
};

struct key_fact {
	struct uuid key;
	uint8_t hash[16];
	int64_t case_id;
	int32_t category;
	uint8_t state;
	int64_t due_ms, merged_into, maybe_same_as;
	int32_t merged_into_category, maybe_same_category;
	int64_t balance; /* of points; or the id of the credential that was made */
};

/* Notices seen by a person, up to an id. */
struct seen_fact {
	const char *person;
	int64_t up_to;
	int64_t at_ms;
};

struct command;

#define FACTS_SPANS_MOST 2        /* an id's, and its camera's */
#define FACTS_FOLLOWERS_MOST 1000 /* cases merged into one master */
#define FACTS_CASES_MOST 2        /* a merge touches two */
#define FACTS_CREDENTIALS_MOST (CREDENTIALS_A_PERSON_MOST + 1)

/* Growing lists, reused from command to command. The most a single command can make is bounded by
 * FACTS_FOLLOWERS_MOST notices and ledger rows plus a handful of events. */
struct facts {
	struct fact *events;
	size_t event_count, event_room;
	struct ledger_fact *ledger;
	size_t ledger_count, ledger_room;
	struct notice_fact *notices;
	size_t notice_count, notice_room;
	struct key_fact key;
	_Bool has_key;
	struct seen_fact seen;
	_Bool has_seen;
	struct emergency emergency; /* declared, or lifted: then lifted_ms is set */
	_Bool has_emergency;
	char words[64]; /* a text that a fact made itself */
	_Bool sweep;    /* it concerns every open case: each is to be looked at again (workflow/sweep.h) */
	struct alarm_span spans[FACTS_SPANS_MOST];
	int64_t forgotten[FACTS_SPANS_MOST]; /* ids of spans, before those of `spans` are remembered */
	size_t span_count, forgotten_count;
	struct named_fact named;
	struct credential credentials[FACTS_CREDENTIALS_MOST]; /* as they are from now on */
	size_t credential_count;
	struct file_fact file;
	_Bool has_file;
	struct audit_fact audit;                   /* AUDITED_NONE: none */
	const struct command *report;              /* set when events[0] opens a case: the particulars for its row */
	struct case_file drafts[FACTS_CASES_MOST]; /* every case touched, as it becomes; [0]: the one asked about */
	size_t draft_count;
};

void facts_init(struct facts *f);
void facts_clear(struct facts *f); /* empty, memory kept */
void facts_close(struct facts *f);
struct fact *facts_event(struct facts *f); /* a new zeroed row at the end */
struct ledger_fact *facts_ledger(struct facts *f);
struct notice_fact *facts_notice(struct facts *f);

#endif
