#include "jurisdiction/rights.h"

#include <inttypes.h>
#include <string.h>

#include "jurisdiction/policy_parts.h"

/* ---- the table ---- */

#define OWN(who) .roles[RIGHTS_OWN] = (who)
#define UNIT(who) .roles[RIGHTS_UNIT] = (who)
#define AREA(who) .roles[RIGHTS_AREA] = (who)
#define ALL(who) .roles[RIGHTS_ALL] = (who)
#define NEVER(who) .never = (who)

#define IN(phase) (1U << RIGHTS_##phase)
#define OPEN (IN(DISCOVER) | IN(HANDLE) | IN(FEEDBACK) | IN(REWARD))
#define ANY (OPEN | IN(ENDED))

#define EVERYBODY ((UINT32_C(1) << ROLE_BITS) - 1)
#define SENDERS (ROLE_REPORTER | ROLE_GATEWAY)
#define DESK (ROLE_ACCEPTOR | ROLE_DISPATCHER | ROLE_SUPERVISOR)
#define FIELD (ROLE_WORKER | ROLE_CONVENER)
#define STAFF (DESK | FIELD | ROLE_HANDLER | ROLE_VISITOR | ROLE_OPERATOR)

/* clang-format off */
static const struct right_row rows[] = {
    /* 发现 discover */
    {RIGHT_SUBMIT, "submit", "report a matter, alone or in a batch", IN(NO_CASE), ALL(SENDERS)},
    {RIGHT_ALARM, "alarm", "tell what a camera saw", IN(NO_CASE), OWN(ROLE_CAMERAS)},
    {RIGHT_CONFIRM, "confirm", "say that an alarm is one", IN(DISCOVER), OWN(ROLE_WORKER), AREA(ROLE_ACCEPTOR)},
    {RIGHT_DISMISS, "dismiss", "say that an alarm is none", IN(DISCOVER), OWN(ROLE_WORKER), AREA(ROLE_ACCEPTOR)},
    {RIGHT_VERIFY, "verify", "ask a grid worker to look", IN(DISCOVER), AREA(ROLE_ACCEPTOR)},
    {RIGHT_VERIFIED, "verified", "say what was found", IN(DISCOVER), OWN(ROLE_WORKER)},
    {RIGHT_FILE, "file", "accept a report", IN(DISCOVER), AREA(ROLE_ACCEPTOR)},
    {RIGHT_REJECT, "reject", "not accept a report", IN(DISCOVER), AREA(ROLE_ACCEPTOR)},
    {RIGHT_MERGE, "merge", "join a report to another case; it has to reach both", IN(DISCOVER) | IN(HANDLE), AREA(ROLE_ACCEPTOR)},
    {RIGHT_WITHDRAW, "withdraw", "take a report back", IN(DISCOVER), OWN(SENDERS)},

    /* 处置 handle */
    {RIGHT_DISPATCH, "dispatch", "send a case to its handler", IN(HANDLE), AREA(ROLE_DISPATCHER)},
    {RIGHT_SIGN, "sign", "take a case on", IN(HANDLE), UNIT(ROLE_HANDLER)},
    {RIGHT_RETURN, "return", "give a case back", IN(HANDLE), UNIT(ROLE_HANDLER)},
    {RIGHT_TAKE_BACK, "take-back", "take a returned case back for dispatch", IN(HANDLE), AREA(ROLE_DISPATCHER)},
    {RIGHT_ASK_EXTENSION, "ask-extension", "ask for a longer limit", IN(HANDLE), UNIT(ROLE_HANDLER)},
    {RIGHT_EXTEND, "extend", "grant a longer limit", IN(HANDLE), AREA(ROLE_SUPERVISOR)},
    {RIGHT_REFUSE_EXTENSION, "refuse-extension", "refuse a longer limit", IN(HANDLE), AREA(ROLE_SUPERVISOR)},
    {RIGHT_ASK_SUSPENSION, "ask-suspension", "ask to suspend a case", IN(HANDLE), UNIT(ROLE_HANDLER)},
    {RIGHT_SUSPEND, "suspend", "suspend a case", IN(HANDLE), AREA(ROLE_SUPERVISOR)},
    {RIGHT_REFUSE_SUSPENSION, "refuse-suspension", "refuse to suspend a case", IN(HANDLE), AREA(ROLE_SUPERVISOR)},
    {RIGHT_RESUME, "resume", "go on with a suspended case", IN(HANDLE), UNIT(ROLE_HANDLER), AREA(ROLE_SUPERVISOR)},
    {RIGHT_WHISTLE, "whistle", "call units together", IN(HANDLE), AREA(ROLE_CONVENER)},
    {RIGHT_ANSWER, "answer", "answer for a unit that was called", IN(HANDLE), UNIT(DESK | FIELD | ROLE_HANDLER)},
    {RIGHT_HANDLED, "handled", "say that the work is done", IN(HANDLE), UNIT(ROLE_HANDLER)},
    {RIGHT_CO_HANDLED, "co-handled", "say that a co-handling unit's part is done", IN(HANDLE) | IN(FEEDBACK), UNIT(ROLE_HANDLER)},

    /* 反馈 feedback */
    {RIGHT_CHECK, "check", "take on the check", IN(FEEDBACK), AREA(ROLE_WORKER | ROLE_SUPERVISOR)},
    {RIGHT_PASS, "pass", "close a case that was done well", IN(FEEDBACK), AREA(ROLE_WORKER | ROLE_SUPERVISOR)},
    {RIGHT_REWORK, "rework", "send a case back to its handler", IN(FEEDBACK), AREA(ROLE_WORKER | ROLE_SUPERVISOR)},
    {RIGHT_REVIEW, "review", "say how satisfied the reporter is", IN(FEEDBACK), OWN(SENDERS), AREA(ROLE_VISITOR)},
    {RIGHT_REOPEN, "reopen", "have a closed case taken up again", IN(FEEDBACK) | IN(REWARD), OWN(SENDERS), AREA(ROLE_ACCEPTOR | ROLE_SUPERVISOR)},

    /* 激励 reward */
    {RIGHT_REWARD, "reward", "decide on points above the threshold", IN(REWARD), AREA(ROLE_SUPERVISOR)},

    /* at any time */
    {RIGHT_LOCATE, "locate", "say where a case is; it has to reach there too", OPEN, OWN(ROLE_WORKER), AREA(DESK)},
    {RIGHT_SUPERVISE, "supervise", "ask for a reply", OPEN, AREA(ROLE_SUPERVISOR)},
    {RIGHT_REPLY, "reply", "reply to that", OPEN, OWN(ROLE_WORKER), UNIT(ROLE_HANDLER), AREA(ROLE_ACCEPTOR | ROLE_DISPATCHER | ROLE_WORKER)},
    {RIGHT_EXEMPT, "exempt", "take the blame off a missed limit", OPEN, AREA(ROLE_SUPERVISOR)},

    /* looking: who has a unit sees what it works on, so that it can answer */
    {RIGHT_GET_CASE, "get-case", "see a case and its history", ANY, OWN(SENDERS | ROLE_CAMERAS | ROLE_WORKER), UNIT(DESK | FIELD | ROLE_HANDLER), AREA(DESK | FIELD)},
    {RIGHT_GET_CASE, "get-case", "see a case and its history", IN(FEEDBACK) | IN(REWARD), AREA(ROLE_VISITOR)},
    {RIGHT_LIST_CASES, "list-cases", "list cases", ANY, OWN(SENDERS | ROLE_CAMERAS | ROLE_WORKER), UNIT(DESK | FIELD | ROLE_HANDLER), AREA(DESK | FIELD)},
    {RIGHT_LIST_CASES, "list-cases", "list cases", IN(FEEDBACK) | IN(REWARD), AREA(ROLE_VISITOR)},
    {RIGHT_GET_EVIDENCE, "get-evidence", "fetch a photo or clip that a case names", ANY, OWN(SENDERS | ROLE_CAMERAS | ROLE_WORKER), UNIT(DESK | FIELD | ROLE_HANDLER), AREA(DESK | FIELD)},
    {RIGHT_GET_EVIDENCE, "get-evidence", "fetch a photo or clip that a case names", IN(FEEDBACK) | IN(REWARD), AREA(ROLE_VISITOR)},
    {RIGHT_EVENTS, "events", "follow what happens to cases", ANY, AREA(DESK | FIELD)},
    {RIGHT_NOTICES, "notices", "list and follow one's notices, say that they were seen", IN(NO_CASE), OWN(EVERYBODY)},
    {RIGHT_GET_STATS, "get-stats", "see the figures", IN(NO_CASE), AREA(DESK | FIELD | ROLE_VISITOR | ROLE_OPERATOR)},
    {RIGHT_GET_POINTS, "get-points", "see an account's points", IN(NO_CASE), OWN(EVERYBODY), ALL(ROLE_STATION | ROLE_SUPERVISOR)},
    {RIGHT_BOARD, "board", "see who earned most this month", IN(NO_CASE), ALL(EVERYBODY)},
    {RIGHT_WHERE, "where", "ask who is responsible at a place", IN(NO_CASE), ALL(EVERYBODY)},
    {RIGHT_LIST_EMERGENCIES, "list-emergencies", "see the emergencies that concern one's area", IN(NO_CASE), AREA(STAFF)},
    {RIGHT_GET_POLICY, "get-policy", "see which policy is in force", IN(NO_CASE), ALL(STAFF | ROLE_ADMINISTRATOR)},

    /* 个人信息: what one gave oneself one sees as one gave it; these are for what others gave */
    {RIGHT_SEE_REPORTER, "see-reporter", "see who reported a case, and list cases by it", ANY, OWN(ROLE_WORKER), AREA(ROLE_ACCEPTOR | ROLE_SUPERVISOR), NEVER(ROLE_HANDLER)},
    {RIGHT_SEE_REPORTER, "see-reporter", "see who reported a case, and list cases by it", IN(FEEDBACK) | IN(REWARD), AREA(ROLE_VISITOR), NEVER(ROLE_HANDLER)},
    {RIGHT_UNMASK, "unmask", "see names, numbers and words of a case as they were given, by saying what for", ANY, OWN(ROLE_WORKER), AREA(ROLE_ACCEPTOR | ROLE_SUPERVISOR), NEVER(ROLE_HANDLER)},
    {RIGHT_UNMASK, "unmask", "see names, numbers and words of a case as they were given, by saying what for", IN(FEEDBACK) | IN(REWARD), AREA(ROLE_VISITOR), NEVER(ROLE_HANDLER)},
    {RIGHT_EXPORT_PERSON, "export-person", "have a copy of what is kept about a person; another's by saying what for", IN(NO_CASE), OWN(EVERYBODY)},
    {RIGHT_EXPORT_PERSON, "export-person", "have a copy of what is kept about a person; another's by saying what for", IN(NO_CASE), ALL(ROLE_SUPERVISOR), NEVER(ROLE_HANDLER)},

    /* everything else */
    {RIGHT_SEND_EVIDENCE, "send-evidence", "upload a photo or clip", IN(NO_CASE), ALL(EVERYBODY)},
    {RIGHT_REDEEM, "redeem", "redeem points 兑换", IN(NO_CASE), ALL(ROLE_STATION)},
    {RIGHT_CORRECT, "correct", "correct points 冲正", IN(NO_CASE), ALL(ROLE_SUPERVISOR)},
    {RIGHT_DECLARE_EMERGENCY, "declare-emergency", "declare an emergency 应急", IN(NO_CASE), AREA(ROLE_SUPERVISOR)},
    {RIGHT_LIFT_EMERGENCY, "lift-emergency", "lift an emergency", IN(NO_CASE), AREA(ROLE_SUPERVISOR)},
    {RIGHT_RELOAD, "reload", "have the policy's files read again", IN(NO_CASE), AREA(ROLE_SUPERVISOR), ALL(ROLE_OPERATOR | ROLE_ADMINISTRATOR)},
    {RIGHT_ADVANCE_CLOCK, "advance-clock", "move a replay clock", IN(NO_CASE), ALL(ROLE_OPERATOR)},
    {RIGHT_ISSUE_CREDENTIAL, "issue-credential", "give somebody a token, or register a certificate", IN(NO_CASE), AREA(ROLE_ADMINISTRATOR)},
    {RIGHT_ROTATE_CREDENTIAL, "rotate-credential", "have a credential replaced by a new one", IN(NO_CASE), OWN(EVERYBODY), AREA(ROLE_ADMINISTRATOR)},
    {RIGHT_REVOKE_CREDENTIAL, "revoke-credential", "revoke a credential, or all of a person's", IN(NO_CASE), OWN(EVERYBODY), AREA(ROLE_ADMINISTRATOR)},
    {RIGHT_LIST_CREDENTIALS, "list-credentials", "see which credentials there are, never the secrets", IN(NO_CASE), OWN(EVERYBODY), AREA(ROLE_ADMINISTRATOR)},
    {RIGHT_FIRST_ADMINISTRATOR, "first-administrator", "make the first administrator: root, or the daemon's own user, on its Unix socket", IN(NO_CASE), .before_login = 1},
    {RIGHT_READ_AUDIT, "read-audit", "see who looked at or changed what", IN(NO_CASE), ALL(ROLE_SUPERVISOR | ROLE_OPERATOR)},
    {RIGHT_ERASE_PERSON, "erase-person", "have what is kept about a person erased", IN(NO_CASE), OWN(SENDERS), ALL(ROLE_SUPERVISOR)},
    {RIGHT_LOGIN, "login", "log in", IN(NO_CASE), .before_login = 1},
    {RIGHT_PING, "ping", "ask whether anybody is there", IN(NO_CASE), .before_login = 1},
};
/* clang-format on */

#define ROW_COUNT (sizeof rows / sizeof *rows)

const struct right_row *rights_rows(size_t *count)
{
	*count = ROW_COUNT;
	return rows;
}

/* ---- names ---- */

const struct right_row *right_row(enum right right)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (rows[i].right == right)
			return &rows[i];
	return NULL;
}

const char *right_name(enum right right)
{
	const struct right_row *row = right_row(right);

	return row ? row->name : "none";
}

enum right right_from_name(const char *name)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].right;
	return RIGHT_NONE;
}

const char *rights_scope_name(enum rights_scope scope)
{
	static const char *const names[RIGHTS_SCOPES] = { "own", "unit", "area", "all" };

	must(scope >= 0 && scope < RIGHTS_SCOPES);
	return names[scope];
}

const char *rights_phase_name(enum rights_phase phase)
{
	static const char *const names[RIGHTS_PHASES] = { "none", "discover", "handle", "feedback", "reward", "ended" };

	must(phase >= 0 && phase < RIGHTS_PHASES);
	return names[phase];
}

/* ---- a policy's own ---- */

static void begin_scope(struct rights *r, const struct right_row *row, enum rights_scope scope)
{
	if (row->roles[scope])
		r->never[row->right][scope] |= row->never;
	for (int phase = 0; phase < RIGHTS_PHASES; phase++)
		if (row->phases >> phase & 1)
			r->roles[row->right][scope][phase] |= row->roles[scope];
}

void rights_begin(struct rights *r)
{
	*r = (struct rights){ 0 };
	for (size_t i = 0; i < ROW_COUNT; i++)
		for (int scope = 0; scope < RIGHTS_SCOPES; scope++)
			begin_scope(r, &rows[i], (enum rights_scope)scope);
}

int rights_take(struct rights *r, const struct right_taken *taken)
{
	int cells = 0;

	for (int scope = 0; scope < RIGHTS_SCOPES; scope++)
		for (int phase = 0; phase < RIGHTS_PHASES; phase++) {
			uint32_t *roles = &r->roles[taken->right][scope][phase];

			if ((taken->scopes && !(taken->scopes >> scope & 1)) ||
			    (taken->phases && !(taken->phases >> phase & 1)) || !(*roles & taken->role))
				continue;
			*roles &= ~taken->role;
			cells++;
		}
	return cells;
}

/* ---- asking ---- */

uint32_t rights_roles(const struct policy *p, enum right right, enum rights_scope scope, enum rights_phase phase)
{
	if (right <= RIGHT_NONE || right >= RIGHT_COUNT)
		return 0;
	return p->rights.roles[right][scope][phase];
}

uint32_t rights_never(const struct policy *p, enum right right, enum rights_scope scope)
{
	return right <= RIGHT_NONE || right >= RIGHT_COUNT ? 0 : p->rights.never[right][scope];
}

_Bool rights_owns(const struct person *who, const char *account)
{
	size_t length = strlen(who->id);

	if (!account || strncmp(account, who->id, length) != 0)
		return 0;
	return account[length] == '\0' || ((who->roles & ROLE_GATEWAY) && account[length] == '/');
}

static _Bool holds_every_grid(const struct policy *p, int64_t area)
{
	const struct grid *g;

	if (area == 0)
		return 1;
	for (size_t i = 0; (g = policy_grid_at(p, i)) != NULL; i++)
		if (!area_holds(area, g->code))
			return 0;
	return 1;
}

int64_t rights_area_of(const struct person *p)
{
	if (!p)
		return 0;
	return p->area ? p->area : RIGHTS_WHOLE;
}

_Bool rights_reach(const struct policy *p, const struct person *who, int64_t area)
{
	if (area == RIGHTS_WHOLE)
		return holds_every_grid(p, who->area);
	return area == 0 || area_holds(who->area, area);
}

static const struct rights_on nothing;

static _Bool holds(const struct policy *p, const struct person *who, enum right right, enum rights_scope scope,
                   enum rights_phase phase)
{
	return (who->roles & p->rights.roles[right][scope][phase]) && !(who->roles & p->rights.never[right][scope]);
}

_Bool rights_may(const struct policy *p, const struct person *who, enum right right, const struct rights_on *on)
{
	if (right <= RIGHT_NONE || right >= RIGHT_COUNT)
		return 0;
	on = on ? on : &nothing;
	return holds(p, who, right, RIGHTS_ALL, on->phase) ||
	       (on->own && holds(p, who, right, RIGHTS_OWN, on->phase)) ||
	       (on->unit && holds(p, who, right, RIGHTS_UNIT, on->phase)) ||
	       (holds(p, who, right, RIGHTS_AREA, on->phase) && rights_reach(p, who, on->area));
}

unsigned rights_phases(const struct policy *p, const struct person *who, enum right right, const struct rights_on *on)
{
	struct rights_on each = on ? *on : nothing;
	unsigned phases = 0;

	for (each.phase = 0; each.phase < RIGHTS_PHASES; each.phase++)
		phases |= (unsigned)rights_may(p, who, right, &each) << each.phase;
	return phases;
}

_Bool rights_has_somewhere(const struct policy *p, const struct person *who, enum right right)
{
	return rights_phases(p, who, right, &nothing) != 0;
}

_Bool rights_has(const struct policy *p, const struct person *who, enum right right)
{
	static const struct rights_on anywhere = { .own = 1, .unit = 1 };

	return rights_phases(p, who, right, &anywhere) != 0;
}
