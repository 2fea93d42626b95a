/* sim_street: who does what. Mostly what comes next, by somebody who may; now and then anything, by anybody. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "jurisdiction/cameras.h"
#include "jurisdiction/posts.h"
#include "sim_parts.h"
#include "workflow/case_number.h"
#include "workflow/place.h"

#define WRONG_PERCENT 6     /* of what people do with a case */
#define STREAM_PERCENT 15   /* of the reports */
#define STORM_PERCENT 2     /* of the days: three times the reports, within an hour */
#define FORGOTTEN_PERCENT 6 /* of the cases after each step: nobody comes back by himself */
#define VISITED_MOST 400

#define SOUTH 343300000
#define WEST 1086900000
#define HEIGHT 330000
#define WIDTH 650000

#define ANY(list) (list)[sim_below(sizeof(list) / sizeof *(list))]

static const char *const reporters[] = { "resident-01",   "resident-02",    "resident-03",  "resident-04",
	                                 "resident-05",   "courier-01",     "courier-02",   "rider-01",
	                                 "rider-02",      "rider-03",       "driver-01",    "worker-01",
	                                 "worker-07",     "worker-22",      "part-time-01", "volunteer-01",
	                                 "property-01-1", "property-02-1",  "river-01",     "meeting-01",
	                                 "hotline-12345", "rider-platform", "worker-02",    "property-03-1" };
static const char *const callers[] = { "hotline-12345/wang", "hotline-12345/li", "rider-platform/7",
	                               "rider-platform/8" };
static const int32_t categories[] = { 10110, 10110, 10192, 10113, 10117, 10125, 10136, 10201, 10301, 10304,
	                              10406, 10410, 10496, 10505, 10506, 19001, 19003, 19006, 20101, 20199 };
static const char *const units[] = {
	"police", "street", "sanitation", "roads", "community-001", "property-01", "nobody"
};
static const char *const labels[] = { "garbage", "overflow", "stall", "bicycle", "fire-lane", "elephant" };

static void plan(enum happening what, int64_t in_ms, int64_t value)
{
	sim_plan((struct event){ .what = what, .value = value }, in_ms * 1000);
}

/* ---- people ---- */

static const struct policy *policy(void)
{
	return sim->writer.policy != NULL ? sim->writer.policy : sim->policies[0];
}

static const struct person *anybody(void)
{
	const struct person *p = policy_person_at(policy(), sim_below(190));

	return p != NULL ? p : policy_person_at(policy(), 0);
}

static const struct person *somebody_who(_Bool (*fits)(const struct person *p, const void *what), const void *what)
{
	size_t begin = sim_below(190);
	const struct person *p;

	for (size_t i = 0; i < 2; i++)
		for (size_t at = i == 0 ? begin : 0;
		     (p = policy_person_at(policy(), at)) != NULL && (i == 0 || at < begin); at++)
			if (fits(p, what))
				return p;
	return anybody();
}

static _Bool is_of_unit(const struct person *p, const void *unit)
{
	return p->unit != NULL && unit != NULL && (p->roles & ROLE_HANDLER) != 0 && strcmp(p->unit, unit) == 0;
}

static _Bool checks_in(const struct person *p, const void *grid)
{
	return (p->roles & (ROLE_WORKER | ROLE_SUPERVISOR)) != 0 && area_holds(p->area, *(const int64_t *)grid);
}

static _Bool works_in(const struct person *p, const void *grid)
{
	return (p->roles & ROLE_WORKER) != 0 && area_holds(p->area, *(const int64_t *)grid);
}

/* A case's texts end with the daemon's life, a wish may outlive it. */
static const char *lasting(const char *id)
{
	const struct person *p = id == NULL ? NULL : policy_person(sim->policies[0], id);

	for (size_t i = 0; id != NULL && i < sizeof callers / sizeof *callers; i++)
		if (strcmp(callers[i], id) == 0)
			return callers[i];
	return p != NULL ? p->id : "resident-01";
}

static const char *of_unit(const char *unit)
{
	return somebody_who(is_of_unit, unit)->id;
}

static const char *one_of(const char *desk, const char *other)
{
	return sim_percent(70) ? desk : other;
}

/* ---- photos ---- */

static void photo_of(struct evidence_ref *ref, const char *actor, enum photo_role role)
{
	memset(ref, 0, sizeof *ref);
	strncpy((char *)ref->sha256, actor, sizeof ref->sha256 - 1);
	ref->sha256[sizeof ref->sha256 - 1] = (uint8_t)role;
	ref->role = (uint8_t)role;
}

/* Mostly uploaded before they are named. */
static void upload(const char *actor, enum photo_role role)
{
	struct command *c = net_wish(COMMAND_KEEP, actor, 1);

	photo_of(&c->evidence[0], actor, role);
	c->label = "image/jpeg";
	c->value = 100000;
	net_send(c, 0, 0);
}

static struct command *with_photos(enum command_kind kind, const char *actor, enum photo_role a, enum photo_role b)
{
	struct command *c = net_wish(kind, actor, 2);

	photo_of(&c->evidence[0], actor, a);
	photo_of(&c->evidence[1], actor, b);
	return c;
}

/* ---- reports ---- */

static void place(struct command *c)
{
	if (sim_percent(4))
		return;
	/* Many come from the same corners, so that some are the same matter. */
	uint64_t corner = sim_percent(40) ? sim_below(40) * 7919 : sim_below(1u << 30);
	struct dice d = { corner };

	c->lat_e7 = SOUTH + (int32_t)dice_below(&d, HEIGHT) + (int32_t)sim_below(2000);
	c->lon_e7 = WEST + (int32_t)dice_below(&d, WIDTH) + (int32_t)sim_below(2000);
}

static void report(void)
{
	const char *who = sim_percent(90) ? ANY(reporters) : anybody()->id;
	_Bool photos = sim_percent(20);
	struct command *c = photos ? with_photos(COMMAND_SUBMIT, who, PHOTO_NEAR, PHOTO_FAR)
	                           : net_wish(COMMAND_SUBMIT, who, 0);

	if (photos) {
		upload(who, PHOTO_NEAR);
		upload(who, PHOTO_FAR);
	}
	place(c);
	c->category = sim_percent(99) ? ANY(categories) : 10999;
	c->anonymous = sim_percent(8);
	c->reporter = c->anonymous ? NULL : strchr(who, '1') == NULL && sim_percent(50) ? ANY(callers) : who;
	c->description = "something that somebody saw in the street";
	c->address = sim_percent(30) ? "渭阳西路12号" : NULL;
	net_send(c, 1, sim_percent(STREAM_PERCENT));
	sim->tally->reports++;
}

/* One thing that a camera goes on seeing: value is how often it still posts, and its number. */
static void alarm(int64_t value)
{
	int64_t left = value % 100, thread = value / 100;
	struct dice d = { (uint64_t)thread };
	const struct camera *k = policy_camera_at(policy(), dice_below(&d, 10));
	struct command *c;

	if (k == NULL)
		return;
	c = net_wish(COMMAND_ALARM, k->gateway, 0);
	c->camera = k->id;
	c->label = labels[dice_below(&d, 6)];
	c->confidence = 0.5 + (double)sim_below(50) / 100;
	c->seen_at_ms = sim_wall_ms();
	c->ended = left == 0;
	net_send(c, 1, sim_percent(60));
	if (left > 0)
		plan(HAPPENS_ALARM, 2000 + (int64_t)sim_below(300000), value - 1);
}

/* ---- what comes next ---- */

static struct command *act(enum act a, const char *actor, const struct case_file *c)
{
	_Bool photos = a == ACT_HANDLED || a == ACT_VERIFIED || a == ACT_CO_HANDLED;
	struct command *w = photos ? with_photos(COMMAND_ACT, actor, PHOTO_BEFORE, PHOTO_AFTER)
	                           : net_wish(COMMAND_ACT, actor, 0);

	if (photos) {
		upload(actor, PHOTO_BEFORE);
		upload(actor, PHOTO_AFTER);
	}
	w->act = a;
	w->case_id = c->id;
	w->text = "words";
	return w;
}

static struct command *because(struct command *w, const char *reason)
{
	w->reason = reason;
	return w;
}

static struct command *at_its_place(struct command *w, const struct case_file *c)
{
	w->lat_e7 = c->lat_e7;
	w->lon_e7 = c->lon_e7;
	return w;
}

static const struct case_file *some_case(void)
{
	const struct counters *n = casebook_counters(sim->writer.book);
	int32_t back = (int32_t)sim_below(60) + 1;

	return casebook_case(sim->writer.book, case_id_make(0, n->day, n->sequence > back ? n->sequence - back : 1));
}

static struct command *of_reported(const struct case_file *c)
{
	const struct case_file *other = some_case();
	struct command *w;

	if (c->grid == 0 && sim_percent(90)) {
		w = act(ACT_LOCATE, "acceptor-02", c);
		w->grid = 610404004001001 + (int64_t)sim_below(3);
		return w;
	}
	if (sim_percent(8))
		return because(act(ACT_REJECT, "acceptor-01", c), "not-ours");
	if (sim_percent(6) && other != NULL) {
		w = act(ACT_MERGE, "acceptor-01", c);
		w->master = other->id;
		return w;
	}
	if (sim_percent(12)) {
		w = act(ACT_VERIFY, "acceptor-03", c);
		w->unit = sim_percent(70) ? somebody_who(works_in, &c->grid)->id : NULL;
		return w;
	}
	if (sim_percent(4))
		return act(ACT_WITHDRAW, lasting(c->reporter), c);
	return act(ACT_FILE, one_of("acceptor-01", "acceptor-02"), c);
}

static struct command *of_pending(const struct case_file *c)
{
	return sim_percent(55) ? act(ACT_CONFIRM, "acceptor-01", c)
	                       : because(act(ACT_DISMISS, "acceptor-02", c), "false-alarm");
}

static struct command *of_verifying(const struct case_file *c)
{
	struct command *w = act(ACT_VERIFIED, lasting(c->worker), c);

	w->finding = (enum finding)(1 + sim_below(3));
	return at_its_place(w, c);
}

static struct command *of_filed(const struct case_file *c)
{
	struct command *w = act(ACT_DISPATCH, one_of("dispatcher-01", "dispatcher-02"), c);

	if (sim_percent(50))
		w->unit = ANY(units);
	if (sim_percent(25)) {
		w->units[0] = "police";
		w->units[1] = "greening";
		w->unit_count = 1 + (int)sim_below(2);
	}
	return w;
}

static struct command *of_dispatched(const struct case_file *c)
{
	return sim_percent(94) ? act(ACT_SIGN, of_unit(c->handler), c)
	                       : because(act(ACT_RETURN, of_unit(c->handler), c), "wrong-unit");
}

static struct command *asked_of(const struct case_file *c)
{
	_Bool kind = sim_percent(70);

	if (c->asked_extension_ms != 0)
		return act(kind ? ACT_EXTEND : ACT_REFUSE_EXTENSION, "supervisor-01", c);
	return act(kind ? ACT_SUSPEND : ACT_REFUSE_SUSPENSION, "supervisor-02", c);
}

static struct command *asking_for(const struct case_file *c)
{
	struct command *w;

	if (sim_percent(60)) {
		w = act(ACT_ASK_EXTENSION, of_unit(c->handler), c);
		w->extend_ms = c->limit_ms / 2 + 1;
	} else {
		w = because(act(ACT_ASK_SUSPENSION, of_unit(c->handler), c), "weather");
		w->until_ms = sim_wall_ms() + (int64_t)sim_below(40) * CLOCK_DAY_MS;
	}
	return w;
}

static struct command *of_handling(const struct case_file *c)
{
	struct command *w;

	if (c->asked_extension_ms != 0 || c->asked_suspend_until_ms != 0)
		return asked_of(c);
	if (sim_percent(12))
		return asking_for(c);
	if (sim_percent(5)) {
		w = act(ACT_WHISTLE, "convener-street", c);
		w->units[0] = "police";
		w->units[1] = "street";
		w->unit_count = 1 + (int)sim_below(2);
		return w;
	}
	if (sim_percent(4))
		return because(act(ACT_RETURN, of_unit(c->handler), c), "wrong-place");
	return act(ACT_HANDLED, of_unit(c->handler), c);
}

static struct command *of_whistled(const struct case_file *c)
{
	return act(ACT_ANSWER, of_unit(c->whistled[sim_below(c->whistled_count)]), c);
}

static struct command *of_handled(const struct case_file *c)
{
	return act(ACT_CHECK, sim_percent(70) ? somebody_who(checks_in, &c->grid)->id : "supervisor-01", c);
}

static struct command *of_checking(const struct case_file *c)
{
	for (int i = 0; i < c->helper_count; i++)
		if ((c->helper_done >> i & 1) == 0 && sim_percent(90))
			return act(ACT_CO_HANDLED, of_unit(c->helpers[i]), c);
	if (sim_percent(14))
		return because(act(ACT_REWORK, "supervisor-01", c), "half-done");
	return act(ACT_PASS, sim_percent(70) ? somebody_who(checks_in, &c->grid)->id : "supervisor-02", c);
}

static struct command *of_closed(const struct case_file *c)
{
	const char *who = c->reporter != NULL && sim_percent(60) ? lasting(c->reporter)
	                                                         : one_of("visitor-01", "visitor-02");
	struct command *w = act(ACT_REVIEW, who, c);

	w->rating = (enum rating)(sim_percent(80) ? RATING_SATISFIED : 1 + sim_below(3));
	if (strchr(who, '/') != NULL) {
		w->reporter = who;
		w->actor = lasting(c->actor);
	}
	return w;
}

static struct command *of_reviewed(const struct case_file *c)
{
	return act(sim_percent(20) ? ACT_REOPEN : ACT_REWARD, one_of("supervisor-01", "supervisor-02"), c);
}

static struct command *next_step(const struct case_file *c)
{
	static struct command *(*const next[STATE_COUNT])(const struct case_file *c) = {
		[STATE_REPORTED] = of_reported, [STATE_ALARM_PENDING] = of_pending, [STATE_VERIFYING] = of_verifying,
		[STATE_FILED] = of_filed,       [STATE_DISPATCHED] = of_dispatched, [STATE_HANDLING] = of_handling,
		[STATE_WHISTLED] = of_whistled, [STATE_HANDLED] = of_handled,       [STATE_CHECKING] = of_checking,
		[STATE_CLOSED] = of_closed,     [STATE_REVIEWED] = of_reviewed,
	};

	if (c->state == STATE_SUSPENDED)
		return act(ACT_RESUME, "supervisor-01", c);
	if (c->state == STATE_RETURNED)
		return act(ACT_TAKE_BACK, "dispatcher-01", c);
	return next[c->state] != NULL ? next[c->state](c) : act(ACT_REPLY, "acceptor-01", c);
}

/* ---- and what does not ---- */

static struct command *anything(const struct case_file *c)
{
	static const char *const reasons[] = { "not-ours",    "wrong-unit", "not-done", "weather",
		                               "false-alarm", "decline",    "?" };
	struct command *w = act((enum act)sim_below(ACT_COUNT), anybody()->id, c);
	const struct case_file *other = some_case();

	w->reason = sim_percent(70) ? ANY(reasons) : NULL;
	w->text = sim_percent(80) ? "words" : NULL;
	w->unit = sim_percent(50) ? ANY(units) : NULL;
	w->units[0] = ANY(units);
	w->unit_count = (int)sim_below(2);
	w->master = other != NULL ? other->id : 1;
	w->grid = sim_percent(20) ? 610404004002001 : 0;
	w->finding = (enum finding)sim_below(4);
	w->rating = (enum rating)sim_below(5);
	w->until_ms = sim_wall_ms() + ((int64_t)sim_below(400) - 20) * CLOCK_DAY_MS;
	w->extend_ms = ((int64_t)sim_below(8) - 1) * CLOCK_HOUR_MS;
	if (sim_percent(30))
		place(w);
	return w;
}

static struct command *aside(const struct case_file *c)
{
	if (c->late && sim_percent(50))
		return because(act(ACT_EXEMPT, "supervisor-02", c), "weather");
	return act(sim_percent(50) ? ACT_SUPERVISE : ACT_REPLY, "supervisor-01", c);
}

static void look(int64_t id)
{
	const struct case_file *c = !sim->up ? NULL : casebook_case(sim->writer.book, id);
	struct command *w;

	if (c == NULL)
		return;
	w = sim_percent(WRONG_PERCENT) ? anything(c) : sim_percent(3) ? aside(c) : next_step(c);
	if (sim_percent(WRONG_PERCENT))
		w->actor = anybody()->id;
	net_send(w, sim_percent(60), 0);
}

void street_saw(const struct fact *f)
{
	if (state_info(f->to)->terminal || sim_percent(FORGOTTEN_PERCENT))
		return;
	if (f->from == f->to && !sim_percent(30))
		return;
	int64_t in_ms = sim_percent(85) ? (int64_t)sim_below(40 * CLOCK_MINUTE_MS)
	                                : (int64_t)sim_below(4 * CLOCK_DAY_MS);

	plan(HAPPENS_LOOK, in_ms, f->case_id);
}

/* ---- errands ---- */

static void points(enum command_kind kind, const char *actor)
{
	struct command *c = net_wish(kind, actor, 0);

	c->person = sim_percent(80) ? ANY(reporters) : anybody()->id;
	c->value = kind == COMMAND_REDEEM ? (int64_t)sim_below(40) : (int64_t)sim_below(30) - 12;
	c->text = "points";
	net_send(c, 1, 0);
}

static void emergency(void)
{
	struct command *c = net_wish(COMMAND_EMERGENCY, sim_percent(90) ? "supervisor-01" : anybody()->id, 0);

	if (sim_percent(60)) {
		c->grid = sim_percent(50) ? 610404004000 : 610404004001;
		c->began_at_ms = sim_wall_ms();
		c->until_ms = sim_wall_ms() + (1 + (int64_t)sim_below(72)) * CLOCK_HOUR_MS;
		c->text = "a flood";
	} else {
		c->value = 1 + (int64_t)sim_below(10);
	}
	net_send(c, 1, 0);
}

static void errand(int64_t which)
{
	struct command *c;

	if (!sim->up)
		return;
	if (which == 0) {
		points(COMMAND_REDEEM, sim_percent(95) ? "station-01" : anybody()->id);
	} else if (which == 1) {
		points(COMMAND_CORRECT, sim_percent(90) ? "supervisor-02" : anybody()->id);
	} else if (which == 2) {
		emergency();
	} else {
		c = net_wish(COMMAND_SEEN, ANY(reporters), 0);
		c->value = casebook_counters(sim->writer.book)->notice - (int64_t)sim_below(50);
		net_send(c, 0, 0);
	}
}

/* ---- a day ---- */

static void visit(void *ctx, const struct case_file *c)
{
	int *left = ctx;

	if (*left > 0 && sim_percent(12)) {
		plan(HAPPENS_LOOK, (int64_t)sim_below(10 * CLOCK_HOUR_MS) + 8 * CLOCK_HOUR_MS, c->id);
		(*left)--;
	}
}

static void draw_reports(void)
{
	_Bool storm = sim_percent(STORM_PERCENT);
	int64_t count = (int64_t)sim_below((uint64_t)sim->reports_a_day * 2 + 1) * (storm ? 3 : 1);

	for (int64_t i = 0; i < count; i++)
		plan(HAPPENS_REPORT,
		     storm ? 15 * CLOCK_HOUR_MS + (int64_t)sim_below(CLOCK_HOUR_MS)
		           : 6 * CLOCK_HOUR_MS + (int64_t)sim_below(16 * CLOCK_HOUR_MS),
		     0);
}

static void new_day(void)
{
	int left = VISITED_MOST;

	draw_reports();
	for (uint64_t i = sim_below(6); i > 0; i--)
		plan(HAPPENS_ALARM, (int64_t)sim_below(CLOCK_DAY_MS),
		     (int64_t)sim_below(1000000) * 100 + (int64_t)sim_below(12));
	for (uint64_t i = sim_below(5); i > 0; i--)
		plan(HAPPENS_ERRAND, 8 * CLOCK_HOUR_MS + (int64_t)sim_below(10 * CLOCK_HOUR_MS),
		     sim_percent(45)   ? 0
		     : sim_percent(40) ? 1
		                       : 3);
	if (sim_percent(4))
		plan(HAPPENS_ERRAND, 9 * CLOCK_HOUR_MS, 2);
	if (sim_percent(3))
		plan(HAPPENS_RELOAD, (int64_t)sim_below(CLOCK_DAY_MS), (int64_t)sim_below(SIM_POLICIES));
	if (sim->up)
		casebook_each(sim->writer.book, visit, &left);
	plan(HAPPENS_DAY, CLOCK_DAY_MS, 0);
	life_day();
	rules_day();
}

static void reload(int64_t which)
{
	struct command *c;

	if (!sim->up)
		return;
	c = command_new(COMMAND_POLICY, 0);
	problems_close(&sim->problems);
	c->policy = policy_hold(sim->policies[which]);
	c->problems = &sim->problems;
	c->origin.slot = UINT32_MAX;
	turns_push(c);
}

void street_event(const struct event *e)
{
	if (e->what == HAPPENS_DAY)
		new_day();
	else if (e->what == HAPPENS_REPORT)
		report();
	else if (e->what == HAPPENS_ALARM)
		alarm(e->value);
	else if (e->what == HAPPENS_LOOK)
		look(e->value);
	else if (e->what == HAPPENS_ERRAND)
		errand(e->value);
	else if (e->what == HAPPENS_RELOAD)
		reload(e->value);
}
