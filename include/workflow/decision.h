/* decision: what the phase files share while one command is being judged: the inputs, the draft of the case as the facts
 * so far make it, and the small verbs that add facts. Only for workflow/. */
#ifndef WORKFLOW_DECISION_H
#define WORKFLOW_DECISION_H

#include "workflow/decide.h"
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
	int64_t next_event, next_ledger, next_notice;
};

#define SYSTEM_ACTOR "system"

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

/* ---- refusing ---- */
_Bool decision_refuse(struct decision *d, enum refusal_code code, const char *rule, const char *format, ...)
	PRINTF_LIKE(4, 5);
/* The reason given must be on the act's list. */
_Bool decision_reason(struct decision *d);
_Bool decision_reason_of(struct decision *d, const char *act); /* on another act's list */

/* ---- relations ---- */
_Bool decision_may(const struct decision *d, uint32_t who);
/* Whether this person is the draft's handler: of its unit, or who said handled. */
_Bool decision_is_handler(const struct decision *d, const struct person *p);

/* ---- notices ---- */
void decision_notify(struct decision *d, const struct case_file *c, const struct fact *f);
void decision_owe(struct decision *d, const struct case_file *c, const struct fact *f, const char *to,
                  const char *text);

/* ---- the rows' functions, by phase ---- */
_Bool discover_submit_guard(struct decision *d);
void discover_submit(struct decision *d);
_Bool discover_alarm_guard(struct decision *d);
void discover_alarm(struct decision *d);
void discover_alarm_again(struct decision *d);
_Bool discover_confirm_guard(struct decision *d);
void discover_confirm(struct decision *d);
_Bool discover_dismiss_guard(struct decision *d);
_Bool discover_verify_guard(struct decision *d);
void discover_verify(struct decision *d);
_Bool discover_verified_guard(struct decision *d);
void discover_verified(struct decision *d);
_Bool discover_file_guard(struct decision *d);
void discover_file(struct decision *d);
_Bool discover_merge_guard(struct decision *d);
void discover_merge(struct decision *d);
void discover_follow(struct decision *d);

_Bool handle_dispatch_guard(struct decision *d);
void handle_dispatch(struct decision *d);
void handle_return(struct decision *d);
void handle_take_back(struct decision *d);
_Bool handle_ask_extension_guard(struct decision *d);
void handle_ask_extension(struct decision *d);
_Bool handle_extension_asked(struct decision *d);
void handle_extend(struct decision *d);
_Bool handle_ask_suspension_guard(struct decision *d);
void handle_ask_suspension(struct decision *d);
_Bool handle_suspension_asked(struct decision *d);
_Bool handle_suspend_guard(struct decision *d);
void handle_suspend(struct decision *d);
void handle_resume(struct decision *d);
_Bool handle_whistle_guard(struct decision *d);
void handle_whistle(struct decision *d);
_Bool handle_answer_guard(struct decision *d);
void handle_answer(struct decision *d);
_Bool handle_handled_guard(struct decision *d);
void handle_handled(struct decision *d);
_Bool handle_co_handled_guard(struct decision *d);
void handle_co_handled(struct decision *d);
void handle_supervise(struct decision *d);
_Bool handle_escalate_guard(struct decision *d);
void handle_escalate(struct decision *d);
void handle_plain(struct decision *d);        /* the fact and nothing else: sign, refuse, reply, lapse … */
_Bool handle_words_guard(struct decision *d); /* a text is asked for */

_Bool feedback_check_guard(struct decision *d);
void feedback_check(struct decision *d);
_Bool feedback_pass_guard(struct decision *d);
void feedback_pass(struct decision *d);
_Bool feedback_rework_guard(struct decision *d);
void feedback_rework(struct decision *d);
_Bool feedback_review_guard(struct decision *d);
void feedback_review(struct decision *d);
_Bool feedback_reopen_guard(struct decision *d);
void feedback_reopen(struct decision *d);

_Bool reward_guard(struct decision *d);
void reward(struct decision *d);
/* Points without a case: 兑换 and 冲正. */
_Bool reward_redeem(struct decision *d);
_Bool reward_correct(struct decision *d);

#endif
