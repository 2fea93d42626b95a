/* rows: the functions that rows of the transition table name, by phase: guards, which refuse by decision_refuse, and what
 * proceeds. Only for workflow/. */
#ifndef WORKFLOW_ROWS_H
#define WORKFLOW_ROWS_H

struct decision;

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
_Bool discover_withdraw_guard(struct decision *d);
void discover_follow(struct decision *d);

_Bool handle_dispatch_guard(struct decision *d);
void handle_dispatch(struct decision *d);
_Bool dispatch_reroute_guard(struct decision *d);
void dispatch_reroute(struct decision *d);
void dispatch_part(struct decision *d);
_Bool dispatch_co_late_guard(struct decision *d);
void dispatch_co_late(struct decision *d);
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

_Bool retime_guard(struct decision *d);
void retime(struct decision *d);
_Bool exempt_guard(struct decision *d);
/* Where a report's position lies, into the draft; a position that is none leaves it to be located. */
void locate_report(struct decision *d);
_Bool locate_guard(struct decision *d);
void locate(struct decision *d);
_Bool regrid_guard(struct decision *d);
void regrid(struct decision *d);
_Bool vacate_guard(struct decision *d);
void vacate(struct decision *d);

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

/* doubt.c */
_Bool doubt_guard(struct decision *d);
void doubt(struct decision *d);
/* reward.c */
_Bool reward_guard(struct decision *d);
void reward(struct decision *d);
/* Points without a case: 兑换 and 冲正. */
_Bool reward_redeem(struct decision *d);
_Bool reward_correct(struct decision *d);

#endif
