/* transitions: the closed loop as one table. From domain: "Transitions: who, and when it is refused". */
#include "workflow/transitions.h"

#include <stdio.h>
#include <string.h>

#include "workflow/decision.h"

#define IN(s) (UINT32_C(1) << STATE_##s)
#define STAYS STATE_NONE
#define ANY_OPEN                                                                                                       \
	(IN(REPORTED) | IN(ALARM_PENDING) | IN(VERIFYING) | IN(FILED) | IN(DISPATCHED) | IN(HANDLING) |                \
	 IN(SUSPENDED) | IN(RETURNED) | IN(WHISTLED) | IN(HANDLED) | IN(CHECKING) | IN(CLOSED) | IN(REVIEWED))
#define BEING_HANDLED (IN(DISPATCHED) | IN(HANDLING) | IN(WHISTLED))

/* clang-format off */
static const struct transition rows[] = {
    /* 发现 discover */
    {ACT_SUBMIT, IN(NONE), STATE_REPORTED, WHO_BY_ROLE, discover_submit_guard, discover_submit,
     "a known category; the key decides whether it is new; a place outside every grid is \"to be located\""},
    {ACT_ALARM, IN(NONE), STATE_ALARM_PENDING, WHO_CAMERA_OWNER, discover_alarm_guard, discover_alarm,
     "the camera's own gateway; sure enough; lasted or came back as its label asks; what goes on only counts"},
    {ACT_ALARM_AGAIN, ANY_OPEN, STAYS, WHO_SYSTEM, NULL, discover_alarm_again,
     "the same camera and category within the window, or the gateway's own event again: tells the count, of many once a minute"},
    {ACT_CONFIRM, IN(ALARM_PENDING), STATE_REPORTED, WHO_BY_ROLE | WHO_GRIDS_WORKER, discover_confirm_guard, discover_confirm,
     "never the gateway"},
    {ACT_DISMISS, IN(ALARM_PENDING), STATE_CANCELLED, WHO_BY_ROLE | WHO_GRIDS_WORKER, discover_dismiss_guard, handle_plain,
     "never the gateway; a reason from the list"},
    {ACT_EXPIRE, IN(ALARM_PENDING), STATE_CANCELLED, WHO_SYSTEM, NULL, handle_plain,
     "nobody confirmed it in time"},
    {ACT_VERIFY, IN(REPORTED), STATE_VERIFYING, WHO_BY_ROLE, discover_verify_guard, discover_verify,
     "asks a grid worker who is not the reporter; the accept timer pauses"},
    {ACT_VERIFIED, IN(VERIFYING), STATE_REPORTED, WHO_ITS_WORKER | WHO_GRIDS_WORKER, discover_verified_guard, discover_verified,
     "verifier is not the reporter; a photo, uploaded here; within 100 m of the place"},
    {ACT_FILE, IN(REPORTED), STATE_FILED, WHO_BY_ROLE | WHO_SYSTEM, discover_file_guard, discover_file,
     "category and grid set; a near and a far photo where the category asks; by itself for a trusted reporter and a sure category"},
    {ACT_REJECT, IN(REPORTED), STATE_REJECTED, WHO_BY_ROLE, decision_reason, handle_plain,
     "a reason from the list"},
    {ACT_MERGE, IN(REPORTED) | IN(FILED), STATE_MERGED, WHO_BY_ROLE | WHO_SYSTEM, discover_merge_guard, discover_merge,
     "the master is another case that is not closed yet; by itself when sure"},
    {ACT_FOLLOW, ANY_OPEN, STAYS, WHO_SYSTEM, NULL, discover_follow,
     "another case was merged into this one"},
    {ACT_WITHDRAW, IN(REPORTED), STATE_CANCELLED, WHO_ITS_REPORTER, discover_withdraw_guard, handle_plain,
     "the reporter only, before filing, and while no other report was merged into it"},

    /* 处置 handle */
    {ACT_DISPATCH, IN(FILED), STATE_DISPATCHED, WHO_BY_ROLE | WHO_SYSTEM, handle_dispatch_guard, handle_dispatch,
     "a handler from grid, category and contract in force; by itself when exactly one fits; the handling clock starts"},
    {ACT_SIGN, IN(DISPATCHED), STATE_HANDLING, WHO_ITS_HANDLER, NULL, handle_plain,
     "the handler it was dispatched to"},
    {ACT_RETURN, IN(DISPATCHED) | IN(HANDLING), STATE_RETURNED, WHO_ITS_HANDLER, decision_reason, handle_return,
     "a reason from the list; the handling clock pauses"},
    {ACT_TAKE_BACK, IN(RETURNED), STATE_FILED, WHO_BY_ROLE, NULL, handle_take_back,
     "so that it can be dispatched again"},
    {ACT_ASK_EXTENSION, IN(HANDLING), STAYS, WHO_ITS_HANDLER, handle_ask_extension_guard, handle_ask_extension,
     "asked before overdue; at most twice; each at most the original limit"},
    {ACT_EXTEND, IN(HANDLING), STAYS, WHO_BY_ROLE, handle_extension_asked, handle_extend,
     "an extension was asked for"},
    {ACT_REFUSE_EXTENSION, IN(HANDLING), STAYS, WHO_BY_ROLE, handle_extension_asked, handle_plain,
     "an extension was asked for"},
    {ACT_ASK_SUSPENSION, IN(HANDLING), STAYS, WHO_ITS_HANDLER, handle_ask_suspension_guard, handle_ask_suspension,
     "a reason from the list; an end within a year; once"},
    {ACT_SUSPEND, IN(HANDLING), STATE_SUSPENDED, WHO_BY_ROLE, handle_suspend_guard, handle_suspend,
     "a suspension was asked for and its end is still to come; the handling clock pauses"},
    {ACT_REFUSE_SUSPENSION, IN(HANDLING), STAYS, WHO_BY_ROLE, handle_suspension_asked, handle_plain,
     "a suspension was asked for"},
    {ACT_RESUME, IN(SUSPENDED), STATE_HANDLING, WHO_ITS_HANDLER | WHO_BY_ROLE | WHO_SYSTEM, NULL, handle_resume,
     "by itself at the end; the handling clock goes on"},
    {ACT_WHISTLE, IN(HANDLING), STATE_WHISTLED, WHO_BY_ROLE, handle_whistle_guard, handle_whistle,
     "community or street calls one to four units; the lead unit stays responsible and its clock runs"},
    {ACT_ANSWER, IN(WHISTLED), STATE_HANDLING, WHO_WHISTLED, handle_answer_guard, handle_answer,
     "each called unit once; the last answer leads back"},
    {ACT_ANSWER, IN(WHISTLED), STAYS, WHO_WHISTLED, handle_answer_guard, handle_answer,
     "while others have not answered yet"},
    {ACT_WHISTLE_LAPSE, IN(WHISTLED), STATE_HANDLING, WHO_SYSTEM, NULL, handle_plain,
     "not every unit answered in time"},
    {ACT_HANDLED, IN(HANDLING), STATE_HANDLED, WHO_ITS_HANDLER, handle_handled_guard, handle_handled,
     "a result in words; an after-photo, or before and after, where the category asks; the handling clock stops"},
    {ACT_CO_HANDLED, IN(DISPATCHED) | IN(HANDLING) | IN(WHISTLED) | IN(HANDLED) | IN(CHECKING), STAYS, WHO_ITS_HELPER,
     handle_co_handled_guard, handle_co_handled,
     "each co-handling unit says once that its part is done"},
    {ACT_LOCATE, ANY_OPEN, STAYS, WHO_BY_ROLE | WHO_GRIDS_WORKER | WHO_ITS_WORKER,
     locate_guard, locate, "a place inside a grid, or a grid in force; the rights of who says it reach there"},
    {ACT_REGRID, ANY_OPEN, STAYS, WHO_SYSTEM, regrid_guard, regrid,
     "the map was re-cut and its place lies in another grid now; the grid at its report stays on record"},
    {ACT_VACATED, IN(DISPATCHED) | IN(HANDLING) | IN(WHISTLED), STATE_FILED, WHO_SYSTEM, vacate_guard, vacate,
     "its unit is no longer in the policy; the handling clock pauses; dispatched again by itself when the route is sure"},
    {ACT_VACATED, IN(VERIFYING), STATE_REPORTED, WHO_SYSTEM, vacate_guard, vacate,
     "the worker asked is no longer in the policy, or no worker any more; the accept timer goes on"},

    /* 反馈 feedback */
    {ACT_CHECK, IN(HANDLED), STATE_CHECKING, WHO_BY_ROLE, feedback_check_guard, feedback_check,
     "checker is not the handler"},
    {ACT_PASS, IN(CHECKING), STATE_CLOSED, WHO_BY_ROLE, feedback_pass_guard, feedback_pass,
     "checker is not the handler; every co-handler is done"},
    {ACT_REWORK, IN(CHECKING), STATE_HANDLING, WHO_BY_ROLE, feedback_rework_guard, feedback_rework,
     "a reason; the handling clock runs on with what was left"},
    {ACT_REVIEW, IN(CLOSED), STATE_REVIEWED, WHO_ITS_REPORTER | WHO_BY_ROLE | WHO_SYSTEM, feedback_review_guard,
     feedback_review, "satisfied, fairly or unsatisfied; silence counts as unanswered"},
    {ACT_REOPEN, IN(CLOSED) | IN(REVIEWED), STATE_HANDLING,
     WHO_ITS_REPORTER | WHO_BY_ROLE | WHO_SYSTEM, feedback_reopen_guard, feedback_reopen,
     "an unsatisfied reporter, or recurrence at the same place; within 7 days of closing; at most twice"},

    /* 激励 reward */
    {ACT_REWARD, IN(REVIEWED), STATE_REWARDED, WHO_BY_ROLE | WHO_SYSTEM, reward_guard, reward,
     "when reopening is over; a supervisor above the threshold, neither reporter nor handler"},

    {ACT_DOUBT, ANY_OPEN, STAYS, WHO_SYSTEM, doubt_guard, doubt,
     "a sign that points are asked for without finding anything: they wait for a supervisor; the matter goes on"},

    /* at any time */
    {ACT_SUPERVISE, ANY_OPEN, STAYS, WHO_BY_ROLE | WHO_SYSTEM, handle_words_guard, handle_supervise,
     "asks for a reply; by itself when a step is late"},
    {ACT_REPLY, ANY_OPEN, STAYS,
     WHO_ITS_HANDLER | WHO_ITS_HELPER | WHO_ITS_WORKER | WHO_BY_ROLE, handle_words_guard,
     handle_plain, "words"},
    {ACT_BASIS, IN(DISPATCHED), STAYS, WHO_SYSTEM, NULL, dispatch_part,
     "the handler was found by a contract or a post, or by what has an end"},
    {ACT_REROUTE, IN(DISPATCHED), STATE_FILED, WHO_SYSTEM, dispatch_reroute_guard, dispatch_reroute,
     "what the dispatch rests on has ended and nobody has signed in; the next handler is found as for any filed case"},
    {ACT_REROUTE, IN(DISPATCHED), STAYS, WHO_SYSTEM, dispatch_reroute_guard, dispatch_reroute,
     "the same handler goes on, by its next contract or another's holding of the post"},
    {ACT_CO_DISPATCH, IN(DISPATCHED) | IN(HANDLING), STAYS, WHO_SYSTEM, NULL, dispatch_part,
     "each co-handling unit has a clock of its own, started by dispatch and reopening, going on when resumed"},
    {ACT_CO_LATE, BEING_HANDLED | IN(HANDLED) | IN(CHECKING), STAYS, WHO_SYSTEM, dispatch_co_late_guard, dispatch_co_late,
     "a co-handling unit's own limit has passed and its part is not done; told once"},
    {ACT_RETIME, BEING_HANDLED, STAYS, WHO_SYSTEM, retime_guard, retime,
     "an emergency of its area was declared or lifted: what is left of the limit is counted by the clock, or by work again"},
    {ACT_EXEMPT, ANY_OPEN, STAYS, WHO_BY_ROLE, exempt_guard, handle_plain,
     "a limit was missed; a reason from the list; by no one who handled it; the miss itself stays on record"},
    {ACT_ESCALATE, BEING_HANDLED, STAYS, WHO_SYSTEM, handle_escalate_guard, handle_escalate,
     "the limit has passed; one level at a time: grid, community, street, district"},
};
/* clang-format on */

#define ROW_COUNT (sizeof rows / sizeof *rows)

const struct transition *transitions(size_t *count)
{
	*count = ROW_COUNT;
	return rows;
}

const struct transition *transition_find(enum act act, enum state from)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].act == act && (rows[i].from >> from & 1) != 0)
			return &rows[i];
	return NULL;
}

_Bool transition_allowed(enum act act, enum state from, enum state to)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		enum state leads_to = rows[i].to == STAYS ? from : rows[i].to;
		if (rows[i].act == act && (rows[i].from >> from & 1) != 0 && leads_to == to)
			return 1;
	}
	return 0;
}

uint32_t transition_who(enum act act)
{
	uint32_t who = 0;

	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].act == act && rows[i].from != IN(NONE))
			who |= rows[i].who;
	return who;
}

_Bool transition_askable(enum act act)
{
	return (transition_who(act) & ~(uint32_t)WHO_SYSTEM) != 0;
}

enum right transition_right(enum act act)
{
	return (enum right)act;
}

/* ---- the table in words ---- */

static const struct {
	uint32_t bit;
	const char *words;
} relations[] = {
	{ WHO_ITS_REPORTER, "its reporter" },
	{ WHO_ITS_HANDLER, "its handler" },
	{ WHO_ITS_HELPER, "its co-handlers" },
	{ WHO_ITS_WORKER, "the worker asked" },
	{ WHO_GRIDS_WORKER, "who has the duty in the grid" },
	{ WHO_WHISTLED, "the units called" },
	{ WHO_CAMERA_OWNER, "the camera's gateway" },
	{ WHO_SYSTEM, "by itself" },
};

/* The roles are those of the table of rights. */
static void print_who(const struct transition *row, FILE *to)
{
	const char *comma = "";
	const struct right_row *right = right_row(transition_right(row->act));
	uint32_t roles = (row->who & WHO_BY_ROLE) == 0 ? 0 : right->roles[RIGHTS_AREA] | right->roles[RIGHTS_ALL];
	for (int i = 0; i < ROLE_BITS; i++)
		if ((roles >> i & 1) != 0) {
			fprintf(to, "%s%s", comma, role_name((enum role)(1u << i)));
			comma = ", ";
		}
	for (size_t i = 0; i < sizeof relations / sizeof *relations; i++)
		if ((row->who & relations[i].bit) != 0) {
			fprintf(to, "%s%s", comma, relations[i].words);
			comma = ", ";
		}
}

static void print_from(uint32_t from, FILE *to)
{
	if (from == ANY_OPEN) {
		fputs("any open", to);
		return;
	}
	const char *comma = "";
	for (int s = 0; s < STATE_COUNT; s++)
		if ((from >> s & 1) != 0) {
			fprintf(to, "%s%s", comma, s == STATE_NONE ? "–" : state_info(s)->name);
			comma = ", ";
		}
}

void transitions_print(FILE *to)
{
	fputs("| from | act | to | who | guard |\n|---|---|---|---|---|\n", to);
	for (size_t i = 0; i < ROW_COUNT; i++) {
		fputs("| ", to);
		print_from(rows[i].from, to);
		fprintf(to, " | %s %s | %s | ", act_info(rows[i].act)->name, act_info(rows[i].act)->zh,
		        rows[i].to == STAYS ? "stays" : state_info(rows[i].to)->name);
		print_who(&rows[i], to);
		fprintf(to, " | %s |\n", rows[i].guard_words);
	}
}
