/* decision: what the phase files share while one command is being judged: the inputs, the draft of the case as the facts
 * so far make it, and the small verbs that add facts. Only for workflow/. */
#ifndef WORKFLOW_DECISION_H
#define WORKFLOW_DECISION_H

#include "workflow/decide.h"
#include "workflow/rows.h"
#include "workflow/transitions.h"

struct decision {
	const struct casebook *book;
	const struct policy *policy;
	const struct policy_rules *rules;
	struct command *command;
	const struct person *who; /* NULL: the system */
	const char *actor;        /* who->id or "system" */
	int64_t now_ms;
	struct facts *out;
	struct case_file *draft; /* &out->drafts[0] */
	const struct transition *row;
	int64_t master; /* of a merge: asked for, or found */
	int64_t next_event, next_ledger, next_notice, next_span;
	int32_t alarm_count;            /* how often its camera has posted it */
	uint8_t doubts;                 /* of ACT_DOUBT: enum doubt */
	const struct look_owner *alike; /* of DOUBT_PHOTO */
};

/* Begins a judgement: the draft is still empty, the actor the system. */
void decision_begin(struct decision *d, const struct casebook *b, const struct policy *p, struct command *c,
                    int64_t now_ms, struct facts *out);

/* ---- emitting ---- */
/* Begins the event of this row's act on the draft: from its state to the row's, dues as they are; the caller changes what
 * differs and then calls decision_commit, which applies it to the draft and owes the notices of the act. */
struct fact *decision_event(struct decision *d, enum act act, enum state to);
void decision_commit(struct decision *d, struct fact *f);
/* The same for the other case of a merge: draft index i. */
struct fact *decision_event_on(struct decision *d, struct case_file *draft, enum act act, enum state to);
void decision_commit_on(struct decision *d, struct case_file *draft, struct fact *f);
/* An automatic step after the person's own: as "system", through the table; its guard must hold, else nothing happens. */
_Bool decision_then(struct decision *d, enum act act);
void decision_new_case(struct decision *d); /* makes the draft of the case that the command would open */
void decision_outcome(struct decision *d);  /* puts the draft, as the facts have made it, into the outcome */

/* ---- deadlines, by the work calendar ---- */
/* When a limit that starts then runs out. */
int64_t deadline_of(const struct decision *d, int64_t from_ms, struct limit limit);
/* The same for a step that starts now, emergencies included. */
int64_t deadline_stage(const struct decision *d, struct limit limit);
/* The handling clock starts now with `left` of this limit; goes on with what was left; stops and keeps it; is given more. */
void deadline_run(struct decision *d, struct fact *f, struct limit limit, int64_t left);
void deadline_go_on(struct decision *d, struct fact *f);
void deadline_stop(struct decision *d, struct fact *f);
void deadline_extend(struct decision *d, struct fact *f, int64_t by);

/* A COMMAND_EMERGENCY: retime.c. */
_Bool emergency_judge(struct decision *d);
/* COMMAND_ISSUE, COMMAND_ROTATE, COMMAND_REVOKE: identity.c. */
_Bool identity_issue(struct decision *d);
_Bool identity_rotate(struct decision *d);
_Bool identity_revoke(struct decision *d);

/* ---- refusing ---- */
_Bool decision_refuse(struct decision *d, enum refusal_code code, const char *rule, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* The reason given must be on the act's list. */
_Bool decision_reason(struct decision *d);
_Bool decision_reason_of(struct decision *d, const char *act); /* on another act's list */

/* ---- relations ---- */
/* Whether who asks has the right to this act on the draft, standing to it in one of these ways; the system by WHO_SYSTEM. */
_Bool decision_may(const struct decision *d, enum act act, uint32_t who);
/* Whether it would in any state. */
_Bool decision_ever_may(const struct decision *d, enum act act);
/* Refuses for want of it. */
_Bool decision_lacks(struct decision *d, enum act act, const char *rule);
/* Whether who asks has this right, which is no act on a case; else refused for want of it. */
_Bool decision_has(struct decision *d, enum right right, const struct rights_on *on, const char *rule);
/* The same, but having it anywhere at all. */
_Bool decision_has_somewhere(struct decision *d, enum right right, const char *rule);
/* Whether who asks acts for this grid too, where a case is to go, or where another is that it has to do with. */
_Bool decision_within(struct decision *d, int64_t grid);
/* Whether this person is the draft's handler: of its unit, or who said handled. */
_Bool decision_is_handler(const struct decision *d, const struct person *p);
/* Whether this person reported the case, or sent it in for whoever did. */
_Bool decision_is_reported_by(const struct case_file *c, const char *person);

/* ---- reward.c, for doubt.c ---- */
_Bool reward_earns(uint8_t reporter_kind);         /* reporting is not already this kind's paid duty */
int64_t reward_expected(const struct decision *d); /* what the first reporter would be given now */
int64_t
reward_place_key(const struct decision *d); /* the draft's reporter, category and place as one number, never 0 */

/* ---- units (dispatch.c) ---- */
/* The units of the command are known and named once, and none is the lead (NULL: there is none). */
_Bool decision_units_known(struct decision *d, const char *lead);
/* "first,unit,unit" */
const char *decision_units_joined(struct decision *d, const char *first, const char *const *units, int count);
/* The co-handlers' clocks after reopening, and after a pause that began then. */
void dispatch_co_anew(struct decision *d);
void dispatch_co_go_on(struct decision *d, int64_t paused_ms);

/* ---- notices ---- */
void decision_notify(struct decision *d, const struct case_file *c, const struct fact *f);
void decision_owe(struct decision *d, const struct case_file *c, const struct fact *f, const char *to,
                  const char *text);

#endif
