/* apply: what each fact does to a case. One small function an act, one table, no judgement. Replaying a case's events
 * through case_apply is how verify proves a row, so nothing here may read anything but the case and the fact. */
#include "workflow/decide.h"

#include <string.h>

#include "jurisdiction/policy_map.h"
#include "workflow/place.h"

/* Whether this unit or person is one of those in the list; its place, or -1. Interned texts: pointers are names. */
static int place_of(const char *const *list, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (list[i] == name)
			return i;
	return -1;
}

/* Splits "a,b,c" into interned names. */
static uint8_t split_names(const struct casebook *b, const char *list, const char **out, int most)
{
	uint8_t count = 0;
	while (list != NULL && *list != '\0' && count < most) {
		char one[COMMAND_ID_MOST + 1];
		size_t length = strcspn(list, ",");
		size_t kept = length < sizeof one ? length : sizeof one - 1;
		memcpy(one, list, kept);
		one[kept] = '\0';
		out[count++] = casebook_intern(b, one);
		list += length + (list[length] == ',');
	}
	return count;
}

static void on_submit(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->reported_ms = c->since_ms = f->at_ms;
	c->told = (uint8_t)told_from_name(f->ref);
}

/* ref: the grid in force at the report, when it is another than the one the event names. */
static void on_regrid(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->reported_grid = area_code_from_text(f->ref);
}

static void on_locate(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	on_regrid(b, c, f);
	c->grid_said = f->value == 0;
	if (f->value != 0)
		place_unpack(f->value, &c->lat_e7, &c->lon_e7);
}

static void on_alarm(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->reported_ms = c->since_ms = f->at_ms;
	c->alarm_count = f->value > 0 ? (int32_t)f->value : 1;
	c->last_alarm_ms = f->at_ms;
}

static void on_alarm_again(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->alarm_count = (int32_t)f->value;
	c->last_alarm_ms = f->at_ms;
}

static void on_verify(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	c->worker = casebook_intern(b, f->ref);
	c->accept_left_ms = f->value;
}

static void on_verified(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	(void)f;
	c->accept_left_ms = 0;
}

/* value: a person said another grid than it had. */
static void on_file(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->filed_ms = f->at_ms;
	c->grid_said |= f->value != 0;
}

static void on_merge(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->merged_into = f->value;
}

static void on_dispatch(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	const char *units[1 + CASE_UNITS_MOST] = { NULL };
	uint8_t count = split_names(b, f->ref, units, 1 + CASE_UNITS_MOST);
	c->handler = units[0];
	c->helper_count = count > 0 ? (uint8_t)(count - 1) : 0;
	c->helper_done = 0;
	memset(c->helpers, 0, sizeof c->helpers);
	for (int i = 0; i < c->helper_count; i++)
		c->helpers[i] = units[i + 1];
	c->limit_ms = f->value;
	c->limit_unit = f->unit;
	c->dispatched_ms = f->at_ms;
	c->helper_late = c->helper_told = 0;
	memset(c->helper_due_ms, 0, sizeof c->helper_due_ms);
	c->basis = NULL;
	c->basis_until_ms = 0;
}

/* Who signs in while what it rests on is in force finishes the work, whatever ends meanwhile. */
static void on_sign(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	(void)f;
	c->basis_until_ms = 0;
}

static void on_basis(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	c->basis = casebook_intern(b, f->ref);
	c->basis_until_ms = f->value;
}

/* The same handler goes on with another basis, or it waits for another handler. */
static void on_reroute(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	if (f->to == STATE_DISPATCHED) {
		on_basis(b, c, f);
		return;
	}
	c->handler = c->basis = NULL;
	c->basis_until_ms = 0;
	c->helper_count = c->helper_done = c->helper_late = c->helper_told = 0;
	memset(c->helpers, 0, sizeof c->helpers);
	memset(c->helper_due_ms, 0, sizeof c->helper_due_ms);
}

static void on_co_dispatch(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	int place = place_of(c->helpers, c->helper_count, casebook_intern(b, f->ref));
	if (place < 0)
		return;
	/* A clock that goes on past its end has been told of; one that starts anew has not. */
	if (f->value > f->at_ms)
		c->helper_told &= (uint8_t) ~(1u << place);
	c->helper_due_ms[place] = f->value;
}

static void on_co_late(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	int place = place_of(c->helpers, c->helper_count, casebook_intern(b, f->ref));
	if (place < 0)
		return;
	c->helper_late |= (uint8_t)(1u << place);
	c->helper_told |= (uint8_t)(1u << place);
}

static void on_return(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	(void)f;
	c->returned++;
	c->asked_extension_ms = c->asked_suspend_until_ms = 0;
}

static void on_ask_extension(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->asked_extension_ms = f->value;
}

static void on_extend(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	(void)f;
	c->asked_extension_ms = 0;
	c->extensions++;
}

static void on_refuse_extension(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	(void)f;
	c->asked_extension_ms = 0;
}

static void on_ask_suspension(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->asked_suspend_until_ms = f->value;
}

static void on_suspend(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	(void)f;
	c->asked_suspend_until_ms = 0;
	c->asked_extension_ms = 0;
	c->suspensions++;
}

static void on_refuse_suspension(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	(void)f;
	c->asked_suspend_until_ms = 0;
}

static void on_whistle(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	memset(c->whistled, 0, sizeof c->whistled);
	c->whistled_count = split_names(b, f->ref, c->whistled, CASE_UNITS_MOST);
	c->whistled_answered = 0;
}

static void on_answer(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	int place = place_of(c->whistled, c->whistled_count, casebook_intern(b, f->ref));
	if (place >= 0)
		c->whistled_answered |= (uint8_t)(1u << place);
}

static void on_handled(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	c->handled_ms = f->at_ms;
	c->handled_by = casebook_intern(b, f->actor);
	c->asked_extension_ms = c->asked_suspend_until_ms = 0;
}

static void on_co_handled(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	int place = place_of(c->helpers, c->helper_count, casebook_intern(b, f->ref));
	if (place < 0)
		return;
	c->helper_done |= (uint8_t)(1u << place);
	if (c->helper_due_ms[place] != 0 && f->at_ms > c->helper_due_ms[place])
		c->helper_late |= (uint8_t)(1u << place);
}

static void on_check(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	c->checker = casebook_intern(b, f->actor);
}

static void on_pass(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	c->checker = casebook_intern(b, f->actor);
	c->closed_ms = f->at_ms;
	c->handle_left_ms = 0;
}

static void on_rework(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	c->checker = casebook_intern(b, f->actor);
	c->reworked++;
	c->handled_ms = 0;
}

static void on_review(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->rating = (uint8_t)f->value;
	c->reviewed_ms = f->at_ms;
}

static void on_reopen(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->reopened++;
	c->handled_ms = c->closed_ms = c->reviewed_ms = 0;
	c->rating = RATING_NONE;
	c->helper_done = 0;
	c->limit_ms = f->value;
	c->limit_unit = f->unit;
	c->level = LEVEL_GRID;
}

static void on_doubt(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->doubts |= (uint8_t)f->value;
}

static void on_reward(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->points = (int32_t)f->value;
}

static void on_supervise(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	if (c->supervised < UINT8_MAX)
		c->supervised++;
	if (strcmp(f->actor, "system") == 0)
		c->stage_overdue = 1;
}

static void on_exempt(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	(void)f;
	c->exempted = (uint8_t)(c->reopened + 1);
}

static void on_escalate(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	c->level++;
	c->escalate_at_ms = f->value;
}

/* Whoever it was given to is gone, and what they had asked for with them. */
static void on_vacated(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	(void)b;
	if (f->from == STATE_VERIFYING) {
		c->worker = NULL;
		c->accept_left_ms = 0;
		return;
	}
	c->handler = NULL;
	c->helper_count = c->helper_done = c->helper_late = c->helper_told = 0;
	memset(c->helper_due_ms, 0, sizeof c->helper_due_ms);
	c->basis = NULL;
	c->basis_until_ms = 0;
	memset(c->helpers, 0, sizeof c->helpers);
	c->asked_extension_ms = c->asked_suspend_until_ms = 0;
}

/* What each act does beyond what every fact does. first_reply: the reporter's matter has been looked at. */
static const struct effect {
	void (*apply)(const struct casebook *b, struct case_file *c, const struct fact *f);
	_Bool first_reply;
} effects[ACT_COUNT] = {
	[ACT_SUBMIT] = { on_submit, 0 },
	[ACT_ALARM] = { on_alarm, 0 },
	[ACT_ALARM_AGAIN] = { on_alarm_again, 0 },
	[ACT_CONFIRM] = { NULL, 1 },
	[ACT_DISMISS] = { NULL, 1 },
	[ACT_VERIFY] = { on_verify, 1 },
	[ACT_VERIFIED] = { on_verified, 1 },
	[ACT_FILE] = { on_file, 1 },
	[ACT_REJECT] = { NULL, 1 },
	[ACT_MERGE] = { on_merge, 1 },
	[ACT_DISPATCH] = { on_dispatch, 1 },
	[ACT_SIGN] = { on_sign, 0 },
	[ACT_RETURN] = { on_return, 0 },
	[ACT_ASK_EXTENSION] = { on_ask_extension, 0 },
	[ACT_EXTEND] = { on_extend, 0 },
	[ACT_REFUSE_EXTENSION] = { on_refuse_extension, 0 },
	[ACT_ASK_SUSPENSION] = { on_ask_suspension, 0 },
	[ACT_SUSPEND] = { on_suspend, 0 },
	[ACT_REFUSE_SUSPENSION] = { on_refuse_suspension, 0 },
	[ACT_WHISTLE] = { on_whistle, 0 },
	[ACT_ANSWER] = { on_answer, 0 },
	[ACT_HANDLED] = { on_handled, 0 },
	[ACT_CO_HANDLED] = { on_co_handled, 0 },
	[ACT_CHECK] = { on_check, 0 },
	[ACT_PASS] = { on_pass, 0 },
	[ACT_REWORK] = { on_rework, 0 },
	[ACT_REVIEW] = { on_review, 0 },
	[ACT_REOPEN] = { on_reopen, 0 },
	[ACT_REWARD] = { on_reward, 0 },
	[ACT_SUPERVISE] = { on_supervise, 0 },
	[ACT_ESCALATE] = { on_escalate, 0 },
	[ACT_EXEMPT] = { on_exempt, 0 },
	[ACT_VACATED] = { on_vacated, 0 },
	[ACT_BASIS] = { on_basis, 0 },
	[ACT_REROUTE] = { on_reroute, 0 },
	[ACT_CO_DISPATCH] = { on_co_dispatch, 0 },
	[ACT_CO_LATE] = { on_co_late, 0 },
	[ACT_LOCATE] = { on_locate, 1 },
	[ACT_REGRID] = { on_regrid, 0 },
	[ACT_DOUBT] = { on_doubt, 0 },
};

/* Time spent goes to the state that is left. */
static void change_state(struct case_file *c, const struct fact *f)
{
	enum stage stage = state_info(f->from)->stage;
	if (f->from != STATE_NONE)
		c->spent_ms[stage] += f->at_ms - c->since_ms;
	c->since_ms = f->at_ms;
	c->state = (uint8_t)f->to;
	c->stage_overdue = 0;
	if (state_info(f->to)->terminal)
		c->ended_ms = f->at_ms;
}

/* Kept for good. An exemption covers what was missed before the case was reopened, not after. */
static void note_miss(struct case_file *c)
{
	c->late = 1;
	if (c->exempted != c->reopened + 1)
		c->exempted = 0;
}

/* The handling clock: it runs exactly while handle_due_ms is set. Stopping keeps what is left; missing it is kept for
 * good (an extension was asked for in time, so granting it late is no miss); the first escalation is due when it runs
 * out. */
static void change_clock(struct case_file *c, const struct fact *f)
{
	if (f->handle_due_ms == c->handle_due_ms)
		return;
	if (c->handle_due_ms != 0 && f->at_ms > c->handle_due_ms && f->act != ACT_EXTEND)
		note_miss(c);
	c->handle_set_event = f->id;
	c->handle_left_ms = f->handle_left_ms;
	c->handle_due_ms = f->handle_due_ms;
	c->handle_warn_ms = f->handle_warn_ms;
	c->escalate_at_ms = c->level < LEVEL_DISTRICT ? f->handle_due_ms : 0;
}

void case_apply(const struct casebook *b, struct case_file *c, const struct fact *f)
{
	must(f->act > ACT_NONE && f->act < ACT_COUNT);
	const struct effect *e = &effects[f->act];
	c->id = f->case_id;
	c->category = f->category;
	c->grid = f->grid;
	if (f->from != f->to)
		change_state(c, f);
	c->stage_due_ms = f->stage_due_ms;
	c->photo_roles |= f->photo_roles;
	if (e->first_reply && c->first_reply_ms == 0)
		c->first_reply_ms = f->at_ms;
	if (e->apply != NULL)
		e->apply(b, c, f);
	change_clock(c, f); /* last: a reopened case begins at the lowest level again */
	if (f->act == ACT_ESCALATE)
		note_miss(c);
	c->last_event = f->id;
}

/* What a state's own timer asks for when it runs out. */
static const enum act stage_timers[STATE_COUNT] = {
	[STATE_REPORTED] = ACT_SUPERVISE, [STATE_ALARM_PENDING] = ACT_EXPIRE,   [STATE_VERIFYING] = ACT_SUPERVISE,
	[STATE_FILED] = ACT_SUPERVISE,    [STATE_DISPATCHED] = ACT_SUPERVISE,   [STATE_SUSPENDED] = ACT_RESUME,
	[STATE_RETURNED] = ACT_SUPERVISE, [STATE_WHISTLED] = ACT_WHISTLE_LAPSE, [STATE_HANDLED] = ACT_SUPERVISE,
	[STATE_CHECKING] = ACT_SUPERVISE, [STATE_CLOSED] = ACT_REVIEW,          [STATE_REVIEWED] = ACT_REWARD,
};

#define BIT(s) (UINT32_C(1) << STATE_##s)
/* Where the co-handlers' clocks run: from the dispatch until everybody's part is done, unless the case is paused. */
#define CO_HANDLING (BIT(DISPATCHED) | BIT(HANDLING) | BIT(WHISTLED) | BIT(HANDLED) | BIT(CHECKING))

static void sooner(struct timer *t, int64_t at_ms, enum act act)
{
	if (at_ms == 0 || (t->at_ms != 0 && t->at_ms <= at_ms))
		return;
	t->at_ms = at_ms;
	t->act = act;
}

struct timer case_next_timer(const struct case_file *c)
{
	struct timer t = { 0, c->id, ACT_NONE };
	if (!c->stage_overdue && stage_timers[c->state] != ACT_NONE)
		sooner(&t, c->stage_due_ms, stage_timers[c->state]);
	sooner(&t, c->escalate_at_ms, ACT_ESCALATE);
	if (c->state == STATE_DISPATCHED)
		sooner(&t, c->basis_until_ms, ACT_REROUTE);
	for (int i = 0; i < c->helper_count && (CO_HANDLING >> c->state & 1) != 0; i++)
		if (((c->helper_done | c->helper_told) >> i & 1) == 0)
			sooner(&t, c->helper_due_ms[i], ACT_CO_LATE);
	return t;
}
