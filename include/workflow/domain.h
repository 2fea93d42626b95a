/* domain: the field's words as numbers and names. The numbers are those of proto/gridloop.proto and of the database, so
 * they never change; the names are what people and files see. */
#ifndef WORKFLOW_DOMAIN_H
#define WORKFLOW_DOMAIN_H

#include <stdint.h>

#include "base/must.h"
#include "jurisdiction/rights.h"

#define SYSTEM_ACTOR "system" /* who does what a timer, a route or a rule brings about */

/* What a state means, and its default timer, is in docs/workflow.md, generated from transitions.c. */
enum state {
	STATE_NONE = 0,
	STATE_REPORTED = 1,
	STATE_ALARM_PENDING = 2,
	STATE_VERIFYING = 3,
	STATE_FILED = 4,
	STATE_DISPATCHED = 5,
	STATE_HANDLING = 6,
	STATE_SUSPENDED = 7,
	STATE_RETURNED = 8,
	STATE_WHISTLED = 9,
	STATE_HANDLED = 10,
	STATE_CHECKING = 11,
	STATE_CLOSED = 12,
	STATE_REVIEWED = 13,
	STATE_REWARDED = 14,
	STATE_REJECTED = 15,
	STATE_MERGED = 16,
	STATE_CANCELLED = 17,
	STATE_COUNT
};

enum act {
	ACT_NONE = 0,
	ACT_SUBMIT = 1,
	ACT_ALARM = 2,
	ACT_ALARM_AGAIN = 3,
	ACT_CONFIRM = 4,
	ACT_DISMISS = 5,
	ACT_EXPIRE = 6,
	ACT_VERIFY = 7,
	ACT_VERIFIED = 8,
	ACT_FILE = 9,
	ACT_REJECT = 10,
	ACT_MERGE = 11,
	ACT_WITHDRAW = 12,
	ACT_DISPATCH = 13,
	ACT_SIGN = 14,
	ACT_RETURN = 15,
	ACT_TAKE_BACK = 16,
	ACT_ASK_EXTENSION = 17,
	ACT_EXTEND = 18,
	ACT_REFUSE_EXTENSION = 19,
	ACT_ASK_SUSPENSION = 20,
	ACT_SUSPEND = 21,
	ACT_REFUSE_SUSPENSION = 22,
	ACT_RESUME = 23,
	ACT_WHISTLE = 24,
	ACT_ANSWER = 25,
	ACT_WHISTLE_LAPSE = 26,
	ACT_HANDLED = 27,
	ACT_CO_HANDLED = 28,
	ACT_CHECK = 29,
	ACT_PASS = 30,
	ACT_REWORK = 31,
	ACT_REVIEW = 32,
	ACT_REOPEN = 33,
	ACT_REWARD = 34,
	ACT_SUPERVISE = 35,
	ACT_REPLY = 36,
	ACT_ESCALATE = 37,
	ACT_FOLLOW = 38,
	ACT_VACATED = 39,
	ACT_BASIS = 40,
	ACT_REROUTE = 41,
	ACT_CO_DISPATCH = 42,
	ACT_CO_LATE = 43,
	ACT_RETIME = 44,
	ACT_EXEMPT = 45,
	ACT_LOCATE = 46,
	ACT_REGRID = 47,
	ACT_DOUBT = 48,
	ACT_COUNT
};

enum reporter_kind {
	REPORTER_UNSET = 0,
	REPORTER_RESIDENT = 1,
	REPORTER_GRID_WORKER = 2,
	REPORTER_PART_TIME = 3,
	REPORTER_COURIER = 4,
	REPORTER_FOOD_RIDER = 5,
	REPORTER_RIDE_HAIL = 6,
	REPORTER_PROPERTY = 7,
	REPORTER_CONTRACTOR = 8,
	REPORTER_VOLUNTEER = 9,
	REPORTER_HOTLINE = 10,
	REPORTER_CAMERA = 11,
	REPORTER_MEETING = 12,
	REPORTER_KIND_COUNT
};

enum finding { FINDING_NONE = 0, FINDING_EXISTS = 1, FINDING_NOT_THERE = 2, FINDING_CANNOT_TELL = 3 };
enum rating { RATING_NONE = 0, RATING_SATISFIED = 1, RATING_FAIRLY = 2, RATING_UNSATISFIED = 3, RATING_UNANSWERED = 4 };
enum level { LEVEL_GRID = 0, LEVEL_COMMUNITY = 1, LEVEL_STREET = 2, LEVEL_DISTRICT = 3 };

/* Where a case's time goes. The four sums of a case add up to its age (domain invariant 5). */
enum stage { STAGE_DISCOVER = 0, STAGE_HANDLE = 1, STAGE_FEEDBACK = 2, STAGE_PAUSED = 3, STAGE_COUNT = 4 };

struct state_info {
	const char *name; /* "REPORTED" */
	const char *zh;
	enum rights_phase phase; /* "ended": the three that leave the loop */
	enum stage stage;        /* where time spent in it is counted */
	_Bool terminal;          /* archived on entry */
};
/* state must be < STATE_COUNT. */
const struct state_info *state_info(enum state s);
enum state state_from_name(const char *name); /* any case; STATE_NONE when unknown */

struct act_info {
	const char *name; /* "ask-extension" */
	const char *zh;
};
const struct act_info *act_info(enum act a);
enum act act_from_name(const char *name);

const char *reporter_kind_name(enum reporter_kind k); /* "food-rider" */
enum reporter_kind reporter_kind_from_name(const char *name);
const char *rating_name(enum rating r);
const char *level_name(enum level l);

#endif
